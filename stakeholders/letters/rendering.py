"""Render a digest: its figures in words, laid out as HTML, text or PDF; the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from listener.config import Config
from stakeholders.counting.figures import Figures
from stakeholders.counting.load import Load
from stakeholders.counting.sealed import seal, to_json
from stakeholders.letters import charts
from stakeholders.letters.blocks import Block, Outline, Sentence
from stakeholders.letters.headline import sentences
from stakeholders.letters.outline import lay_out
from stakeholders.letters.quote import veil_quote, veil_words
from stakeholders.letters.worksheet import lay_out_load, load_sentences
from stakeholders.wording import Wording

__all__ = ["Digest", "digest_of", "draw", "html_of", "plain_figures", "render_html", "render_pdf", "render_text"]


@dataclass(frozen=True)
class Digest:
    """Hold a digest: all figures, the headline, who reads it, and the seal of the figures."""

    figures: Figures | Load
    headline: tuple[Sentence, ...]
    wording: Wording
    url: str
    instance: str
    hash: str  # same data, same hash
    veil: Callable[[str], str] | None = None  # what strangers' words pass for readers outside; None: they are whole

    @property
    def label(self) -> str:
        """Name the stretch of time: "2026-W46", or "2026-11-22"."""
        return self.figures.label if isinstance(self.figures, Load) else self.figures.week

    @property
    def outline(self) -> Outline:
        """Word the letter."""
        told = {"url": self.url, "instance": self.instance, "seal": self.hash}
        if isinstance(self.figures, Load):
            laid = lay_out_load(self.figures, self.wording, **told)
        else:
            laid = lay_out(self.figures, self.headline, self.wording, **told)
        return laid if self.veil is None else _veiled(laid, self.veil)


def _veiled(laid: Outline, veil: Callable[[str], str]) -> Outline:
    """Let every word of a stranger in a letter pass a veil."""

    def hide(block: Block) -> Block:
        said = veil_quote(block.quote, veil) if block.quote else ""
        return replace(block, quote=said, words=veil_words(block.words, veil))

    sections = tuple(replace(one, blocks=tuple(map(hide, one.blocks))) for one in laid.sections)
    return replace(laid, sections=sections, sentences=tuple(map(hide, laid.sentences)))


def digest_of(config: Config, figures: Figures | Load, lang: str, sealed: str | None = None) -> Digest:
    """Head figures with their sentences and seal them; `sealed` is the seal of what was kept, else it is made."""
    instance = config.settings.instance
    wording = Wording(lang, instance.country, config.zone)
    headline = load_sentences(figures) if isinstance(figures, Load) else sentences(figures)
    return Digest(figures, headline, wording, config.public_url, instance.name, sealed or seal(figures))


def plain_figures(digest: Digest) -> dict[str, Any]:
    """Give the figures as plain JSON, as the archive keeps them."""
    return to_json(digest.figures)


def render_html(digest: Digest, inline: Literal["cid", "data"] = "data") -> str:
    """Write the letter as one HTML page without remote content; pictures by content id for mail, or inside the page."""
    return html_of(digest, draw(digest), inline)


def render_text(digest: Digest) -> str:
    """Write the letter as plain text; charts are given in words."""
    from stakeholders.letters.letter import render

    return render("digest.txt.j2", letter=digest.outline)


def render_pdf(digest: Digest) -> bytes:
    """Write the letter as a PDF on A4 whose first page takes five minutes; the same figures give the same bytes."""
    from stakeholders.letters.handout import print_letter

    return print_letter(digest.outline, draw(digest), digest.wording.lang, digest.figures.end)


def html_of(digest: Digest, pictures: dict[str, bytes], inline: Literal["cid", "data"]) -> str:
    """Write the HTML page around pictures that are drawn already."""
    from base64 import b64encode

    from stakeholders.letters.letter import render

    sources = {
        name: f"cid:{name}" if inline == "cid" else "data:image/png;base64," + b64encode(body).decode("ascii")
        for name, body in pictures.items()
    }
    return render(
        "digest.html.j2", letter=digest.outline, pictures=sources, lang=digest.wording.lang, width=charts.WIDTH
    )


def draw(digest: Digest) -> dict[str, bytes]:
    """Draw the pictures that the outline asks for, by name."""
    figures, wording = digest.figures, digest.wording
    if isinstance(figures, Load):
        return {}
    wanted = {block.name for section in digest.outline.sections for block in section.blocks if block.kind == "picture"}
    drawn = {}
    if "volume" in wanted:
        drawn["volume"] = charts.draw_volume(figures.days, wording)
    if "shares" in wanted:
        drawn["shares"] = charts.draw_shares(figures.shares, figures.names, figures.brand, wording)
    if "voices" in wanted:
        drawn["voices"] = charts.draw_voices(figures.spoke, wording)
    return drawn
