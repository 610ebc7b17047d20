"""Draw the pictures of a letter: three calm charts that can be read without colour, each with its figures in words.

PNG at twice the size it is shown at, on a white card of its own, so that it looks right in a dark mail too. The same
figures give the same bytes. matplotlib is used without pyplot, so nothing is kept between two letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from listener.reason import N_
from stakeholders.insight import DayCount, Share, Voice
from stakeholders.wording import Wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "WIDTH",
    "describe_shares",
    "describe_voices",
    "describe_volume",
    "draw_shares",
    "draw_voices",
    "draw_volume",
    "with_interval",
]

WIDTH = 536  # css pixels: the letter's 600 less its margins
_OURS, _CALM, _HARM, _INK, _SOFT = "#0f6b5c", "#8a9a9a", "#b3452c", "#1d2a2c", "#5d6a66"
# Order, fill and hatch each tell the three apart, so that none of it hangs on colour.
_LOOKS: tuple[tuple[str, str, str], ...] = (
    ("negative", _HARM, "////"),
    ("neutral", "#d3dad9", ""),
    ("positive", _OURS, "...."),
)
_SIZE = 11.0  # points at 100 css pixels an inch: still ten pixels high on a telephone
_KEY = {"negative": N_("Harm"), "neutral": N_("Neutral"), "positive": N_("Help")}
_UNKNOWN = N_("not heard")


def describe_volume(days: Sequence[DayCount], wording: Wording) -> str:
    """Say the volume chart in words, with every figure of it."""
    told = []
    for day in days:
        when = wording.short_day(day.day)
        if day.mentions is None:
            told.append(wording.say(N_("{quote_day}: not heard"), quote_day=when))
        else:
            facts = {"mentions": day.mentions, "negative": day.negative, "positive": day.positive}
            told.append(
                wording.say(N_("{quote_day}: {mentions}, {negative} harm, {positive} help"), quote_day=when, **facts)
            )
    return wording.say(N_("Mentions by day.")) + " " + "; ".join(told) + "."


def describe_shares(shares: Sequence[Share], names: Mapping[str, str], wording: Wording) -> str:
    """Say the share-of-voice chart in words, with every figure of it."""
    told = [f"{names.get(share.brand, share.brand)} {with_interval(share, wording)}" for share in shares]
    return wording.say(N_("Share of voice with 95% intervals.")) + " " + "; ".join(told) + "."


def describe_voices(voices: Sequence[Voice], wording: Wording) -> str:
    """Say the chart of who spoke in words, with every figure of it."""
    sentence = N_("{quote_who} {mentions}, {negative} harm, {positive} help")
    told = [
        wording.say(
            sentence,
            quote_who=_who(voice, wording),
            mentions=voice.mentions,
            negative=voice.negative,
            positive=voice.positive,
        )
        for voice in voices
    ]
    return wording.say(N_("Mentions by who spoke.")) + " " + "; ".join(told) + "."


def with_interval(share: Share, wording: Wording) -> str:
    """Write a share with its 95 % interval: «42 % (38–46 %)»."""
    if share.share is None or share.low is None or share.high is None:
        return wording.say(_UNKNOWN)
    low = wording.number(round(share.low * 100))
    return f"{wording.percent(share.share)} ({low}–{wording.percent(share.high)})"


def draw_volume(days: Sequence[DayCount], wording: Wording) -> bytes:
    """Draw mentions by day as stacked bars, harm at the bottom; a day that was not heard is an empty hatched slot."""
    with _look():
        figure, axes = _canvas(262)
        axes.set_position((0.003, 0.13, 0.994, 0.68))
        highest = max((day.mentions or 0 for day in days), default=0) or 1
        for place, day in enumerate(days):
            if day.mentions is None:
                axes.bar(
                    place, highest, 0.62, color="#ffffff", edgecolor="#c3cccb", hatch="xx", linewidth=0.8, linestyle=":"
                )
                words = wording.say(_UNKNOWN).replace(" ", "\n")
                box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 2.0}
                axes.text(place, highest / 2, words, ha="center", va="center", color=_SOFT, size=_SIZE - 1.5, bbox=box)
                continue
            bottom = 0
            for name, fill, hatch in _LOOKS:
                number = getattr(day, name)
                axes.bar(
                    place, number, 0.62, bottom=bottom, color=fill, hatch=hatch, edgecolor="#ffffff", linewidth=0.8
                )
                bottom += number
            axes.text(
                place,
                day.mentions + highest * 0.03,
                wording.number(day.mentions),
                ha="center",
                color=_INK,
                weight="bold",
            )
        many = len(days) > 8
        shown = [wording.short_day(day.day) if not many or place % 7 == 0 else "" for place, day in enumerate(days)]
        axes.set_xticks(range(len(days)), shown, color=_INK)
        axes.tick_params(length=0, pad=5)
        axes.set_xlim(-0.5, max(len(days), 1) - 0.5)
        axes.set_ylim(0, highest * 1.14)
        axes.axhline(0, color=_INK, linewidth=1)
        _key(figure, wording, 0.93)
        return _png(figure)


def draw_shares(shares: Sequence[Share], names: Mapping[str, str], ours: str, wording: Wording) -> bytes:
    """Draw share of voice as bars with their 95 % interval as whiskers; `ours` is the brand that stands out."""
    with _look():
        figure, axes = _canvas(24 + 50 * len(shares))
        axes.set_position((0.003, 0.02, 0.994, 0.96))
        longest = max((share.high or 0.0 for share in shares), default=0.0) or 1.0
        for place, share in enumerate(shares):
            mine = share.brand == ours
            part, low, high = share.share or 0.0, share.low or 0.0, share.high or 0.0
            axes.barh(place, part, 0.4, color=_OURS if mine else _CALM)
            axes.plot([low, high], [place, place], color=_INK, linewidth=1.6, solid_capstyle="butt")
            for edge in (low, high):
                axes.plot([edge, edge], [place - 0.11, place + 0.11], color=_INK, linewidth=1.6)
            weight = "bold" if mine else "normal"
            name = _cut(names.get(share.brand, share.brand), 34)
            axes.text(0, place - 0.29, name, va="bottom", color=_OURS if mine else _INK, weight=weight)
            axes.text(
                longest * 1.02,
                place - 0.29,
                with_interval(share, wording),
                va="bottom",
                ha="right",
                color=_INK,
                weight=weight,
            )
        _rows(axes, len(shares), longest * 1.02)
        return _png(figure)


def draw_voices(voices: Sequence[Voice], wording: Wording) -> bytes:
    """Draw who spoke as stacked bars, harm first, loudest on top, each with its count."""
    with _look():
        height = 62 + 44 * len(voices)
        figure, axes = _canvas(height)
        axes.set_position((0.003, 0.02, 0.994, 0.96 - 44 / height))
        longest = max((voice.mentions for voice in voices), default=0) or 1
        for place, voice in enumerate(voices):
            left = 0
            for name, fill, hatch in _LOOKS:
                number = getattr(voice, name)
                axes.barh(place, number, 0.38, left=left, color=fill, hatch=hatch, edgecolor="#ffffff", linewidth=0.8)
                left += number
            who = _who(voice, wording)
            axes.text(0, place - 0.27, who[:1].upper() + who[1:], va="bottom", color=_INK)
            axes.text(
                longest,
                place - 0.27,
                wording.number(voice.mentions),
                va="bottom",
                ha="right",
                color=_INK,
                weight="bold",
            )
        _rows(axes, len(voices), longest)
        _key(figure, wording, 1 - 24 / height)
        return _png(figure)


@contextmanager
def _look() -> Iterator[None]:
    """Draw with the font that comes with matplotlib, whatever this machine or its user has set."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"font.family": ["DejaVu Sans"], "font.size": _SIZE, "hatch.linewidth": 0.7})
        yield


def _canvas(height: int) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=200, facecolor="#ffffff")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_yticks([])
    axes.set_xticks([])
    return figure, axes


def _rows(axes: Axes, count: int, longest: float) -> None:
    axes.set_ylim(count - 0.68, -0.72)
    axes.set_xlim(0, longest)


def _key(figure: Figure, wording: Wording, height: float) -> None:
    """Name the three fills in a line above the bars."""
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for name, fill, hatch in _LOOKS:
        edge = "#ffffff" if hatch else "#a9b4b2"
        handles.append(Patch(facecolor=fill, hatch=hatch, edgecolor=edge, linewidth=0.6, label=wording.say(_KEY[name])))
    figure.legend(
        handles=handles,
        loc="center left",
        bbox_to_anchor=(0.0, height),
        ncols=3,
        frameon=False,
        labelcolor=_INK,
        handlelength=1.5,
        handleheight=1.1,
        columnspacing=1.5,
        borderpad=0.1,
        borderaxespad=0.1,
    )


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    target = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png", dpi=200, metadata={"Software": None})
    return target.getvalue()


def _who(voice: Voice, wording: Wording) -> str:
    return wording.label(voice.stakeholder) if voice.stakeholder else wording.say(N_("not decided yet"))


def _cut(text: str, limit: int) -> str:
    # matplotlib reads $…$ as mathematics
    return (text if len(text) <= limit else text[: limit - 1] + "…").replace("$", r"\$")
