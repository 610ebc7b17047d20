"""Preview a query: what it finds among the stored posts, what a change of it loses, what each source would be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, speak, terminal_language, translate
from listener.mention import Brand
from listener.reason import N_

if TYPE_CHECKING:
    from listener.pipeline import Flow
    from listener.query import Query
    from listener.query.preview import Difference, Preview
    from listener.query.search import Found

__all__ = ["VERBS", "query"]

_LONGEST = 160  # characters of a post that are shown
_PLATFORMS = {  # kind of a source → how its platform is asked (listener/query/dialects.py)
    "x": "x", "reddit": "reddit", "mastodon": "mastodon", "bluesky": "bluesky", "youtube": "youtube",
    "gdelt": "gdelt", "hacker_news": "hacker_news", "rss": "google_news",
}  # fmt: skip

_FINDS = N_("{count} stored posts fit, {month} of the last 30 days.")
_CHANGE = N_("The query before finds {before}: {lost} would be lost, {gained} gained.")
_LOST = N_("Lost:")
_GAINED = N_("Gained:")
_ASKED = N_("{quote_source} would be asked:")
_FILTERED = N_("{quote_source} is not searched with words: what it brings is filtered by the query.")
_SILENT = N_("{quote_source} would not be asked.")
_MONTH = N_("{quote_source}: a month of it would bring {quote_units}: {quote_money}.")
_NO_BRAND = N_("there is no brand with that key")


def query(
    text: Annotated[str, typer.Argument(help=translate(N_("a query: claro (internet OR wifi) -video lang:es")))],
    before: Annotated[
        str | None, typer.Option(help=translate(N_("the query that it would replace: says what is lost and gained")))
    ] = None,
    brand: Annotated[
        str | None, typer.Option(help=translate(N_("a brand's key: compares with the query that it has now")))
    ] = None,
    forecast: Annotated[
        bool, typer.Option("--forecast", help=translate(N_("ask the sources that bill what a month of it would cost")))
    ] = False,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Preview a query on the stored posts; nothing is changed, and no source is asked without --forecast."""
    from listener.cli.flow import open_flow
    from listener.query.preview import preview

    _read(text, "UTC")  # before anything is opened: a typo needs no configuration
    with open_flow(config) as flow:
        zone = flow.config.settings.instance.timezone
        asked = _read(text, zone)
        earlier = _earlier(flow, before, brand)
        told = _read(earlier, zone) if earlier is not None else None
        for fault in _unknown(flow, text):
            speak(fault)
        with flow.store.read() as connection:
            seen = preview(connection, asked, told, now=datetime.now(UTC))
        _show(text, asked, seen, as_json=json)
        _show_sources(flow, asked, as_json=json)
        if forecast and _show_forecasts(flow, text, as_json=json):
            raise Fatal(1)


def _read(text: str, zone: str) -> Query:
    from listener.query import QueryError, parse

    try:
        return parse(text, zone=zone)
    except QueryError as error:
        speak(error.show(terminal_language()))
        raise Fatal(2) from None


def _earlier(flow: Flow, before: str | None, brand: str | None) -> str | None:
    from listener.faults import did_you_mean

    if before is not None or brand is None:
        return before
    queries = {one.key: one.query for one in flow.config.brands}
    if brand not in queries:
        speak(f"--brand {brand}: {translate(_NO_BRAND)}; {did_you_mean(brand, tuple(queries))}")
        raise Fatal(2)
    return queries[brand]


def _unknown(flow: Flow, text: str) -> Iterator[str]:
    from listener.query import check_query

    known = {"source": tuple(flow.config.settings.sources), "brand": tuple(one.key for one in flow.config.brands)}
    for fault in check_query(text, "query", known=known):
        yield str(fault)


def _show(text: str, asked: Query, seen: Preview, *, as_json: bool) -> None:
    from listener.query.explain import explain

    lang = terminal_language()
    if as_json:
        row: dict[str, Any] = {
            "query": text, "means": explain(asked, lang), "count": seen.count, "month": seen.month,
            "newest": [_row(one) for one in seen.newest], "before": seen.before,
        }  # fmt: skip
        for name, part in (("lost", seen.lost), ("gained", seen.gained)):
            row[name] = part and {"count": part.count, "newest": [_row(one) for one in part.newest]}
        emit(row)
        return
    speak(explain(asked, lang))
    speak(translate(_FINDS, count=seen.count, month=seen.month))
    _show_posts(seen.newest)
    if seen.lost is None or seen.gained is None:
        return
    speak()
    speak(translate(_CHANGE, before=seen.before, lost=seen.lost.count, gained=seen.gained.count))
    _show_difference(_LOST, seen.lost)
    _show_difference(_GAINED, seen.gained)


def _show_difference(title: str, part: Difference) -> None:
    if part.newest:
        speak(translate(title))
        _show_posts(part.newest)


def _show_posts(found: tuple[Found, ...]) -> None:
    for one in found:
        row = _row(one)
        speak(f"  {row['published_at'][:16]}  {row['source']:<10} {row['author'] or '–':<18} {row['text']}")


def _row(found: Found) -> dict[str, Any]:
    post = found.post
    text = " ".join(post.text.split())
    return {
        "id": found.id,
        "source": post.source,
        "published_at": post.published_at.isoformat(),
        "author": post.author.handle or post.author.name,
        "url": post.url,
        "text": text if len(text) <= _LONGEST else text[:_LONGEST] + "…",
    }


def _show_sources(flow: Flow, asked: Query, *, as_json: bool) -> None:
    """Say for each configured source what it would be asked for this query and what is lost on the way."""
    from listener.query.translate import translate as put

    lang = terminal_language()
    for name in flow.config.sources:
        platform = _PLATFORMS.get(flow.config.settings.sources[name].kind or name)
        told = put(asked, platform) if platform else None
        if as_json:
            lost = [one.say(lang) for one in told.lost] if told else []
            row = {"source": name, "asked": told and list(told.queries), "lost": lost}
            emit(row | {"complete": told.complete if told else True})
            continue
        if told is None:
            speak(translate(_FILTERED, quote_source=name))
            continue
        speak(translate(_ASKED if told.queries else _SILENT, quote_source=name))
        for line in told.queries:
            speak(f"  {line}")
        for one in told.lost:
            speak(f"  – {one.say(lang)}")


def _show_forecasts(flow: Flow, text: str, *, as_json: bool) -> bool:
    """Ask the sources that bill what a month would bring; the counting is added to what was spent. True: one failed."""
    from listener.budget import add_spending, forecast_cost, gate, prices_of, show_money
    from listener.errors import SourceError
    from listener.failure import worded
    from listener.mention import Forecasts

    lang, currency = terminal_language(), flow.config.settings.budget.currency
    wanted = [Brand("query", "", query=text)]
    failed = False
    for name in flow.config.sources:
        source = flow.source(name)
        if not isinstance(source, Forecasts):
            continue
        now = datetime.now(UTC)
        try:
            gate(flow.store, flow.config, name, source, lambda: datetime.now(UTC))()
            told, money = forecast_cost(source, wanted, prices_of(flow.config, name))
        except SourceError as error:
            failed = True
            speak(f"{name}: {worded(str(error), lang)}")
            continue
        with flow.store.write() as connection:
            add_spending(connection, name, told.billed, now)
        if as_json:
            emit({"source": name, "units": dict(told.units), "money": money and str(money), "currency": currency})
            continue
        units = ", ".join(f"{count:,} {unit}" for unit, count in sorted(told.units.items())) or "0"
        shown = "?" if money is None else show_money(money, currency, lang)
        speak(translate(_MONTH, quote_source=name, quote_units=units, quote_money=shown))
    return failed


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (
        query,
        N_("Preview a query on the stored posts: what it finds, what a change of it loses, what sources are asked."),
    ),
)
