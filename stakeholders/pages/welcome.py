"""Guide whoever opens an empty inbox: connect a source, name the brand, see mentions; what is done is ticked."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_
from listener.store import mentions, posts, runs
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["draw_welcome", "is_empty"]


def is_empty(connection: Connection) -> bool:
    """Tell whether nothing was ever heard here."""
    return connection.scalar(sa.select(mentions.c.id).limit(1)) is None


def draw_welcome(scene: Scene, connection: Connection) -> str:
    """Write the three steps of a first visit, each with what to write and whether it is done."""
    sources = [name for name, table in scene.config.settings.sources.items() if table.enabled]
    heard = set(connection.scalars(sa.select(runs.c.source).where(runs.c.outcome == "ok").distinct()))
    read = connection.scalar(sa.select(sa.func.count()).select_from(posts)) or 0
    brands = [brand.name for brand in scene.config.brands]
    steps = (
        _connect(scene, sources, [name for name in sources if name in heard]),
        _name(scene, brands),
        _hear(scene, read, bool(sources)),
    )
    title = escape(scene.t(N_("Welcome: three steps to the first mention")))
    demo = escape(scene.t(N_("To see it at work first, with an invented company:")))
    return (
        f'<section class="e-card e-first-visit"><h2 class="e-h2">{title}</h2><ol>{"".join(steps)}</ol>'
        f'<p class="e-sub">{demo} <code>escucha demo</code></p></section>'
    )


def _step(scene: Scene, title: str, inner: str, *, done: bool) -> str:
    state = scene.t(N_("done")) if done else scene.t(N_("to do"))
    sign = "✓" if done else "○"
    style = ' class="done"' if done else ""
    return (
        f'<li{style}><span class="e-sign" aria-hidden="true">{sign}</span><div><b>{escape(scene.t(title))}</b> '
        f'<span class="e-muted">· {escape(state)}</span>{inner}</div></li>'
    )


def _connect(scene: Scene, sources: list[str], heard: list[str]) -> str:
    title = N_("Connect a source")
    if heard:
        words = scene.t(N_("Heard: {quote_names}"), quote_names=", ".join(heard[:6]))
        return _step(scene, title, f"<p>{escape(words)}</p>", done=True)
    if sources:
        words = scene.t(
            N_("Not heard yet: {quote_names}. See what stands in the way:"), quote_names=", ".join(sources[:6])
        )
        way = wire.link("sources", scene.query(), escape(scene.t(N_("Sources"))) + " →")
        return _step(scene, title, f"<p>{escape(words)} {way} · <code>escucha check</code></p>", done=False)
    words = escape(scene.t(N_("Write a table of it into config.toml; a feed needs no account:")))
    example = escape('[sources.press]\nkind = "rss"\nfeeds = ["https://…"]')
    return _step(scene, title, f"<p>{words}</p><pre>{example}</pre>", done=False)


def _name(scene: Scene, brands: list[str]) -> str:
    title = N_("Name your brand")
    words = scene.t(
        N_("Listening for {quote_names}, with its handles and other names from config.toml."),
        quote_names=", ".join(brands[:6]),
    )
    return _step(scene, title, f"<p>{escape(words)}</p>", done=bool(brands))


def _hear(scene: Scene, read: int, connected: bool) -> str:
    title = N_("See the first mentions")
    if read:
        words = scene.t(
            N_("{n} posts were read, and none of them names the brand. Try what its query finds:"),
            n=marks.number(scene, read),
        )
        return _step(scene, title, f"<p>{escape(words)} <code>escucha query</code></p>", done=False)
    words = scene.t(N_("This page fills by itself while Escucha runs; to ask the sources at once:"))
    if not connected:
        words = scene.t(N_("When a source is connected, ask it at once; afterwards this page fills by itself:"))
    return _step(scene, title, f"<p>{escape(words)} <code>escucha collect</code></p>", done=False)
