"""Draw the days of a brand with Altair: bars by polarity, gaps as gaps, what stood out named on it; marks are links."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

from listener.taxonomy import SENTIMENTS
from stakeholders.insight import DayCount
from stakeholders.pages.theme import FONT

__all__ = ["Look", "Mark", "by_sevens", "daily_polarity", "first_of", "top_of"]

_HEIGHT = 220
_SMALL = 120
_LETTERS = 130  # that fit beside each other into the width of the chart, of those a sign has beside it
_SIGN = 1.8  # letters that half a sign takes
_ROOMY = 40  # parts of the width that a gap needs to have its words written into it
_Link = Callable[[date, str | None], str]


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what all charts of a page share: words and colours by polarity, days and numbers as the reader writes them.

    `running` is the day that is not over yet: its bar is drawn pale.
    """

    words: Mapping[str, str]
    inks: Mapping[str, str]
    days: Mapping[date, str]
    number: Callable[[int], str]
    thousands: str  # the sign between groups of three digits
    unknown: str  # what an unheard day is called
    unheard: str  # the same, short enough for the gap itself
    titles: Mapping[str, str]  # of the notes: day, mentions, all
    running: date | None = None

    def key(self) -> Hashable:
        """Give all of it that a chart is made of, to tell whether one is already drawn."""
        pairs = (self.words, self.inks, self.days, self.titles)
        told = (self.thousands, self.unknown, self.unheard, self.running)
        return tuple(tuple(pair.items()) for pair in pairs), told


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hold what a chart is asked with; charts of equal keys are the same chart."""

    key: Hashable
    days: Sequence[DayCount] = field(compare=False)
    look: Look = field(compare=False)
    link: _Link = field(compare=False)
    marks: Mapping[date, Mark] = field(compare=False)
    top: int | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """Name what stood out on a day: a sign above its bar, and few words beside it."""

    sign: str
    words: str = ""


def daily_polarity(
    days: Sequence[DayCount],
    look: Look,
    link: _Link,
    marks: Mapping[date, Mark] | None = None,
    top: int | None = None,
) -> Mapping[str, Any]:
    """Stack one brand's days by polarity, as a Vega-Lite chart; an unheard day is a grey band, never a zero.

    `link` gives the address of a day's posts, of one polarity or all. With `top`, the number at the end of the scale,
    it is drawn small: charts beside each other share it. Altair takes some 30 ms a chart: equal ones are kept.
    """
    days, marks = tuple(days), dict(marks or {})
    # An address holds the language and the brand besides the day: the first one and the last tell of all.
    ends = tuple(link(one.day, mood) for one in (*days[:1], *days[-1:]) for mood in (None, "negative"))
    return _draw(_Asked((days, look.key(), tuple(marks.items()), top, ends), days, look, link, marks, top))


@lru_cache(maxsize=64)
def _draw(asked: _Asked) -> Mapping[str, Any]:
    import altair as alt

    days, look, link, marks, top = asked.days, asked.look, asked.link, asked.marks, asked.top

    table: Any = alt.Data
    height = _HEIGHT if top is None else _SMALL
    axis = _days(alt, days, look, 10 if top is None else 2)
    layers = [*_gaps(alt, days, look, axis)]
    rows = [
        {"day": one.day.isoformat(), "label": look.words[name], "order": place, "n": getattr(one, name)}
        | {"when": look.days[one.day], "count": look.number(getattr(one, name)), "all": look.number(one.mentions)}
        | {"told": f"{look.days[one.day]} · {look.words[name]}: {look.number(getattr(one, name))}"}
        | {"url": link(one.day, name), "full": 0.45 if one.day == look.running else 1}
        for one in days
        if one.mentions is not None
        for place, name in enumerate(SENTIMENTS)
    ]
    colours = alt.Scale(domain=list(look.words.values()), range=[look.inks[name] for name in look.words])
    most = top if top is not None else max((one.mentions or 0 for one in days), default=0)
    scale = alt.Scale(domain=[0, max(most, 4)], nice=top is None)
    counts = alt.Y("n:Q", stack="zero", title=None, scale=scale, axis=_counts(alt, look, 4 if top is None else 2))
    layers.append(
        alt.Chart(table(values=rows))
        .mark_bar(cornerRadius=1, cursor="pointer")
        .encode(
            href=alt.Href("url:N"),
            description=alt.Description("told:N"),
            x=axis,
            y=counts,
            color=alt.Color("label:N", scale=colours, legend=None),
            opacity=alt.Opacity("full:Q", scale=None, legend=None),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("when:N", title=look.titles["day"]),
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("count:N", title=look.titles["mentions"]),
                alt.Tooltip("all:N", title=look.titles["all"]),
            ],
        )
    )
    layers += _signs(alt, days, look, link, marks, axis)
    room = {"left": 0, "right": 0, "top": 22 if marks else 4, "bottom": 2}
    chart = alt.layer(*layers).properties(height=height, padding=room)
    told: dict[str, Any] = chart.configure(font=FONT).configure_view(stroke=None).to_dict()
    # With its rows beside its marks it is sent as it stands; kept apart, each set would become a table first.
    sets = told.pop("datasets", {})
    for part in (told, *told["layer"]):
        if "name" in part.get("data", {}):
            part["data"] = {"values": sets[part["data"]["name"]]}
    return told


def _gaps(alt: Any, days: Sequence[DayCount], look: Look, axis: Any) -> list[Any]:
    """Draw a band for each unheard day, and say so inside each stretch that has room for words."""
    stretches: list[list[date]] = []
    for one in days:
        if one.mentions is None:
            if stretches and stretches[-1][-1] == one.day - timedelta(days=1):
                stretches[-1].append(one.day)
            else:
                stretches.append([one.day])
    if not stretches:
        return []
    table: Any = alt.Data
    rows = [
        {"day": day.isoformat(), "what": look.unknown, "told": f"{look.days[day]} · {look.unknown}"}
        for stretch in stretches
        for day in stretch
    ]
    ground = (
        alt.Chart(table(values=rows))
        .mark_bar(color=look.inks["gap"])
        .encode(
            x=axis,
            y=alt.value(0),
            y2=alt.value("height"),
            tooltip=[alt.Tooltip("what:N", title=" ")],
            description=alt.Description("told:N"),
        )
    )
    said = [
        {"day": stretch[len(stretch) // 2].isoformat(), "word": look.unheard}
        for stretch in stretches
        if len(stretch) * _ROOMY >= len(days)
    ]
    words = (
        alt.Chart(table(values=said))
        .mark_text(angle=270, color=look.inks["muted"], fontSize=11, baseline="middle")
        .encode(x=axis, text="word:N")
    )
    return [ground, words] if said else [ground]


def _signs(
    alt: Any, days: Sequence[DayCount], look: Look, link: _Link, marks: Mapping[date, Mark], axis: Any
) -> list[Any]:
    """Draw what stood out: a numbered sign above the bar and its words beside it, where they do not run into others."""
    table: Any = alt.Data
    rows: list[dict[str, Any]] = []
    half = _SIGN * len(days) / _LETTERS
    taken = [(place - half, place + half) for place, one in enumerate(days) if one.day in marks]
    for place, one in enumerate(days):
        if one.day not in marks or one.mentions is None:
            continue
        mark = marks[one.day]
        side = _side(place, mark.words, len(days), taken)
        told = mark.words if side is not None else ""
        rows.append(
            {"day": one.day.isoformat(), "n": one.mentions, "sign": mark.sign, "words": told}
            | {"url": link(one.day, None), "left": side == "left"}
            | {"told": f"{look.days[one.day]} · {mark.sign} · {mark.words}: {look.number(one.mentions)}"}
        )
    if not rows:
        return []
    base = alt.Chart(table(values=rows)).encode(
        x=axis, y="n:Q", href="url:N", description=alt.Description("told:N"), tooltip=alt.Tooltip("told:N", title=" ")
    )
    look_of: dict[str, Any] = {"yOffset": -13, "color": look.inks["ink"], "opacity": 1, "cursor": "pointer"}
    layers = [
        base.mark_point(shape="circle", filled=True, size=300, **look_of),
        base.mark_text(dy=-13, color=look.inks["ground"], fontWeight="bold", fontSize=11, cursor="pointer").encode(
            text="sign:N"
        ),
    ]
    for left in (True, False):
        worded = [row for row in rows if row["left"] is left and row["words"]]
        if worded:
            text: dict[str, Any] = {"align": "right" if left else "left", "dx": -14 if left else 14}
            words = alt.Chart(table(values=worded)).mark_text(
                dy=-13, color=look.inks["ink"], fontSize=12, fontWeight=600, **text
            )
            layers.append(words.encode(x=axis, y="n:Q", text="words:N"))
    return layers


def _side(place: int, words: str, days: int, taken: list[tuple[float, float]]) -> Literal["right", "left"] | None:
    """Choose where the words of a sign run into no other sign, no other words and no edge, and take that place."""
    if not words:
        return None
    half, long = (letters * days / _LETTERS for letters in (_SIGN, _SIGN + len(words)))
    sides: tuple[tuple[Literal["right", "left"], float, float], ...] = (
        ("right", place + half, place + long),
        ("left", place - long, place - half),
    )
    for side, start, end in sides:
        if start >= 0 and end <= days and all(end <= first or last <= start for first, last in taken):
            taken.append((start, end))
            return side
    return None


def top_of(days: Sequence[DayCount]) -> int:
    """Give the number at which the common scale of charts beside each other ends."""
    return max((one.mentions or 0 for one in days), default=0)


def first_of(day: date, length: int) -> date:
    """Give the first day of a stretch that is named by its last."""
    return day - timedelta(days=length - 1)


def by_sevens(days: Sequence[DayCount]) -> list[DayCount]:
    """Add days up by sevens, counted back from the last; a stretch with a gap in it is unknown."""
    brands: dict[str, list[DayCount]] = {}
    for one in days:
        brands.setdefault(one.brand, []).append(one)
    found = []
    for own in brands.values():
        for end in range(len(own), 6, -7):
            part = own[end - 7 : end]
            sums = [
                None if any(getattr(one, name) is None for one in part) else sum(getattr(one, name) for one in part)
                for name in ("mentions", *SENTIMENTS, "unsure")
            ]
            found.append(DayCount(part[-1].day, part[-1].brand, *sums))
    return sorted(found, key=lambda one: one.day)


def _days(alt: Any, days: Sequence[DayCount], look: Look, most: int) -> Any:
    """Give the axis of days: an ordinal one, so that each day is one slot and none can be left out."""
    dates = sorted({one.day for one in days})
    step = max(1, -(-len(dates) // most))
    shown = [one.isoformat() for one in dates[::-1][::step]]
    if most == 2 and dates:
        shown = [dates[-1].isoformat(), dates[0].isoformat()]
    # The first and the last end where their days do: centred, they would stick out.
    edge = {
        "condition": [
            {"test": f"datum.value === '{shown[0] if shown else ''}'", "value": "right"},
            {"test": f"datum.value === '{dates[0].isoformat() if dates else ''}'", "value": "left"},
        ],
        "value": "center",
    }
    # Names of months come from our own catalogue of dates, not from the browser.
    told = {one: look.days[one].replace("'", "’") for one in dates}
    words = "{" + ",".join(f"'{one.isoformat()}':'{told[one]}'" for one in dates) + "}[datum.value]"
    return alt.X(
        "day:O",
        title=None,
        scale=alt.Scale(domain=[one.isoformat() for one in dates], paddingInner=0.18),
        axis=alt.Axis(
            values=shown, labelExpr=words, labelAngle=0, grid=False, ticks=False, domainColor=look.inks["line"],
            labelColor=look.inks["muted"], labelPadding=6, labelOverlap=True, labelAlign=edge,
        ),
    )  # fmt: skip


def _counts(alt: Any, look: Look, ticks: int) -> Any:
    return alt.Axis(
        tickCount=ticks, tickMinStep=1, grid=True, gridColor=look.inks["line"], domain=False, ticks=False,
        labelColor=look.inks["muted"], labelExpr=f"replace(format(datum.value, ',d'), /,/g, '{look.thousands}')",
    )  # fmt: skip
