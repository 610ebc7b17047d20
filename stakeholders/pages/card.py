"""Write parts of a case as HTML: its post as text, who wrote it, its thread, where it was sent and why, its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from listener.mention import Author, Mention
from listener.reason import N_, Reason
from listener.taxonomy import Department
from stakeholders.casework.chronicle import HAPPENED
from stakeholders.casework.dossier import CaseMention, Event
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, handle, highlight, web_link

__all__ = ["HEAD_WORDS", "author_facts", "events", "post", "route", "thread"]

HEAD_WORDS = {
    "relevant": N_("about the brand"),
    "sentiment": N_("for the brand"),
    "dimension": N_("theme"),
    "intent": N_("what they want"),
    "stakeholder": N_("who speaks"),
}
_WAYS = {
    "thread": N_("of the same thread"),
    "repeat": N_("a copy or repost"),
    "case": N_("to answer"),
    "copy": N_("for information"),
}
_UNTOLD = (
    "mention", "mention_id", "mentions", "rule", "key", "channel", "status", "state", "lang", "template", "named",
    "seal", "lines",
)  # fmt: skip
_CASES = ("case", "into", "from")  # numbers of other cases


def post(
    scene: Scene, mention: Mention, now: datetime, *, masked: bool = False, spoken: Mapping[str, str] | None = None
) -> str:
    """Write a post with its author; `masked` leaves the author out (an employee is never named to human resources).

    `spoken` holds the words that decided a label, for text.highlight.
    """
    said = mention.post
    by = [
        f"<b>{_name(scene, said.author, masked=masked)}</b>",
        escape(scene.source(said.source)),
        marks.ago(scene, said.published_at, now),
    ]
    if not masked:
        by.append(web_link(said.url, scene.t(N_("see the original post"))) if said.url else "")
    counts = [
        (N_("1 like"), N_("{n} likes"), said.metrics.likes),
        (N_("1 reply"), N_("{n} replies"), said.metrics.replies),
        (N_("1 share"), N_("{n} shares"), said.metrics.shares),
        (N_("1 view"), N_("{n} views"), said.metrics.views),
    ]
    told = [escape(marks.count(scene, n, one, many)) for one, many, n in counts if n is not None]
    line = " ".join(f"<span>{part}</span>" for part in by if part)
    foot = f'<div class="e-by">{" ".join(f"<span>{part}</span>" for part in told)}</div>' if told else ""
    words = highlight(said.text, mention.terms, spoken=spoken)
    return f'<article class="e-card"><div class="e-by">{line}</div><div class="e-post">{words}</div>{foot}</article>'


def _name(scene: Scene, author: Author, *, masked: bool) -> str:
    if masked:
        return escape(scene.t(N_("author withheld")))
    if author.handle:
        return f"<bdi>{escape(handle(author.handle))}</bdi>"
    return f"<bdi>{escape(author.name)}</bdi>" if author.name else escape(scene.t(N_("author not told")))


def author_facts(scene: Scene, author: Author, *, masked: bool = False) -> str:
    """Write what the platform publicly tells of an account, in one line; nothing where it tells nothing."""
    if masked:
        words = scene.t(N_("Who wrote this is not shown to human resources: theme and text are enough to act."))
        return f'<p class="e-sub">{escape(words)}</p>'
    facts = []
    if author.name:
        facts.append((N_("name"), f"<bdi>{escape(author.name)}</bdi>"))
    if author.followers is not None:
        facts.append((N_("followers"), marks.number(scene, author.followers)))
    if author.verified is not None:
        facts.append((N_("verified"), escape(scene.t(N_("yes")) if author.verified else scene.t(N_("no")))))
    if author.bio:
        facts.append((N_("profile"), f'<bdi dir="auto">{escape(author.bio[:500])}</bdi>'))
    if author.url:
        facts.append((N_("address"), web_link(author.url, author.url[:80])))
    lines = "".join(f"<div><dt>{escape(scene.t(name))}</dt><dd>{value}</dd></div>" for name, value in facts)
    title = escape(scene.t(N_("Who wrote it")))
    return f'<dl class="e-author" aria-label="{title}">{lines}</dl>' if lines else ""


def thread(scene: Scene, others: Sequence[CaseMention], now: datetime, limit: int = 30) -> str:
    """Write the other posts of a case, oldest first, each a line that opens; nothing where there is none."""
    if not others:
        return ""
    lines = []
    for one in others[:limit]:
        said, judged = one.mention.post, one.verdict
        mood = marks.mood(scene, judged.sentiment.name, unsure=judged.sentiment.unsure) if judged else ""
        who = f"<b>{_name(scene, said.author, masked=one.masked)}</b>"
        line = clip(said.text, one.mention.terms, 110)
        when = marks.ago(scene, said.published_at, now)
        body = post(scene, one.mention, now, masked=one.masked)
        lines.append(
            f"<details><summary><span>{who} {when} {mood}</span> <span>{line}</span></summary>{body}</details>"
        )
    if len(others) > limit:
        more = scene.t(N_("and {n} more"), n=marks.number(scene, len(others) - limit))
        lines.append(f'<p class="e-sub">{escape(more)}</p>')
    title = escape(marks.count(scene, len(others), N_("1 more post in this case"), N_("{n} more posts in this case")))
    return f'<div class="e-thread"><h2>{title}</h2>{"".join(lines)}</div>'


def _list(scene: Scene, facts: Iterable[tuple[str, str]], style: str = "e-facts") -> str:
    lines = "".join(f"<dt>{escape(scene.t(name))}</dt><dd>{value}</dd>" for name, value in facts)
    return f'<dl class="{style}">{lines}</dl>' if lines else ""


def route(
    scene: Scene,
    department: Department,
    copies: Sequence[Department],
    because: Iterable[Reason],
    otherwise: Iterable[Reason],
) -> str:
    """Write who answers, who is copied, why, and what would have changed it."""
    told = f"<b>{escape(scene.t('{name}', name=department))}</b>"
    if copies:
        names = ", ".join(scene.t("{name}", name=name) for name in copies)
        told += f' <span class="e-muted">· {escape(scene.t(N_("copied")))}: {escape(names)}</span>'
    facts = [(N_("answers"), told), (N_("why"), marks.reasons(scene, because))]
    other = marks.reasons(scene, otherwise)
    if other:
        facts.append((N_("what would have changed it"), other))
    return _list(scene, facts, "e-facts tall")


def events(scene: Scene, happened: Iterable[Event], case_id: int) -> str:
    """Write a case's history, newest first: when, who, what, before and after; a merged case's lines name it."""
    lines = []
    for one in happened:
        words = escape(scene.t(HAPPENED.get(one.what, "{name}"), name=one.what))
        if one.case_id != case_id:
            words += f' <span class="e-tag">{escape(scene.t(N_("Case {number}"), number=one.case_id))}</span>'
        change = _change(scene, one.before, one.after)
        if change:
            change = f' <span class="e-change">{change}</span>'
        who = "Escucha" if one.who == "escucha" else one.who
        lines.append(
            f"<li>{marks.clock(scene, one.at)}<span><b>{words}</b> · <bdi>{escape(who)}</bdi>{change}</span></li>"
        )
    return f'<ul class="e-time">{"".join(lines)}</ul>'


def _change(scene: Scene, before: Any, after: Any) -> str:
    if isinstance(after, Mapping) and isinstance(after.get("text"), str):
        return _words(before.get("text") if isinstance(before, Mapping) else None, after["text"])
    old, new = _flat(scene, before), _flat(scene, after)
    if old and new and old != new:
        return f'<span class="e-muted">{old} → </span>{new}'
    return new or old


def _words(old: Any, new: str) -> str:
    """Write a draft's text, folded; what it replaced stands below it, struck through."""
    said = f'<div class="e-said"><bdi dir="auto">{escape(new)}</bdi></div>'
    if isinstance(old, str) and old != new:
        said += f'<div class="e-said"><s><bdi dir="auto">{escape(old)}</bdi></s></div>'
    line = " ".join(new.split())
    line = escape(line if len(line) <= 90 else line[:89] + "…")
    return f'<details class="e-fold"><summary>{line}</summary>{said}</details>'


def _flat(scene: Scene, value: Any, key: str = "") -> str:
    """Write what stands in an event as text; label keys are worded, numbers of rows are left out."""
    if value is None or value == "":
        return ""
    if isinstance(value, Mapping):
        if "sentence" in value:
            return escape(marks.reason(scene, Reason(str(value["sentence"]), dict(value.get("facts", {})))))
        parts = [_flat(scene, part, str(name)) for name, part in value.items() if name not in _UNTOLD]
        return " · ".join(part for part in parts if part)
    if isinstance(value, list):
        return ", ".join(part for part in (_flat(scene, part) for part in value) if part)
    if isinstance(value, str):
        return _said(scene, value, key)
    if isinstance(value, int) and not isinstance(value, bool):
        if key == "with":
            return escape(scene.t(N_("{n} cases in one message"), n=marks.number(scene, value)))
        if key in _CASES:
            return escape(scene.t(N_("Case {number}"), number=value))
        return escape(marks.number(scene, value))
    return escape(value)


def _said(scene: Scene, value: str, key: str) -> str:
    if key == "until":
        try:
            return escape(scene.t(N_("until {when}"), when=marks.moment(scene, datetime.fromisoformat(value))))
        except ValueError:
            return escape(value)
    if key == "relevant":
        return escape(scene.t(N_("yes")) if value == "true" else scene.t(N_("no")))
    if key in ("note", "owner", "ticket", "url"):
        return f'<bdi dir="auto">{escape(value)}</bdi>'
    return f"<bdi>{escape(scene.t(_WAYS.get(value, '{name}'), name=value))}</bdi>"
