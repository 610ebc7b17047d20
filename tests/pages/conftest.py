"""Give the page tests a filled instance: a config, a SQLite store, and posts that went through the real functions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.config import Config, load
from listener.database import Store
from listener.intake import save_page
from listener.match import Matcher
from listener.mention import Author, Metrics, Post, Rejected
from listener.store import runs, select_mentions
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from tests.blank import open_blank
from tests.pages.hand import COMBINATIONS, Hand, sit_down
from tests.pages.visit import browsing

CONFIG = """
[instance]
name = "Escucha"
language = "en"
[store]
url = "sqlite:///pages.db"
[brands.nitido]
name = "Nítido"
handles = ["nitidope"]
[competitors.brisatel]
name = "Brisatel"
[sources.social]
kind = "file"
path = "social.jsonl"
[sources.broken]
kind = "file"
path = "broken.jsonl"
[sources.unasked]
kind = "file"
path = "unasked.jsonl"
[sources.x]
enabled = false
[departments.communications]
lead = "Renzo Paredes"
alert = ["mail:communications@example.org"]
people = ["Ana Flores"]
[departments.customer_care]
lead = "Lucía Campos"
alert = ["mail:care@example.org"]
people = ["Jorge Huamán"]
[departments.human_resources]
alert = ["mail:people@example.org"]
[digest]
to = ["mail:director@example.org"]
"""

HOSTILE = (
    "Nítido <script>window.__hit=1</script><img src={tracker}/img.png onerror=window.__hit=1> "
    "![x]({tracker}/md.png) "
    ":red[rojo] [clic](javascript:window.__hit=1) $x^2$ **negrita** {{lang}} %s </div></bdi> "
    "\u202egnp.exe\u2069 &lt;b&gt;"
)

# handle, followers, text, profile, (sentiment, dimension, intent)
_LINES = """
artel_regula | 188400 | Multamos a Nítido con 3 millones de soles por cobros indebidos \
  | Autoridad reguladora de telecomunicaciones. Cuenta oficial | negative governance other
rosa_mqp | 214 | Nítido, tres días sin internet en Cayma y nadie contesta. Mi recibo sí llegó puntual \
  | | negative products_services complaint
gustavo_ate | 90 | ¿Alguien sabe si Nítido abre los domingos en el mall de Ate? Necesito un chip \
  | | neutral products_services question
la_nena_22 | 310 | me voy de Nítido mañana mismo, ya pedí la portabilidad a Brisatel \
  | | negative products_services churn_threat
tele_tecnico | 1200 | trabajo en Nítido y otra vez no pagan las horas extra del mes pasado \
  | técnico, trabajo en Nítido | negative workplace complaint
dsalcedo_tv | 45000 | Busco a usuarios de Nítido afectados por el corte de anoche para el noticiero, escríbanme \
  | periodista en Canal Andes | negative products_services media_request
don_lucho | 640 | quiero pasar mis cuatro líneas a Nítido, ¿qué plan familiar tienen? \
  | | positive products_services purchase
rayo_dev | | La app de Nítido ya deja pagar con un toque, bien ahí | | positive innovation praise
"""
POSTS = [[part.strip() for part in line.split("|")] for line in _LINES.strip().splitlines()]


@dataclass(frozen=True)
class Instance:
    """Hold a filled instance."""

    folder: Path
    config: Config
    store: Store


def _post(number: int, text: str, at: datetime, author: Author, thread: str | None = None) -> Post:
    return Post(
        "social",
        f"p{number}",
        text,
        at,
        author,
        f"https://social.example/p{number}",
        "es",
        thread=thread,
        metrics=Metrics(number, None, 0),
    )


def fill(folder: Path, tracker: str = "http://127.0.0.1:9", more: int = 0) -> Instance:
    """Write a config and a store in a folder; `more` complaints besides, for paging."""
    from stakeholders.desk import Desk

    (folder / "config.toml").write_text(CONFIG, "utf-8")
    config = load(folder / "config.toml", {}, secrets=False)
    store = open_blank(config.store_url)
    now = datetime.now(UTC)
    evil = HOSTILE.replace("{tracker}", tracker).replace("{{", "{").replace("}}", "}")
    posts: list[Post] = []
    told: dict[str, tuple[str, str, str]] = {}
    for number, (handle, followers, text, bio, labels) in enumerate(POSTS):
        known = int(followers) if followers else None
        author = Author(handle, handle.title(), f"id{number}", bio or None, None, None, known)
        posts.append(_post(number, text, now - timedelta(minutes=20 * number + 5), author))
        polarity, dimension, intent = labels.split()
        told[f"p{number}"] = (polarity, dimension, intent)
    bad = Author(evil, evil, "evil", evil, "javascript:window.__hit=1", None, 12)
    post = _post(90, evil + " demanda judicial ya", now - timedelta(minutes=2), bad)
    posts.append(Post(**{**{name: getattr(post, name) for name in Post.__slots__}, "url": "javascript:window.__hit=1"}))
    told["p90"] = ("negative", "products_services", "legal_threat")
    for number in range(100, 100 + more):
        author = Author(f"vecino_{number}", None, f"id{number}")
        posts.append(
            _post(
                number,
                f"Nítido sin señal en la cuadra {number} de mi calle {number * 7}, {number * 31} vecinos",
                now - timedelta(hours=number - 99),
                author,
            )
        )
        told[f"p{number}"] = ("negative", "products_services", "complaint")
    heard = [mention for post in posts for mention in Matcher(config.brands).mentions(post)]
    with store.write() as connection:
        save_page(connection, "social", posts, heard, [Rejected(evil, evil, evil)], "1", now)
        rows = [{"source": "social", "outcome": "ok"}, {"source": "broken", "outcome": "unreadable", "error": evil}]
        same = {
            "started_at": now - timedelta(minutes=1),
            "finished_at": now,
            "posts": 0,
            "new": 0,
            "mentions": 0,
            "rejected": 0,
        }
        connection.execute(runs.insert(), [{"error": None, **row, **same} for row in rows])
    with store.read() as connection:
        found = connection.execute(select_mentions()).all()
    judged = []
    for row in found:
        polarity, dimension, intent = told[row.native_id]
        sure = 0.41 if row.native_id == "p2" else 0.93
        verdict = Verdict(
            Label("true", 0.99),
            Label(polarity, sure, unsure=sure < 0.5),
            Label(dimension, 0.8),
            Label(intent, 0.7),
            "test 1",
        )
        judged.append((row.mention_id, verdict))
    desk = Desk(config)
    with store.write() as connection:
        save_verdicts(connection, judged, now)
    while True:
        with store.read() as connection:
            pending = desk.pending(connection, 100)
        if not pending:
            break
        with store.write() as connection:
            desk.settle(connection, pending, now)
    return Instance(folder, config, store)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Give a filled instance, named by ESCUCHA_CONFIG as a running dashboard finds it."""
    import streamlit as st

    st.cache_resource.clear()
    made = fill(tmp_path)
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("ESCUCHA_STORE", raising=False)
    return made


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a Chromium; skip without one, fail in CI."""
    pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium")
        pytest.skip("this machine has no Chromium")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Give a Chromium that a file of tests shares."""
    with browsing(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def hire(
    request: pytest.FixtureRequest, browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, int], Hand]]:
    """Give how to make a hand, of the kind that a file names as HAND, at a house of its own."""
    with sit_down(request.module.HAND, browser, tmp_path_factory.mktemp("site"), fill) as made:
        yield made


@pytest.fixture(scope="module", params=COMBINATIONS, ids=lambda one: f"{one[0]}-{one[1]}")
def hand(hire: Callable[[str, int], Hand], request: pytest.FixtureRequest) -> Iterator[Hand]:
    """Give a hand for a language and a width."""
    hired = hire(*request.param)
    yield hired
    hired.shut()


@pytest.fixture(scope="session")
def filled() -> Callable[..., Instance]:
    """Give the function that fills an instance."""
    return fill
