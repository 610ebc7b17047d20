"""Draw the two charts of the pulse with Altair: days by polarity, and brands side by side; marks are links to posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from listener.taxonomy import SENTIMENTS
from stakeholders.insight import DayCount

__all__ = ["by_sevens", "daily_polarity", "daily_voices", "first_of"]

_HEIGHT = 210


def daily_polarity(
    days: Sequence[DayCount],
    words: Mapping[str, str],
    inks: Mapping[str, str],
    marked: Mapping[date, str],
    unknown: str,
    formats: Mapping[str, str],
    risen: Mapping[date, str] | None = None,
    link: Callable[[date, str], str] | None = None,
) -> Any:
    """Stack one brand's days by polarity; an unheard day is a grey band, never a zero.

    `link` gives the address of a day's posts of one polarity. `marked` days carry a number above their bar, days on
    which a spike began (`risen`) a letter at the foot.
    """
    import altair as alt

    table: Any = alt.Data
    rows = [
        {"day": one.day.isoformat(), "label": words[name], "order": place, "n": getattr(one, name), "all": one.mentions}
        | {"told": f"{formats[one.day.isoformat()]} · {words[name]}: {getattr(one, name)}"}
        | ({"url": link(one.day, name)} if link else {})
        for one in days
        if one.mentions is not None
        for place, name in enumerate(SENTIMENTS)
    ]
    axis = _days(alt, days, inks, formats)
    layers: list[Any] = []
    gaps = [
        {"day": one.day.isoformat(), "what": unknown, "told": f"{formats[one.day.isoformat()]} · {unknown}"}
        for one in days
        if one.mentions is None
    ]
    if gaps:
        layers.append(
            alt.Chart(table(values=gaps))
            .mark_bar(color=inks["gap"], stroke=inks["line"], strokeDash=[3, 3], height=_HEIGHT)
            .encode(
                x=axis,
                y=alt.value(_HEIGHT / 2),
                tooltip=[alt.Tooltip("what:N", title=" ")],
                description=alt.Description("told:N"),
            )
        )
    colours = alt.Scale(domain=[words[name] for name in SENTIMENTS], range=[inks[name] for name in SENTIMENTS])
    layers.append(
        alt.Chart(table(values=rows))
        .mark_bar(cornerRadius=1, cursor="pointer")
        .encode(
            **({"href": alt.Href("url:N")} if link else {}),
            description=alt.Description("told:N"),
            x=axis,
            y=alt.Y("n:Q", stack="zero", title=None, axis=_counts(alt, inks)),
            color=alt.Color("label:N", scale=colours, legend=None),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("day:O", title=formats["day"]),
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("n:Q", title=formats["mentions"]),
                alt.Tooltip("all:Q", title=formats["all"]),
            ],
        )
    )
    signs = [
        {"day": one.day.isoformat(), "n": one.mentions, "sign": marked[one.day]}
        for one in days
        if one.day in marked and one.mentions is not None
    ]
    if signs:
        base = alt.Chart(table(values=signs)).encode(x=axis, y=alt.Y("n:Q"))
        layers.append(base.mark_point(shape="circle", filled=True, size=300, yOffset=-13, color=inks["ink"], opacity=1))
        layers.append(
            base.mark_text(dy=-13, color=inks["ground"], fontWeight="bold", fontSize=11).encode(text="sign:N")
        )
    letters = [
        {"day": one.day.isoformat(), "foot": 0, "letter": risen[one.day]}
        for one in days
        if risen is not None and one.day in risen
    ]
    if letters:
        base = alt.Chart(table(values=letters)).encode(x=axis, y=alt.Y("foot:Q"))
        layers.append(base.mark_point(shape="square", filled=True, size=190, yOffset=-9, color=inks["ink"], opacity=1))
        layers.append(
            base.mark_text(dy=-9, color=inks["ground"], fontWeight="bold", fontSize=10).encode(text="letter:N")
        )
    return alt.layer(*layers).properties(height=_HEIGHT).configure_view(stroke=None)


def daily_voices(
    days: Sequence[DayCount],
    names: Mapping[str, str],
    own: str,
    inks: Mapping[str, str],
    formats: Mapping[str, str],
    link: Callable[[date, str], str] | None = None,
) -> Any:
    """Draw one line a brand with its name at the end; a day that nobody heard breaks the line.

    `link` gives the address of the posts that a point of a brand stands for.
    """
    import altair as alt

    table: Any = alt.Data
    rows = [
        {"day": one.day.isoformat(), "brand": names[one.brand], "n": one.mentions}
        | {"told": f"{formats[one.day.isoformat()]} · {names[one.brand]}: {one.mentions}"}
        | ({"url": link(one.day, one.brand)} if link else {})
        for one in days
    ]
    rivals = [key for key in names if key != own]
    greys = [inks["other"], inks["ink"], inks["muted"]]
    colours = [inks["positive"], *(greys[place % 3] for place in range(len(rivals)))]
    dashes = [[1, 0], *([[5, 3], [2, 2], [8, 3, 2, 3]][place % 3] for place in range(len(rivals)))]
    domain = [names[key] for key in (own, *rivals)]
    axis = _days(alt, days, inks, formats, 5)
    colour = alt.Color("brand:N", scale=alt.Scale(domain=domain, range=colours), legend=None)
    base = alt.Chart(table(values=rows)).encode(x=axis, color=colour)
    lines = base.mark_line(strokeWidth=2, interpolate="linear").encode(
        y=alt.Y("n:Q", title=None, axis=_counts(alt, inks)),
        strokeDash=alt.StrokeDash("brand:N", scale=alt.Scale(domain=domain, range=dashes), legend=None),
    )
    points = base.mark_point(size=60, opacity=0, filled=True, cursor="pointer").encode(
        **({"href": alt.Href("url:N")} if link else {}),
        description=alt.Description("told:N"),
        y="n:Q",
        tooltip=[
            alt.Tooltip("day:O", title=formats["day"]),
            alt.Tooltip("brand:N", title=" "),
            alt.Tooltip("n:Q", title=formats["mentions"]),
        ],
    )
    ends = alt.Chart(table(values=_ends(days, names))).encode(x=axis, y="at:Q", color=colour)
    labels = ends.mark_text(align="left", dx=8, fontSize=12, fontWeight=600).encode(text="brand:N")
    room = {"right": 12 + 7 * max(map(len, domain)), "left": 0, "top": 4, "bottom": 0}
    chart = alt.layer(lines, points, labels).properties(height=_HEIGHT - 30, padding=room)
    return chart.configure_view(stroke=None, clip=False)


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


def _ends(days: Sequence[DayCount], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Place each brand's name where its line ends, moved apart where two lines end together."""
    known = [one for one in days if one.mentions is not None]
    if not known:
        return []
    top = max(one.mentions or 0 for one in known) or 1
    last = {one.brand: one for one in known}
    ordered = sorted(last.values(), key=lambda day: day.mentions or 0)
    places = [float(one.mentions or 0) for one in ordered]
    apart = min(top * 0.11, top / len(places))
    # Pairs that are too near give way by half each, so that no name comes to stand beside another's line.
    for _ in range(50):
        for low in range(len(places) - 1):
            short = apart - (places[low + 1] - places[low])
            if short > 0:
                places[low] -= short / 2
                places[low + 1] += short / 2
    for up in range(len(places)):
        places[up] = max(places[up], places[up - 1] + apart if up else 0.0)
    for down in reversed(range(len(places))):
        places[down] = min(places[down], places[down + 1] - apart if down + 1 < len(places) else float(top))
    end = max(one.day for one in days).isoformat()
    return [{"day": end, "brand": names[one.brand], "at": at} for one, at in zip(ordered, places, strict=True)]


def _days(
    alt: Any, days: Sequence[DayCount], inks: Mapping[str, str], formats: Mapping[str, str], most: int = 10
) -> Any:
    """Give the axis of days: an ordinal one, so that each day is one slot and none can be left out."""
    dates = sorted({one.day for one in days})
    step = max(1, -(-len(dates) // most))
    shown = [one.isoformat() for one in dates[::-1][::step]]
    # The last one ends where its day does: centred, it would stick out to the right.
    align = {
        "condition": {"test": f"datum.value === '{shown[0] if shown else ''}'", "value": "right"},
        "value": "center",
    }
    # Names of months come from our own catalogue of dates, not from the browser.
    look = "{" + ",".join(f"'{one.isoformat()}':'{formats[one.isoformat()]}'" for one in dates) + "}[datum.value]"
    return alt.X(
        "day:O",
        title=None,
        scale=alt.Scale(domain=[one.isoformat() for one in dates], paddingInner=0.18),
        axis=alt.Axis(
            values=shown, labelExpr=look, labelAngle=0, grid=False, ticks=False, domainColor=inks["line"],
            labelColor=inks["muted"], labelPadding=6, labelOverlap=True, labelAlign=align,
        ),
    )  # fmt: skip


def _counts(alt: Any, inks: Mapping[str, str]) -> Any:
    return alt.Axis(
        tickCount=4, tickMinStep=1, format="d", grid=True, gridColor=inks["line"], domain=False, ticks=False,
        labelColor=inks["muted"],
    )  # fmt: skip
