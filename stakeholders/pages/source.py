"""Write one source as a row that opens: its state and two weeks at a glance, everything known about it below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from listener.budget import describe
from listener.failure import worded
from listener.gaps import Gap
from listener.health import STATES, Health
from listener.reason import N_
from stakeholders.counting.period import Period
from stakeholders.pages import marks, strip
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["row"]

_LOOKS = {
    "connected": ("good", "●"), "silent": ("slow", "◍"), "late": ("slow", "◐"), "failed": ("bad", "✕"),
    "waiting": ("slow", "◔"), "stopped": ("bad", "■"), "not installed": ("bad", "✕"),
    "not connected": ("off", "○"), "never asked": ("off", "◌"),
}  # fmt: skip
_OUTCOMES = {
    "limited": N_("The platform asked to wait; it will be asked again by itself."),
    "not allowed": N_("The key is wrong, has expired, or the plan is too small. Renew it and restart."),
    "unreachable": N_("The platform does not answer. It is tried again by itself."),
    "unreadable": N_("What came is not what the platform promises. Nothing of it was counted."),
    "refused": N_("The address is not on the list of hosts that Escucha may reach ([egress] in config.toml)."),
    "stuck": N_("The platform keeps the line open and says nothing. It is left alone until it does."),
    "not installed": N_("Install it and restart; until then nothing of this source is heard."),
    "budget": N_("It goes on with the next month, or when its amount in [budget.monthly] is raised."),
}
_LISTENS = {"stream": N_("listens to a stream"), "webhook": N_("the platform calls us")}


def row(
    scene: Scene, one: Health, found: Sequence[Gap], brought: Mapping[date, int], period: Period, now: datetime
) -> str:
    """Write a connected source; one that needs attention stands open."""
    style, shape = _LOOKS.get(one.state, ("off", "○"))
    if one.state == "never asked":
        found = [Gap(one.source, period.start, now, "never asked")]
    kind = f' <span class="e-muted">{escape(one.kind)}</span>' if one.kind != one.source else ""
    word = escape(scene.t(STATES[one.state]))
    name = (
        f'<span class="name"><b>{escape(one.source)}</b>{kind}'
        f'<span class="e-state {style}"><span aria-hidden="true">{shape}</span> {word}</span></span>'
    )
    count = escape(scene.t(N_("not known")))
    if one.posts_24h is not None:
        count = f"<b>{marks.number(scene, one.posts_24h)}</b>"
    if one.posts_24h == 0 and one.state == "silent":
        doubt = escape(scene.t(N_("Its zero may not be a zero.")))
        count = f'<span class="e-unsure" title="{doubt}"><b>0</b> ?</span>'
    newest = marks.ago(scene, one.newest, now) if one.newest else escape(scene.t(N_("none yet")))
    heard = marks.ago(scene, one.last_ok, now) if one.last_ok else escape(scene.t(N_("never")))
    label, last, answer = (
        escape(scene.t(words)) for words in (N_("last 24 h"), N_("last new post"), N_("last answer"))
    )
    summary = (
        f"<summary>{name}{strip.draw(scene, found, brought, period, now)}"
        f'<span class="n"><span class="lab">{label}</span> {count}</span>'
        f'<span class="n"><span class="lab">{last}</span> {newest}</span>'
        f'<span class="n"><span class="lab">{answer}</span> {heard}{_soon(scene, one, now)}</span></summary>'
    )
    facts = "".join(f"<dt>{escape(title)}</dt><dd>{value}</dd>" for title, value in _facts(scene, one, now))
    body = f'<dl class="e-facts two own">{facts}</dl>'
    if found and one.state != "never asked":
        title = escape(scene.t(N_("Not heard in the last 14 days")))
        body += f'<p class="e-sub">{title}</p>{strip.list_gaps(scene, found)}'
    is_open = " open" if one.state not in ("connected", "never asked", "waiting") else ""
    return f'<details class="e-source {style}"{is_open}>{summary}{_told(scene, one, now)}{body}</details>'


def _soon(scene: Scene, one: Health, now: datetime) -> str:
    """Say when it is asked next, and how many requests are left where the platform tells."""
    told = ""
    if one.held is not None:
        told = scene.t(N_("being asked right now"))
    elif one.next_due is not None:
        soon = one.next_due > now
        told = (
            scene.t(N_("next in {span}"), span=marks.span(scene, one.next_due - now))
            if soon
            else scene.t(N_("due now"))
        )
    lines = [told] if told else []
    if one.quota is not None and one.quota.left is not None:
        lines.append(scene.t(N_("requests left: {n}"), n=marks.number(scene, one.quota.left)))
    return "".join(f'<span class="e-muted">{escape(line)}</span>' for line in lines)


def _told(scene: Scene, one: Health, now: datetime) -> str:
    """Say in plain words what is wrong, and what to do."""
    lines: list[str] = []
    if one.state in ("failed", "waiting", "not installed"):
        known = _OUTCOMES.get(one.last_outcome or "", N_("The last poll failed. It is tried again by itself."))
        lines.append(escape(scene.t(known)))
        if one.resting:
            rests = N_("It failed {n} times in a row, so it is asked less often until it answers.")
            lines.append(escape(scene.t(rests, n=marks.number(scene, one.failures))))
    elif one.state == "stopped" and one.budget is not None:
        lines.append(f"<b>{escape(describe(one.budget, scene.lang))}</b>. {escape(scene.t(_OUTCOMES['budget']))}")
    elif one.state == "late" and one.behind is not None:
        late = N_(
            "It has been due for {span} and nobody has begun. Is the clock running? (escucha serve or escucha run)"
        )
        lines.append(escape(scene.t(late, span=marks.span(scene, one.behind))))
    elif one.state == "never asked":
        lines.append(escape(scene.t(N_("It is asked when the clock runs: escucha serve or escucha run."))))
    if one.silence is not None and one.state == "silent":
        silent = N_(
            "It answers and has brought nothing new for {span}; at these hours it usually does {n} times. Look for the "
            "brand on the platform itself: a search, a permission or an address may have changed without an error."
        )
        span = marks.span(scene, now - one.silence.since)
        lines.append(escape(scene.t(silent, span=span, n=marks.number(scene, one.silence.expected))))
    told = "".join(f'<p class="e-say">{line}</p>' for line in lines)
    if one.error and one.state in ("failed", "waiting", "not installed"):
        told += f'<div class="e-raw">{escape(worded(one.error, scene.lang)[:600])}</div>'
    return told


def _facts(scene: Scene, one: Health, now: datetime) -> list[tuple[str, str]]:
    every = scene.t(N_("every {span}"), span=marks.span(scene, one.every))
    last = marks.ago(scene, one.last_ok, now) if one.last_ok else escape(scene.t(N_("never")))
    facts = [(scene.t(N_("Last answer")), last), (scene.t(N_("Next")), _next(scene, one, now, every))]
    if one.listens in _LISTENS:
        facts.append((scene.t(N_("How")), escape(scene.t(_LISTENS[one.listens]))))
    if one.lag is not None:
        late = scene.t(N_("{span} after publication"), span=marks.span(scene, one.lag))
        facts.append((scene.t(N_("Usual delay")), escape(late)))
    if one.posts_total is not None:
        facts.append((scene.t(N_("Posts in all")), marks.number(scene, one.posts_total)))
    if one.quota is not None and one.quota.left is not None:
        facts.append((scene.t(N_("Requests left")), _quota(scene, one, now)))
    if one.budget is not None:
        facts.append((scene.t(N_("Budget")), _budget(scene, one)))
    if one.sweep is not None:
        facts.append((scene.t(N_("Removed posts")), _sweep(scene, one, now)))
    if one.quarantined:
        facts.append((scene.t(N_("Set aside")), marks.number(scene, one.quarantined)))
    return facts


def _next(scene: Scene, one: Health, now: datetime, every: str) -> str:
    if one.held is not None:
        return escape(scene.t(N_("being asked right now")) + " · " + every)
    if one.next_due is None:
        return escape(every)
    if one.next_due <= now:
        return escape(scene.t(N_("due now")) + " · " + every)
    return escape(scene.t(N_("in {span}"), span=marks.span(scene, one.next_due - now)) + " · " + every)


def _quota(scene: Scene, one: Health, now: datetime) -> str:
    quota = one.quota
    assert quota is not None
    words = marks.number(scene, quota.left)
    if quota.limit is not None:
        words = scene.t(N_("{left} of {all}"), left=words, all=marks.number(scene, quota.limit))
    if quota.resets_at is not None and quota.resets_at > now:
        words += " · " + scene.t(N_("new ones in {span}"), span=marks.span(scene, quota.resets_at - now))
    return escape(words)


def _budget(scene: Scene, one: Health) -> str:
    assert one.budget is not None
    share = one.budget.share
    words = escape(describe(one.budget, scene.lang))
    if share is None:
        return words
    full = {"ok": "", "warning": " slow", "stopped": " bad"}[one.budget.state]
    bar = f'<span class="e-bar{full}" aria-hidden="true"><i style="width:{min(100, round(100 * share))}%"></i></span>'
    return bar + words


def _sweep(scene: Scene, one: Health, now: datetime) -> str:
    sweep = one.sweep
    assert sweep is not None
    if sweep.error:
        return escape(worded(sweep.error, scene.lang)[:200])
    if sweep.oldest is None or sweep.last_ok is None:
        return escape(scene.t(N_("not looked for yet")))
    words = N_("each post looked for within the last {span}")
    return escape(scene.t(words, span=marks.span(scene, now - sweep.oldest)))
