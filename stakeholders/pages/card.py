"""Write one mention as HTML: the post as text, who wrote it, what the judges said, where it was sent and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from listener.mention import Author, Mention
from listener.reason import N_, Reason
from listener.taxonomy import Department
from sentiment.verdict import HEADS, Label, Verdict
from stakeholders.chronicle import HAPPENED
from stakeholders.decision import Decision
from stakeholders.dossier import Event
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape, handle, highlight, web_link

__all__ = ["HEAD_WORDS", "author_facts", "corrections", "events", "labels", "post", "route"]

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


def post(scene: Scene, mention: Mention, now: datetime, *, masked: bool = False) -> str:
    """Write a post with its author; `masked` leaves the author out (an employee is never named to human resources)."""
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
    words = highlight(said.text, mention.terms)
    return f'<article class="e-card"><div class="e-by">{line}</div><div class="e-post">{words}</div>{foot}</article>'


def _name(scene: Scene, author: Author, *, masked: bool) -> str:
    if masked:
        return escape(scene.t(N_("author withheld")))
    if author.handle:
        return f"<bdi>{escape(handle(author.handle))}</bdi>"
    return f"<bdi>{escape(author.name)}</bdi>" if author.name else escape(scene.t(N_("author not told")))


def author_facts(scene: Scene, author: Author, *, masked: bool = False) -> str:
    """Write what the platform publicly tells of an account."""
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
    return _list(scene, facts)


def _list(scene: Scene, facts: Iterable[tuple[str, str]], style: str = "e-facts") -> str:
    lines = "".join(f"<dt>{escape(scene.t(name))}</dt><dd>{value}</dd>" for name, value in facts)
    return f'<dl class="{style}">{lines}</dl>' if lines else ""


def labels(scene: Scene, verdict: Verdict | None, speaker: Label | None) -> str:
    """Write every label with how sure it is and why; `unsure` and a person's correction are said in words."""
    if verdict is None:
        return f'<p class="e-sub">{escape(scene.t(N_("waiting to be judged")))}</p>'
    found: list[tuple[str, Label]] = [("relevant", verdict.relevant)] if verdict.relevant.name != "true" else []
    if speaker is not None:
        found.append(("stakeholder", speaker))
    found.extend((head, getattr(verdict, head)) for head in HEADS if head != "relevant")
    facts = []
    for head, label in found:
        if head == "sentiment":
            word = marks.mood(scene, label.name)
        elif head == "relevant":
            word = escape(scene.t(N_("yes")) if label.name == "true" else scene.t(N_("no")))
        else:
            word = escape(scene.t("{name}", name=label.name))
        facts.append((HEAD_WORDS[head], f"<b>{word}</b>{_sure(scene, label)}{marks.reasons(scene, label.because)}"))
    return _list(scene, facts)


def _sure(scene: Scene, label: Label) -> str:
    if label.confidence >= 1 and not label.because:
        return f' <span class="e-tag">{escape(scene.t(N_("by a person")))}</span>'
    return marks.confidence(scene, label.confidence, unsure=label.unsure)


def corrections(scene: Scene, decision: Decision | None) -> str:
    """Write what people corrected, where both values stay to be seen, and what they found right."""
    lines = []
    for one in decision.corrections if decision is not None else ():
        old, new = scene.t("{name}", name=one.before), scene.t("{name}", name=one.after)
        head = escape(scene.t(HEAD_WORDS.get(one.head, one.head)))
        change = f"<s>{escape(old)}</s> → <b>{escape(new)}</b>"
        if one.before == one.after:
            change = f"<b>{escape(new)}</b> ✓ {escape(scene.t(N_('right as it was')))}"
        lines.append(f"<li>{head}: {change} · <bdi>{escape(one.who)}</bdi>, {marks.clock(scene, one.at)}</li>")
    return f'<ul class="e-why e-plain">{"".join(lines)}</ul>' if lines else ""


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
        who = "Escucha" if one.who == "escucha" else one.who
        lines.append(
            f"<li>{marks.clock(scene, one.at)}<span><b>{words}</b> · <bdi>{escape(who)}</bdi>"
            f"{f'<br>{change}' if change else ''}</span></li>"
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
    if key in ("note", "owner", "ticket", "url"):
        return f'<bdi dir="auto">{escape(value)}</bdi>'
    return f"<bdi>{escape(scene.t(_WAYS.get(value, '{name}'), name=value))}</bdi>"
