"""Fifty hostile posts, and an instance in which they stand in every field that a stranger or a colleague can write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config, load
from listener.database import Store, add_or_update
from listener.health import CYCLE
from listener.intake import save_page
from listener.match import Matcher
from listener.mention import Author, Metrics, Post, Rejected
from listener.reason import reason, to_json
from listener.store import clean, jobs, mentions, posts, runs
from listener.tables.alerting import Matchers
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders import digest
from stakeholders.case import assign, close, record
from stakeholders.casework.draft import submit, write
from stakeholders.casework.mentioning import write_note
from stakeholders.casework.step import NotPossible
from stakeholders.casework.ticket import set_ticket
from stakeholders.desk import Desk
from stakeholders.edition import running
from stakeholders.inbox import Filters
from stakeholders.letters.letter import write_letter
from stakeholders.lists.attention import look
from stakeholders.lists.view import save_view
from stakeholders.outbox.silences import add_silence
from stakeholders.store import alerts, case_mentions, cases, spikes
from tests.pages.conftest import Instance
from tests.pages.conftest import fill as fill_usual

MARK = "zq"  # every hostile text holds it with its number: where it shows, a stranger speaks

# {T} is the address of a listening tracker; nothing may ever ask it for anything.
_TEXTS = (
    "<script>window.__hit=1</script>",
    "<script src={T}/s.js></script>",
    "<ScRiPt>window.__hit=1</sCrIpT>",
    "<img src={T}/i.png onerror=window.__hit=1>",
    "<img/src='{T}/j.png'/onload=window.__hit=1>",
    '"><img src=x onerror="window.__hit=1">',
    "' onmouseover='window.__hit=1' autofocus onfocus='window.__hit=1",
    "<svg onload=window.__hit=1><image href={T}/v.png /></svg>",
    "<svg><style>@import '{T}/v.css';</style></svg>",
    "<iframe src={T}/frame srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<object data={T}/o></object><embed src={T}/e>",
    "<video autoplay src={T}/v.mp4 onerror=window.__hit=1></video><audio src={T}/a.ogg autoplay>",
    "<link rel=stylesheet href={T}/l.css><link rel=prefetch href={T}/p>",
    "<meta http-equiv=refresh content='0;url={T}/m'><base href={T}/>",
    "<form action={T}/f><button autofocus formaction=javascript:window.__hit=1>ok</button></form>",
    "<style>:root{--zz:1}*{background:url({T}/bg.png)!important}</style>",
    "</style><script>window.__hit=1</script><style>",
    "</textarea><script>window.__hit=1</script>",
    "</title></script></bdi></div></td></table><plaintext>",
    "<!-- <script>window.__hit=1</script> --><![CDATA[<script>window.__hit=1</script>]]>",
    "![x]({T}/md.png) ![y][r]\n\n[r]: {T}/ref.png",
    "[clic](javascript:window.__hit=1) [otro](data:text/html,<script>parent.__hit=1</script>)",
    "<a href='javascript:window.__hit=1'>x</a><a href='data:text/html;base64,PHNjcmlwdD4='>y</a>",
    "<{T}/auto> https://user:pass@t.example/ javascript:window.__hit=1",
    ":red[rojo] :blue-background[azul] :small[chico] :rainbow[todo]",
    ":material/delete: :streamlit: :smile: :shield:",
    "**negrita** _cursiva_ ~~tachada~~ `codigo` # titulo\n\n- lista\n1. uno\n> cita\n\n---",
    "$x^2$ $$\\href{javascript:window.__hit=1}{y}$$ \\(z\\) \\url{{T}/tex}",
    "| a | b |\n|---|---|\n| ![t]({T}/cell.png) | c |",
    "```html\n<script>window.__hit=1</script>\n```",
    "\u202egnp.exe\u202c \u2066oculto\u2069 \u2067atras\u2069 \u202dfijo",
    "\u200b\u200b\u200c\u200d\u2060\ufeff\u00ad invisible\u200b \u180e\u115f",
    "Z" + "\u0335\u0321\u0316\u0301\u0489" * 60 + "algo" + "\u0e47" * 60,
    "A" * 10_000,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 80,
    "&lt;script&gt;window.__hit=1&lt;/script&gt; &#60;img src={T}/e.png&#62; &amp;lt; &nbsp;&NewLine;",
    "&#x202e; &colon; javascript&colon;window.__hit=1",
    "NULL null None undefined NaN true -1 0x0 1e999 ../../etc/passwd %00",
    "\x00\x01\x07\x08\x0b\x0c\x1b[31mrojo\x1b[0m\x7f\x85\x9b",
    "{x} {0} {{7*7}} {% raw %} ${7*7} #{7*7} <%= 7*7 %>",
    "%s %n %d %(who)s %% %",
    '=HYPERLINK("{T}/csv","x") ',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0 \t=1+1",
    "שלום עולם <b>مرحبا بالعالم</b> 123 !",
    "\\3c script\\3e window.__hit=1 expression(window.__hit=1) url({T}/css) \\0000",
    "';window.__hit=1;//\\';window.__hit=1;//\"-window.__hit=1-\"",
    "\ud800 \ufffd \ufffe \U000e0041\U000e0042 \ue000 \u2028\u2029",
    "<details open ontoggle=window.__hit=1><marquee onstart=window.__hit=1><math><mtext><zq-x onclick=window.__hit=1>",
)
CONFIG = """
[sources.rss]
kind = "file"
path = "rss.jsonl"
[people."PERSON"]
mail = "person@example.org"
[[digests]]
name = "care"
to = ["mail:care.lead@example.org"]
cadence = "daily"
departments = ["customer_care"]
"""


def hostile(tracker: str) -> list[str]:
    """Give the fifty texts, each with its mark and number in front and behind."""
    return [f"{MARK}{n:02} {text.replace('{T}', tracker)} {MARK}{n:02}" for n, text in enumerate(_TEXTS)]


@dataclass(frozen=True)
class Strangers:
    """Hold a filled instance, the hostile texts and the cases that show the most of them."""

    instance: Instance
    texts: Sequence[str]
    cases: dict[str, int]  # worked on | signing | closed | crisis | many


def fill(folder: Path, tracker: str, port: int) -> Strangers:
    """Write a config and a store: the usual posts, fifty hostile ones, and colleagues who write the same."""
    usual = fill_usual(folder, tracker)
    texts = hostile(tracker)
    usual.store.close()
    config = _configure(folder, texts, port)
    store = Store(config.store_url)
    now = datetime.now(UTC)
    with store.write() as connection:
        _hear(connection, config, texts, tracker, now)
    desk = Desk(config)
    while True:
        with store.read() as connection:
            pending = desk.pending(connection, 100)
        if not pending:
            break
        with store.write() as connection:
            desk.settle(connection, pending, now)
    with store.write() as connection:
        made = _work(connection, config, texts, now)
        _fail(connection, texts, now)
        for name in (None, "care"):
            digest.keep(connection, config, running(config, name, None, now), now)
    with store.read() as connection:
        _post(connection, config, folder / "letters", tracker, now)
    return Strangers(Instance(folder, config, store), texts, made)


def _configure(folder: Path, texts: Sequence[str], port: int) -> Config:
    path = folder / "config.toml"
    words = path.read_text("utf-8")
    words = words.replace('"Jorge Huamán"', f'"Jorge Huamán", {_toml(texts[24][:60])}, {_toml(texts[3])}')
    words = words.replace('name = "Brisatel"', f"name = {_toml('Brisatel ' + texts[26][:20])}")
    words += CONFIG.replace('"PERSON"', _toml(texts[5]))
    words += f'[server]\nport = {port}\nurl = "http://127.0.0.1:{port}"\n'
    words += 'secret = "a-secret-of-tests-0123456789-0123456789"\n'
    path.write_text(words, "utf-8")
    return load(path, {}, secrets=False)


def _toml(text: str) -> str:
    return json.dumps(text)


def _hear(connection: Connection, config: Config, texts: Sequence[str], tracker: str, now: datetime) -> None:
    """Store a post of each text, which stands in all that a platform tells; and judge it."""
    matcher = Matcher(config.brands)
    found = []
    for n, text in enumerate(texts):
        urls = (
            "javascript:window.__hit=1",
            f"data:text/html,<script>parent.__hit=1</script>{MARK}",
            f'{tracker}/post"onmouseover="window.__hit=1',
            f"https://[zq{n}",
        )
        url = urls[n % len(urls)]
        author = Author(text, text, f"id{n}{text}"[:400], text, url, n % 2 == 0, n * 1000)
        # Some stand in one thread: the page of its case lists the others.
        thread = "one thread" if n in (3, 20, 24, 33) else f"{n}{text}"
        source = "social" if n % 7 else f"src{text}"[:300]
        told = {"avatar": f"{tracker}/a.png", "image": f"{tracker}/b.png", "place": text, "tags": [text], text: text}
        post = Post(
            source, f"h{n}{text}"[:400], f"Nítido {text} sin señal", now - timedelta(minutes=3 * n + 1), author, url,
            text[:60], text[:20], text[:400], thread[:400], Metrics(n, None, 0, 3), None, told,
        )  # fmt: skip
        found.append(post)
    for source in sorted({post.source for post in found}):
        some = [post for post in found if post.source == source]
        heard = [mention for post in some for mention in matcher.mentions(post)]
        save_page(connection, source, some, heard, [Rejected(one, one, one) for one in texts], "1", now)
    query = sa.select(mentions.c.id, posts.c.text).join(posts).where(posts.c.native_id.like("h%"))
    judged = []
    for row in connection.execute(query):
        n = next(one for one, text in enumerate(texts) if f"{MARK}{one:02}" in row.text)
        why = (reason("it says «{quote_words}»", quote_words=clean(texts[n]) or ""),)
        intent = ("complaint", "question", "legal_threat", "complaint")[n % 4]
        dimension = ("products_services", "governance", "workplace", "innovation")[n % 4]
        polarity = ("negative", "neutral", "positive")[n % 3]
        heads = [Label(name, 0.4 + n / 100, why, unsure=n % 5 == 0) for name in (polarity, dimension, intent)]
        judged.append((row.id, Verdict(Label("true", 0.99, why), *heads, "test")))
    save_verdicts(connection, judged, now)


def _work(connection: Connection, config: Config, texts: Sequence[str], now: datetime) -> dict[str, int]:
    """Let colleagues write the same into all that they can write; give the cases by what they show."""
    desk = Desk(config)
    tables = case_mentions.join(mentions, mentions.c.id == case_mentions.c.mention_id).join(posts)
    query = sa.select(case_mentions.c.case_id, mentions.c.id.label("mention_id"), posts.c.text).select_from(tables)
    opened: dict[int, tuple[int, int]] = {}
    for row in connection.execute(query.where(posts.c.native_id.like("h%"))):
        opened[next(n for n in range(len(texts)) if f"{MARK}{n:02}" in row.text)] = row.case_id, row.mention_id
    many, worked, done = (opened[n][0] for n in (24, 7, 10))
    regulator = sa.select(case_mentions.c.case_id).select_from(tables).where(posts.c.native_id == "p0")
    signing = int(connection.execute(regulator).scalar_one())
    for n, text in enumerate(texts):
        case_id = (many, worked)[n % 2]
        write_note(connection, config, case_id, text, now, f"{text} @Ana Flores")
        if n % 5 == 0:
            _try(lambda text=text: save_view(connection, text[:80], text, Filters(q=text[:80]), now, shared=True))
    for n in (3, 5, 24, 30, 32, 33, 34, 45):
        case_id, mention_id = opened[n]
        assign(connection, case_id, texts[n], now, texts[n])
        desk.correct(connection, mention_id, "dimension", "workplace", texts[n], now)
        look(connection, texts[n], case_id, 1, now + timedelta(seconds=50))
        address = f'https://t.example/{MARK}"><img>'
        set_ticket(connection, case_id, texts[n][:90], address, texts[n], now)
    for case_id in (worked, many):
        write(connection, case_id, texts[3], now, "\n".join(text[:300] for text in texts)[:4000], "es")
    write(connection, signing, texts[26], now, texts[26] + texts[20], "es")
    submit(connection, config, signing, texts[26], now)
    write_note(connection, config, done, texts[3], now, texts[5])
    close(connection, done, texts[3], now, texts[4])
    _silence(connection, config, texts, now)
    return {"worked on": worked, "signing": signing, "closed": done, "many": many} | {
        "crisis": _crisis(connection, texts, now)
    }


def _try(step: Any) -> None:
    with suppress(NotPossible):  # then it cannot stand on a page either
        step()


def _silence(connection: Connection, config: Config, texts: Sequence[str], now: datetime) -> None:
    for text in (texts[3], texts[24], texts[33]):
        add_silence(
            connection, config, text, text, Matchers(department=["communications"]), now, now + timedelta(hours=2), now
        )


def _crisis(connection: Connection, texts: Sequence[str], now: datetime) -> int:
    parts = [
        reason("{count} mentions since {quote_since}, {low} to {high} were expected", count=61, quote_since="09:00",
               low=2, high=9),
        *(reason("they say «{quote_words}»", quote_words=text) for text in texts[:8]),
    ]  # fmt: skip
    row = {
        "key": "crisis:nitido:1", "brand": "nitido", "department": "network_quality", "copies": ["communications"],
        "priority": "alert", "rank": 0, "stakeholder": "customer", "status": "new", "kind": "crisis",
        "opened_at": now, "due_at": now + timedelta(hours=1), "version": 1,
    }  # fmt: skip
    number = int(connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one())
    record(connection, number, now, "escucha", "opened", None, {"department": "network_quality"})
    spike = {"brand": "nitido", "measure": "all", "hour": int(now.timestamp() // 3600) - 2, "found_at": now}
    spike |= {"observed": 61, "expected": 5.2, "low": 2.4, "high": 8.6, "sample": 24, "case_id": number}
    spike["cause"] = {
        "parts": to_json(parts), "words": list(texts[:8]), "source": texts[24], "country": texts[3], "texts": 40,
    }  # fmt: skip
    connection.execute(spikes.insert().values(**spike))
    return number


def _fail(connection: Connection, texts: Sequence[str], now: datetime) -> None:
    """Write what a source and a stage told when they failed."""
    same = {"started_at": now, "finished_at": now, "posts": 0, "new": 0, "mentions": 0, "rejected": 0}
    rows = [{"source": "broken", "outcome": "unreadable", "error": clean(text), **same} for text in texts]
    connection.execute(runs.insert(), rows)
    held = [{"name": CYCLE, "next_due": now, "failures": 3, "error": texts[3], "holder": texts[24]}]
    add_or_update(connection, jobs, held, ("name",))


def _post(connection: Connection, config: Config, folder: Path, tracker: str, now: datetime) -> None:
    """Put mails into the demo's sink: those that the outbox holds, and one whose markup itself is hostile."""
    folder.mkdir()
    for n, (letter, _) in enumerate(letters(connection, config, now)):
        (folder / f"{n}.eml").write_bytes(letter.as_bytes())
    evil = EmailMessage()
    evil["To"], evil["Subject"] = "care@example.org", f"{MARK}99 <script>window.__hit=1</script>"
    evil.set_content("plain")
    markup = f'<h1>{MARK}99</h1><img src="{tracker}/mail.png"><script>parent.__hit=1</script><a href="{tracker}">x</a>'
    evil.add_alternative(
        markup + f"<style>@import '{tracker}/m.css';</style><iframe src={tracker}></iframe>", subtype="html"
    )
    (folder / "evil.eml").write_bytes(evil.as_bytes())


def letters(connection: Connection, config: Config, now: datetime) -> Iterator[tuple[EmailMessage, str]]:
    """Word what waits in the outbox, one of each kind and of each hostile text at most; with its HTML."""
    from stakeholders.channels.mail import build

    seen: set[str] = set()
    for row in connection.execute(sa.select(alerts).where(alerts.c.channel == "mail").order_by(alerts.c.id)):
        if len(seen) >= 40 and row.kind in seen:
            continue
        seen |= {row.kind, str(row.case_id)}
        message = write_letter(connection, config, row, now)
        yield build(message, config), message.html or ""
