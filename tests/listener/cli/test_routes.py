"""The rules at the terminal: show, a grid to start from, a team's expectations, a dry run, and moving open cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.cli.routes import dry_run, grid, reroute, show
from listener.cli.routes import test as hold
from listener.config import load
from listener.database import Store
from listener.mention import Author
from stakeholders.desk import Desk
from stakeholders.store import cases, decisions
from tests.stakeholders.newsroom import NOW, hear

CONFIG = """
[instance]
language = "en"
[store]
url = "{store}"
[brands.nitido]
name = "Nítido"
[competitors.brisatel]
name = "Brisatel"
[departments.communications]
alert = ["mail:team@nitido.example"]
[departments.sales]
alert = ["mail:sales@nitido.example"]
{more}
"""
RULES = """
[[routes]]
name = "voices"
when = { min_followers = 5000 }
copies = ["investor_relations"]
continue = true
[[routes]]
name = "roaming"
when = { query = "roaming OR viaj*", stakeholder = ["customer", "public"] }
unless = { intent = "praise" }
department = "sales"
priority = "alert"
[matrix]
partner = "sales"
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUCHA_LANG", "en")


def write(folder: Path, more: str = RULES, name: str = "config.toml") -> str:
    path = folder / name
    text = CONFIG.format(store=f"sqlite:///{folder}/escucha.db", more="{more}")
    path.write_text(text.replace("{more}", more), encoding="utf-8")
    return str(path)


def ended(call: Any, *args: Any, **more: Any) -> int:
    with pytest.raises(SystemExit) as caught:
        call(*args, **more)
    return int(caught.value.code or 0)


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_show_words_every_step_in_its_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "routes.csv").write_text("stakeholder,department,becomes\npress|public,sales,alert\n", "utf-8")
    show(write(tmp_path, '[routing]\ngrid = "routes.csv"\n' + RULES))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:8] == [
        "  2. Your rule «voices»",
        "     when followers from: 5000",
        "     → the next rules decide · copies Investor relations",
        "  3. Your rule «roaming»",
        "     when who speaks: customer, general public · query: «roaming OR viaj*»",
        "     unless intent: praise",
        "     → Sales · as «alert»",
    ]
    assert "     2: who speaks: press, general public → Sales · as «alert»" in lines
    assert [line[:4] for line in lines if line[3] == "."] == [f"{number:>3}." for number in range(1, 10)]
    show(write(tmp_path), json=True)
    told = rows(capsys.readouterr().out)
    assert [one["step"] for one in told] == ["rule", "rule", "matrix"]
    assert told[0]["continue"] is True


def test_the_grid_to_start_from_is_written_once_and_reads_without_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid(tmp_path / "routes.csv")
    assert '[routing]\ngrid = "routes.csv"' in capsys.readouterr().err
    load(Path(write(tmp_path, '[routing]\ngrid = "routes.csv"')), {})
    assert ended(grid, tmp_path / "routes.csv") == 2
    assert ended(grid, tmp_path / "no" / "routes.csv") == 2
    grid(None)
    assert capsys.readouterr().out == (tmp_path / "routes.csv").read_text("utf-8")


GOOD = """
[[posts]]
text = "el roaming de Nítido no sirve"
labels = { stakeholder = "customer", intent = "complaint", sentiment = "negative" }
author = { followers = 6000 }
expect = { department = "sales", priority = "alert", rule = "roaming", copies = ["investor_relations"] }
[[posts]]
name = "a supervisor is copied to communications"
labels = { stakeholder = "regulator", sentiment = "negative" }
expect = { department = "legal_regulatory", copies = ["communications"], opens_case = true }
[[posts]]
text = "gracias por el roaming"
labels = { intent = "praise", sentiment = "positive" }
author = { followers = 9000 }
expect = { rule = "voices", opens_case = false }
[[posts]]
text = "Brisatel"
labels = { intent = "complaint", relevant = false }
expect = { opens_case = false }
"""


def test_expectations_that_hold_end_with_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "expect.toml").write_text(GOOD, "utf-8")
    hold(tmp_path / "expect.toml", write(tmp_path))
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "4 of 4 posts go where you expect.\n")


def test_a_miss_ends_with_one_and_says_what_came_why_and_what_would_change_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    post = {
        "text": "el roaming de Nítido no sirve",
        "labels": {
            "stakeholder": "customer",
            "intent": "complaint",
            "department": "customer_care",
            "priority": "alert",
        },
    }
    (tmp_path / "posts.jsonl").write_text(json.dumps(post), "utf-8")
    assert ended(hold, tmp_path / "posts.jsonl", write(tmp_path)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✗ posts.jsonl line 1 «el roaming de Nítido no sirve»"
    assert [line.split() for line in lines[1:3]] == [["expected", "got"], ["department", "customer_care", "sales"]]
    assert lines[3].startswith("    Why: Your rule «roaming» sends it to Sales; It says «roaming»")
    assert "Without your rule «roaming» it would be «important» for Customer care" in lines[4]
    assert ended(hold, tmp_path / "posts.jsonl", write(tmp_path), json=True) == 1
    (told,) = rows(capsys.readouterr().out)
    assert told["misses"] == [{"what": "department", "expected": "customer_care", "got": "sales"}]
    assert told["ok"] is False


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", '[[posts]]\ntext = "x"', "says nothing of what is expected"),
        (
            "a.toml",
            '[[posts]]\nexpect = { department = "sals" }',
            "department: «sals» is not known; did you mean 'sales'?",
        ),
        ("a.toml", '[[posts]]\nexpect = { departament = "sales" }', "expect: «departament» is not known"),
        ("a.toml", '[[posts]]\nlabels = { intent = "complain" }\nexpect = { rule = "x" }', "did you mean 'complaint'?"),
        ("a.toml", '[[posts]]\nbrand = "nobody"\nexpect = { rule = "x" }', "there is no brand nobody"),
        ("a.toml", '[[posts]]\nauthor = { followers = "many" }\nexpect = { rule = "x" }', "is no number"),
        ("a.toml", '[[posts]]\noutlet = "perhaps"\nexpect = { rule = "x" }', "outlet: «perhaps» is not known"),
        ("a.toml", "posts = 3", "no [[posts]] table stands in it"),
        ("a.toml", "posts = [", "not valid TOML"),
        ("none.toml", None, "not there or cannot be opened"),
        ("a.jsonl", "[1]\n", "not a JSON object"),
        ("a.jsonl", "", "0 of 0 posts"),
        ("a.txt", "x", "only files that end in"),
    ],
)
def test_a_file_that_is_no_expectation_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    assert ended(hold, tmp_path / name, write(tmp_path)) == 2
    assert told in capsys.readouterr().err


def test_expectations_may_stand_in_a_table(tmp_path: Path) -> None:
    text = "text;labels.intent;expect.department;expect.copies\nquiero roaming;purchase;sales;communications\n"
    (tmp_path / "expect.csv").write_text(text, "utf-8")
    hold(tmp_path / "expect.csv", write(tmp_path))


@pytest.fixture
def heard(tmp_path: Path) -> str:
    """Give a configuration without rules over a database with one open case about roaming."""
    path = write(tmp_path, "")
    config = load(Path(path), {})
    store = Store(config.store_url)
    store.migrate()
    with store.write() as connection:
        one = hear(connection, "el roaming de Nítido no sirve", author=Author("ana", "Ana Ruiz"))
        connection.execute(decisions.delete())
    with store.write() as connection:
        Desk(config).settle(connection, [one], NOW)
    store.close()
    return path


def department(folder: Path) -> Any:
    store = Store(f"sqlite:///{folder}/escucha.db")
    try:
        with store.read() as connection:
            return connection.scalar(sa.select(cases.c.department))
    finally:
        store.close()


def test_a_dry_run_says_who_would_hear_and_shows_no_author(
    tmp_path: Path, heard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Path(write(tmp_path, RULES, "new.toml"))
    dry_run(new, 3650, heard)
    told = capsys.readouterr().out
    assert "1 posts of the last 3650 days decided under both: 0 go as before." in told
    assert "Open cases: 1 would change hands, 1 their priority." in told
    assert "mail:sales@nitido.example: 0 → 1" in told
    assert "Communications → Sales · important → alert" in told
    assert "Ana" not in told
    assert department(tmp_path) == "communications"
    dry_run(new, 3650, heard, json=True)
    first, *examples = rows(capsys.readouterr().out)
    assert first["told_more"] == {"mail:sales@nitido.example": {"before": 0, "after": 1}}
    assert examples[0]["department"] == {"before": "communications", "after": "sales"}


def test_a_dry_run_of_a_spoiled_or_absent_file_ends_with_two(
    tmp_path: Path, heard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(dry_run, tmp_path / "none.toml", 30, heard) == 2
    assert ended(dry_run, Path(write(tmp_path, "[[routes]]\nname = 'a'\nwhen = {}", "bad.toml")), 30, heard) == 2
    assert "[routes «a»] 'department' is missing" in capsys.readouterr().err


def test_cases_move_only_with_yes_and_a_name(tmp_path: Path, heard: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, RULES)
    reroute("", None, False, path)
    told = capsys.readouterr()
    assert "Communications → Sales · important → alert" in told.out
    assert "1 cases would move; nothing was changed" in told.err
    assert ended(reroute, " ", None, True, path) == 2
    assert department(tmp_path) == "communications"
    reroute("Ana Torres", None, True, path, json=True)
    (row,) = rows(capsys.readouterr().out)
    assert (row["department"]["after"], row["told"] > 0) == ("sales", True)
    assert department(tmp_path) == "sales"
    reroute("Ana Torres", None, True, path)
    assert "0 cases moved, 0 messages queued" in capsys.readouterr().err
