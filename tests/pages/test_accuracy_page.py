"""The accuracy page and `escucha evaluate --corrected` say what people checked, how little it is, and where to look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.correction import confirm
from stakeholders.desk import Desk
from tests.pages.test_pages import case_of, draw, markup

ROOT = Path(__file__).resolve().parents[2]


def mention_of(instance: Any, native_id: str) -> int:
    query = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == native_id)
    with instance.store.read() as connection:
        return int(connection.execute(query).scalars().first() or 0)


def check(instance: Any, native_id: str, head: str, name: str | None = None) -> None:
    """Correct a label, or confirm it without a name, as the case page does."""
    desk, now, mention_id = Desk(instance.config), datetime.now(UTC), mention_of(instance, native_id)
    with instance.store.write() as connection:
        if name is None:
            confirm(desk, connection, mention_id, head, "Ana Flores", now)
        else:
            desk.correct(connection, mention_id, head, name, "Ana Flores", now)


def page(instance: Any, query: dict[str, str] | None = None, **more: Any) -> str:
    return markup(draw("accuracy", str(instance.folder), query or {}, **more).run())


def evaluate(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "listener", "evaluate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ESCUCHA_LANG": "en", **environment},
    )


def test_before_anything_was_checked_the_page_says_what_to_do(instance: Any) -> None:
    shown = page(instance)
    assert "Nobody has checked a label yet" in shown
    assert "Right as it is" in shown
    assert 'href="./"' in shown


def test_corrections_alone_give_no_accuracy_but_name_the_mistake_and_its_case(instance: Any) -> None:
    check(instance, "p1", "sentiment", "neutral")
    shown = page(instance)
    assert "That tells nothing of how often it is right" in shown
    assert "0\u00a0%" not in shown
    assert "said harms, was neutral" in shown
    assert f'href="case?id={case_of(instance, "p1")}"' in shown


def test_few_checks_are_said_to_be_few_in_words(instance: Any) -> None:
    check(instance, "p1", "sentiment", "neutral")
    for native_id in ("p0", "p3", "p4"):
        check(instance, native_id, "sentiment")
    shown = page(instance).replace("\u00a0", " ")
    assert "3 of 4 right; with so few, anything from 30 % to 95 % is possible" in shown
    assert "93 % sure on average, 75 % right" in shown
    assert "no random sample" in shown


def test_each_engine_can_be_looked_at_alone(instance: Any) -> None:
    check(instance, "p1", "sentiment", "neutral")
    check(instance, "p0", "sentiment")
    assert "e-chip" not in page(instance)
    with instance.store.write() as connection:
        other = sa.and_(verdicts.c.mention_id == mention_of(instance, "p0"), verdicts.c.by == "model")
        connection.execute(verdicts.update().where(other).values(engine="<b>test 2"))
    assert "judged by &lt;b&gt;test 2" in page(instance)
    one = page(instance, {"engine": "<b>test 2"})
    assert 'class="e-chip on">&lt;b&gt;test 2' in one
    assert "1 of 1 right" in one
    assert "posts checked: 2" in page(instance, {"engine": "gone"})


def test_the_shipped_models_figures_stand_beside_ours(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"intent": {"accuracy": 0.81, "macro_f1": 0.744, "items": 412}}
    monkeypatch.setattr("stakeholders.pages.accuracy.shipped_figures", lambda: told)
    assert "81 % right, macro-F1 0.74, on 412 held-out posts" in page(instance).replace("\u00a0", " ")
    check(instance, "p0", "sentiment")
    assert "on 412 held-out posts" in page(instance)


@pytest.mark.parametrize("lang", ["es", "pt"])
def test_the_page_draws_in_every_language(instance: Any, lang: str) -> None:
    check(instance, "p0", "relevant")
    check(instance, "p1", "stakeholder", "employee")
    assert "<h1>" in page(instance, lang=lang)


def test_a_label_that_was_confirmed_says_so_on_its_case(instance: Any) -> None:
    check(instance, "p1", "sentiment")
    shown = markup(draw("case", str(instance.folder), {"id": str(case_of(instance, "p1"))}).run())
    assert "<b>harms</b> ✓ right as it was · <bdi>Ana Flores</bdi>" in shown
    assert "posts checked: 1 · labels corrected: 0 · confirmed: 1" in page(instance)


def test_a_label_is_shown_by_class_language_and_source_in_words(instance: Any) -> None:
    check(instance, "p1", "sentiment", "neutral")
    for native_id in ("p0", "p3", "p4", "p5", "p90", "p2", "p6"):
        check(instance, native_id, "sentiment")
    shown = page(instance).replace("\u00a0", " ")
    said = shown[shown.index("When it was said") : shown.index("When it is so")]
    assert '<b>5 of 6</b> <span class="e-muted">44 % to 97 %' in said
    assert '<b>1 of 1</b> <span class="e-muted">too few to say more' in said
    assert "Spanish" in shown
    assert "<b>7 of 8</b>" in shown[shown.index("By source") :]


def test_what_to_check_next_are_the_least_certain_that_nobody_checked(instance: Any) -> None:
    first = page(instance)
    waiting = first[first.index("To check next") :]
    assert waiting.index(f"case?id={case_of(instance, 'p2')}") < waiting.index(
        "case?id=", waiting.index("case?id=") + 9
    )
    check(instance, "p2", "sentiment")
    after = page(instance, {"label": "sentiment"})
    assert f"case?id={case_of(instance, 'p2')}" not in after[after.index("To check next") :]
    other = page(instance, {"label": "intent"})
    assert "what they want" in other[other.index("To check next") :]


def test_the_page_stands_in_the_side_bar_after_the_sources(instance: Any) -> None:
    from stakeholders.pages.frame import PAGES

    names = [name for name, _, _ in PAGES]
    assert names[names.index("sources") + 1] == "accuracy"
    test = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=30).run()
    assert not test.exception


def test_evaluate_measures_what_people_corrected(instance: Any) -> None:
    check(instance, "p1", "sentiment", "neutral")
    check(instance, "p0", "sentiment")
    config = ["--config", str(instance.folder / "config.toml")]
    done = evaluate("--corrected", "--json", *config, folder=instance.folder)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["items"] == 2
    assert figures["labels"]["sentiment"]["accuracy"] == 0.5
    assert "no random sample" in done.stderr
    table = evaluate("--corrected", *config, folder=instance.folder).stdout
    assert "accuracy 0.500 [0.09–0.91]" in table
    assert "macro-F1 0.333 [" in table


def test_evaluate_of_nothing_says_so(instance: Any) -> None:
    done = evaluate("--corrected", "--json", "--config", str(instance.folder / "config.toml"), folder=instance.folder)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"items": 0, "labels": {}})
    assert "Nobody has corrected or confirmed a label yet." in done.stderr


@pytest.mark.parametrize("words", [[], ["posts.jsonl", "--corrected"]])
def test_evaluate_takes_exactly_one_of_a_file_and_what_was_corrected(tmp_path: Path, words: list[str]) -> None:
    done = evaluate(*words, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == "evaluate takes one of the two: a post file, or --corrected"
