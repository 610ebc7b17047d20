"""Show how the instance is set, read-only: faults, who is told and on duty, silences, rules in words, registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import BaseModel, SecretStr

from listener.config import load
from listener.errors import ConfigError, Fault
from listener.fold import fold
from listener.reason import N_
from listener.taxonomy import Department
from stakeholders.deciding.order import describe_order
from stakeholders.deciding.rules import rules_of
from stakeholders.desk import Desk
from stakeholders.outbox.rota import next_change, on_duty
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene, list_people
from stakeholders.pages.silencing import show_silences
from stakeholders.pages.text import escape
from stakeholders.registry import Entry, Registry
from stakeholders.registry import load as load_registry

__all__ = ["show"]

_SHOWN = 40  # entries of the registry at a time
_ELSEWHERE = frozenset({"departments", "routes"})  # told in words on this page
_HIDDEN = "•••"
_KEYS = re.compile("secret|token|password|key", re.I)  # keys of sources, which stand here as they were written


def show(scene: Scene) -> None:
    """Draw the page of the settings."""
    now = scene.now
    faults = _read_faults(scene)
    st.html(marks.head(scene.t(N_("Settings")), _line(scene)))
    told = st.session_state.pop("told", None)
    if told is not None:
        style, why = told
        st.html(marks.note(why.say(scene.lang), style))
    st.html(_state(scene, faults))
    st.html(_heading(scene, N_("Who is told, and who is on duty")) + _departments(scene, now))
    st.html(_heading(scene, N_("Silences")))
    show_silences(scene, now)
    _show_registry(scene, now)
    rules = rules_of(scene.config.settings, scene.config.folder)
    steps = "".join(f"<li>{'<br>'.join(map(escape, step))}</li>" for step in _steps(describe_order(rules, scene.lang)))
    st.html(
        _heading(scene, N_("Who answers: the first that fits wins"))
        + f'<div class="e-card"><ol class="e-order">{steps}</ol></div>'
    )
    st.html(_heading(scene, N_("config.toml, as it is read")) + _sections(scene, faults))


def _heading(scene: Scene, words: str) -> str:
    return f'<h2 class="e-h2">{escape(scene.t(words))}</h2>'


def _steps(lines: Iterable[str]) -> list[list[str]]:
    """Gather the lines of a step; its own number is taken away, since the list writes it."""
    steps: list[list[str]] = []
    for line in lines:
        number, dot, words = line.strip().partition(". ")
        if dot and number.isdigit():
            steps.append([words])
        else:
            steps[-1].append(line.strip())
    return steps


def _line(scene: Scene) -> str:
    path = scene.config.path
    name = escape(path.name if path is not None else "config.toml")
    words = scene.t(N_("Read-only: change the file and reload this page."))
    return f"<b>{name}</b> · {escape(words)}"


def _read_faults(scene: Scene) -> Sequence[Fault]:
    """Read the file as it lies there now: a broken one is told here while the last good one goes on."""
    path = scene.config.path
    if path is None:
        return ()
    try:
        load(Path(path), secrets=False)
    except ConfigError as error:
        return error.faults
    return ()


def _state(scene: Scene, faults: Sequence[Fault]) -> str:
    """Say how the file is; each fault stands again beside the table that it is about."""
    if scene.config.path is None:
        return ""
    if not faults:
        return marks.note(scene.t(N_("The file has no faults.")))
    title = scene.t(N_("The file has faults; what was read before goes on until they are mended:"))
    lines = "".join(f"<li>{escape(str(fault))}</li>" for fault in faults)
    return f'<div class="e-note bad" role="alert">{escape(title)}<ul class="e-why">{lines}</ul></div>'


def _departments(scene: Scene, now: datetime) -> str:
    settings = scene.config.settings
    rows = []
    for name, table in settings.departments.items():
        told = ", ".join(table.alert) or scene.t(N_("nobody: communications is told instead"))
        people = ", ".join(list_people([table])) or "—"
        steps = len(table.escalation)
        chain = marks.count(scene, steps, N_("1 step of escalation"), N_("{n} steps of escalation")) if steps else ""
        more = f"<br><span class=e-muted>{escape(chain)}</span>" if chain else ""
        rows.append(
            f"<tr><th scope=row>{escape(scene.t('{department}', department=name))}</th><td>{escape(told)}{more}</td>"
            f"<td>{escape(people)}</td><td>{_duty(scene, name, now)}</td></tr>"
        )
    heads = (N_("Department"), N_("Alerts go to"), N_("People"), N_("On duty"))
    return _table(scene, heads, rows)


def _duty(scene: Scene, name: Department, now: datetime) -> str:
    """Write who of a department is on duty now, and who comes next and when; a dash without a rota."""
    settings = scene.config.settings
    if settings.departments[name].rota is None:
        return '<span class="e-muted">—</span>'
    duty, change = on_duty(settings, name, now), next_change(settings, name, now)
    who = f"<b><bdi>{escape(duty.who)}</bdi></b>" if duty is not None else escape(scene.t(N_("nobody now")))
    if change is None:
        return who
    at, following = change
    when = _moment(scene, at)
    words = scene.t(N_("from {when}: nobody"), when=when)
    if following is not None:
        words = scene.t(N_("from {when}: {quote_who}"), when=when, quote_who=following.who)
    return f'{who}<br><span class="e-muted">{escape(words)}</span>'


def _moment(scene: Scene, when: datetime) -> str:
    """Word a moment of a rota on the clock of its own zone: Mon 23, 22:00."""
    from babel.dates import format_datetime

    return str(format_datetime(when, "EEE d, HH:mm", tzinfo=when.tzinfo, locale=scene.locale))


def _table(scene: Scene, heads: Sequence[str], rows: Sequence[str]) -> str:
    top = "".join(f"<th scope=col>{escape(scene.t(one))}</th>" for one in heads)
    return (
        f'<div class="e-list"><table class="e-table e-stacked"><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _show_registry(scene: Scene, now: datetime) -> None:
    """Let the reader look a body up: who it is, by which accounts and addresses it is known, and since when."""
    st.html(_heading(scene, N_("Registry: known institutions, media and companies")))
    registry = _registry(Desk(scene.config).countries, _extra(scene))
    if "_registry" not in st.session_state:
        st.session_state["_registry"] = st.query_params.get("registry", "")[:80]
    words = st.text_input(
        scene.t(N_("Search by name, account or address")),
        key="_registry",
        placeholder="Osiptel, @indecopi, gob.pe",
        label_visibility="collapsed",
        on_change=_keep_search,
    )
    if not words.strip():
        told = N_("{n} entries. Type a name, an account or an address.")
        many = marks.number(scene, len(registry.entries))
        st.html(f'<p class="e-sub">{escape(scene.t(told, n=many))}</p>')
        return
    found = list(_search(registry, words))
    if not found:
        told = scene.t(N_("No entry answers to this. To add your own: escucha registry import"))
        st.html(f'<p class="e-sub">{escape(told)}</p>')
        return
    rows = [_entry(scene, registry, one, now) for one in found[:_SHOWN]]
    heads = (N_("Name"), N_("Who it is"), N_("Accounts"), N_("Addresses"), N_("Since"))
    st.html(_table(scene, heads, rows))
    if len(found) > _SHOWN:
        told = scene.t(N_("{shown} of {total} shown."), shown=_SHOWN, total=marks.number(scene, len(found)))
        st.html(f'<p class="e-sub">{escape(told)}</p>')


def _keep_search() -> None:
    """Put what is looked for into the address, so that the answer can be shared."""
    words = str(st.session_state.get("_registry") or "").strip()
    if words:
        st.query_params["registry"] = words[:80]
    else:
        st.query_params.pop("registry", None)


def _search(registry: Registry, words: str) -> Iterator[Entry]:
    wanted = fold(words.strip().removeprefix("@"))[:80]
    for entry in registry.entries:
        known = (entry.name, *entry.aliases, *entry.handles, *entry.domains)
        if any(wanted in fold(one) for one in known):
            yield entry


def _entry(scene: Scene, registry: Registry, entry: Entry, now: datetime) -> str:
    country = next((place for one, place in registry.history(name=entry.name) if one == entry), "")
    handles = ", ".join(f"@{one}" for one in entry.handles) or "—"
    ended = ""
    if not entry.holds(now.date()):
        heir = f" → {entry.successor}" if entry.successor else ""
        ended = f'<br><span class="e-muted">{escape(scene.t(N_("no longer holds")) + heir)}</span>'
    who = scene.t("{name}", name=entry.stakeholder)
    return (
        f"<tr><th scope=row>{escape(entry.name)}{ended}</th>"
        f"<td>{escape(who)}{f' · {escape(country)}' if country else ''}</td><td>{escape(handles)}</td>"
        f"<td>{escape(', '.join(entry.domains) or '—')}</td><td>{escape(entry.began())}</td></tr>"
    )


@st.cache_resource(show_spinner=False, max_entries=2)
def _registry(countries: tuple[str, ...], extra: tuple[tuple[Path, float], ...]) -> Registry:
    return load_registry(countries, [path for path, _ in extra])


def _extra(scene: Scene) -> tuple[tuple[Path, float], ...]:
    """Name the team's own files with when they changed, so that a new one is read at once."""
    paths = [scene.config.folder / one for one in scene.config.settings.registry.files]
    return tuple((path, path.stat().st_mtime) for path in paths if path.is_file())


def _sections(scene: Scene, faults: Sequence[Fault]) -> str:
    """Write each table of the file, closed; one with a fault is open and says it in its place."""
    settings = scene.config.settings
    drawn = []
    for name in type(settings).model_fields:
        if name not in settings.model_fields_set or name in _ELSEWHERE:
            continue
        lines = list(_lines(getattr(settings, name), (name,)))
        wrong = [fault for fault in faults if fault.where.partition(".")[0] == name]
        if lines or wrong:
            body = "\n".join(lines)
            said = "".join(f"<li>{escape(str(fault))}</li>" for fault in wrong)
            said = f'<ul class="e-why e-late">{said}</ul>' if said else ""
            count = escape(marks.count(scene, len(lines), N_("1 line"), N_("{n} lines")))
            drawn.append(
                f'<details class="e-toml"{" open" if wrong else ""}><summary><code>[{escape(name)}]</code> '
                f'<span class="e-muted">{count}</span></summary>{said}<pre>{escape(body)}</pre></details>'
            )
    return f'<div class="e-list e-tomls">{"".join(drawn)}</div>'


def _lines(value: Any, place: tuple[str, ...]) -> Iterator[str]:
    """Write what was set as config.toml has it; what was left out is left out here, and secrets stay hidden."""
    if isinstance(value, BaseModel):
        told = {key: getattr(value, key) for key in type(value).model_fields if key in value.model_fields_set}
        told |= {key: _HIDDEN if _KEYS.search(key) else part for key, part in (value.model_extra or {}).items()}
    elif isinstance(value, Mapping):
        told = dict(value)
    else:
        yield f"{'.'.join(place[1:]) or place[0]} = {_plain(value)}"
        return
    for key, part in told.items():
        if isinstance(part, (BaseModel, Mapping)):
            yield from _lines(part, (*place, str(key)))
        elif isinstance(part, (list, tuple)) and part and isinstance(part[0], BaseModel):
            for number, one in enumerate(part, 1):
                yield from _lines(one, (*place, f"{key}[{number}]"))
        else:
            yield f"{'.'.join((*place[1:], str(key)))} = {_plain(part)}"


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f'"{value}"'
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    return str(value)
