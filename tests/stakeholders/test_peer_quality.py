"""How well exchanges are read: hand-written posts in three languages through the real judge, counted by question."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.config import Config, parse
from listener.fold import fold
from listener.match import Matcher
from listener.mention import Author, Post
from sentiment.verdict import Item
from stakeholders.companies.peer import Peers
from stakeholders.desk import Desk

POSTS = Path(__file__).with_name("peers.tsv")
AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
DIRECTIONS = {"us_to_them": "us", "them_to_us": "them", "them_to_them": "other"}


@dataclass
class Score:
    """Count what was right, wrongly said and missed of one question."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, wanted: str, given: str, line: str) -> None:
        if wanted == given:
            self.right += wanted != "-"
            return
        self.wrong += given != "-"
        self.missed += wanted != "-"
        self.faults.append(f"  wanted {wanted!r}, said {given!r}: {line}")

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


def rows() -> Iterator[list[str]]:
    with POSTS.open(encoding="utf-8", newline="") as lines:
        yield from csv.reader(
            (line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE
        )


def a_config(folder: Path) -> Config:
    table = {
        "brands": {
            "nitido": {
                "name": "Nítido",
                "sector": "telecom operator",
                "executives": ["Mariana Quispe", "Jorge Salcedo"],
                "own_handles": ["@nitidope"],
                "care_handles": ["@nitidoayuda"],
                "sales_handles": ["@nitidoventas"],
                "corporate_handles": ["@nitidoprensa"],
            }
        },
        "competitors": {
            "brisatel": {"name": "Brisatel", "executives": ["Lucía Ferreyros"], "own_handles": ["@brisatel"]},
            "ondavia": {"name": "Ondavía", "executives": ["Bruno Valdivia"], "own_handles": ["@ondaviape"]},
        },
        "departments": {"communications": {"alert": ["mail:team@example.org"]}},
        "events": [{"name": "CADE 2026", "hashtags": ["#CADE2026"], "names": ["CADE Ejecutivos"]}],
    }
    return parse(table, folder, {})


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    """Read every post as an instance does: match, judge, identify, exchange."""
    from sentiment.engine import load

    config = a_config(tmp_path_factory.mktemp("peers"))
    desk, peers, matcher = Desk(config), Peers(config.settings), Matcher(config.brands)
    classifier = load(config.settings.sentiment, config.folder)
    brands = {brand.key: brand for brand in config.brands}
    told, items = [], []
    for number, (lang, handle, name, bio, brand, *wanted, text) in enumerate(rows()):
        post = Post("x", str(number), text, AT, Author(handle, name, bio=bio, followers=900), lang=lang)
        mention = next((one for one in matcher.mentions(post) if one.brand == brand), None)
        assert mention is not None, f"line {number + 1} does not name {brand}"
        rivals = tuple(one for one in config.brands if one.key != brand)
        told.append((mention, wanted))
        items.append(Item(post, brands[brand], rivals))
    found = {name: Score() for name in ("direction", "polarity", "person", "event")}
    kinds: Counter[str] = Counter()
    for (mention, wanted), verdict in zip(told, classifier.judge(items), strict=True):
        direction, polarity, person, event = wanted
        speaker, _, _ = desk.decide(mention, verdict, explained=False)
        read = peers.read(mention, speaker, verdict.sentiment.name, unsure=verdict.sentiment.unsure)  # type: ignore[arg-type]
        line = mention.post.text[:90]
        kinds[direction] += 1
        found["direction"].add(direction, DIRECTIONS[read.direction] if read else "-", line)
        if direction == "-":
            continue
        found["polarity"].add(polarity, verdict.sentiment.name, line)
        if read is None:
            continue  # counted above, as a direction that was missed
        names = [one.name for one in read.people]
        given = next((name for name in names if fold(person) in fold(name)), names[0] if names else "-")
        found["person"].add(person, person if fold(person) in fold(given) else given, line)
        said = "-" if read.event is None else read.event.name or "~"
        found["event"].add(event, event if fold(event) in fold(said) else said, line)
    assert min(kinds.values()) >= 6, "each direction needs posts"
    return found


BARS = {"direction": (0.9, 0.9), "person": (0.9, 0.9), "event": (0.9, 0.9), "polarity": (0.65, 0.65)}


@pytest.mark.parametrize("question", list(BARS))
def test_hand_written_posts_are_read_as_a_person_reads_them(scores: dict[str, Score], question: str) -> None:
    score, (precision, recall) = scores[question], BARS[question]
    told = f"{question}: precision {score.precision:.2f}, recall {score.recall:.2f} ({score.right} right)\n"
    print(told, *score.faults, sep="\n")
    assert score.precision >= precision, told + "\n".join(score.faults)
    assert score.recall >= recall, told + "\n".join(score.faults)
