"""Try a source: what it would bring now, judged and routed; nothing is stored but what the platform charges (C9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, speak, terminal_language, translate
from listener.mention import Mention, Page, Post
from listener.reason import N_, say

if TYPE_CHECKING:
    from listener.pipeline import Flow

__all__ = ["VERBS", "try_"]

_PAGES = 20  # what a trial reads at most, however little of it names a brand


def try_(
    source: Annotated[str, typer.Argument(help=translate(N_("a source's table name")))],
    most: Annotated[int, typer.Option(min=1, max=200, help=translate(N_("mentions to show")))] = 10,
    query: Annotated[
        str | None, typer.Option(help=translate(N_("show only what fits this query (docs/query.md)")))
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Show what a source would bring now, judged and routed; nothing of it is stored or sent."""
    from listener.cli.flow import open_flow
    from listener.errors import SourceError
    from listener.failure import worded
    from listener.faults import did_you_mean

    fits = _filter(query)
    with open_flow(config) as flow:
        if source not in flow.config.sources:
            hint = did_you_mean(source, tuple(flow.config.sources))
            speak(f"[sources.{source}] " + translate(N_("is not connected")) + f"; {hint}")
            raise Fatal(2)
        speak(flow.source(source).cost(flow.config.brands).say(terminal_language()))
        read: dict[str, int] = {}
        found: list[Mention] = []
        failure = None
        try:
            for page in _pages(flow, source):
                read["posts"] = read.get("posts", 0) + len(page.posts)
                heard = [one for post in page.posts if fits(post) for one in flow.intake.matcher.mentions(post)]
                found += heard[: most - len(found)]
                if len(found) >= most:
                    break
        except SourceError as error:
            failure = error
        for row in _judged(flow, found):
            if json:
                emit(row)
            else:
                _show(row, flow.config.language)
        told = N_("{posts} posts read, {mentions} mentions shown; nothing was stored or sent.")
        speak(translate(told, posts=read.get("posts", 0), mentions=len(found)))
        if failure is not None:
            speak(worded(str(failure), terminal_language()))
            raise Fatal(1)


def _filter(text: str | None) -> Callable[[Post], bool]:
    if text is None:
        return lambda _: True
    from listener.query import QueryError, parse
    from listener.query.match import matches

    try:
        query = parse(text)
    except QueryError as error:
        speak(error.show(terminal_language()))
        raise Fatal(2) from None
    return lambda post: matches(query, post)


def _pages(flow: Flow, name: str) -> Iterator[Page]:
    """Yield pages as a first poll would, within the budget; what the platform charges is written down all the same."""
    from listener.budget import add_spending, allows
    from listener.mention import Forecasts

    source = flow.source(name)
    dearest = source.dearest_page if isinstance(source, Forecasts) else {}
    now = datetime.now(UTC)
    with closing(source.collect(flow.config.brands, None)) as pages:  # type: ignore[type-var]
        for _ in range(_PAGES):
            with flow.store.read() as connection:
                if dearest and not allows(connection, flow.config, name, dearest, now):
                    speak(translate(N_("The budget of this source is used up; nothing more is asked.")))
                    return
            page = next(pages, None)
            if page is None:
                return
            if page.billed:
                with flow.store.write() as connection:
                    add_spending(connection, name, page.billed, now)
            yield page


def _judged(flow: Flow, found: list[Mention]) -> Iterator[dict[str, Any]]:
    from sentiment.postfile import answered
    from sentiment.verdict import Item
    from stakeholders.answer import answerer

    if not found:
        return
    brands = {brand.key: brand for brand in flow.config.brands}
    items = [
        Item(one.post, brands[one.brand], tuple(other for other in brands.values() if other.key != one.brand))
        for one in found
    ]
    answer = answerer(flow.config)
    for item, verdict in zip(items, flow.classifier.judge(items), strict=True):
        yield answered(_row(item.post, item.brand.name), item, verdict, flow.config.language, answer)


def _row(post: Post, brand: str) -> dict[str, Any]:
    """Give a post in the shape of docs/formats.md."""
    author = {name: getattr(post.author, name) for name in ("handle", "name", "bio", "url", "verified", "followers")}
    metrics = {name: getattr(post.metrics, name) for name in ("likes", "replies", "shares", "views")}
    told = ("source", "native_id", "url", "lang", "country", "text", "in_reply_to", "thread")
    row = {name: getattr(post, name) for name in told}
    return row | {
        "published_at": post.published_at.isoformat(),
        "author": author,
        "metrics": metrics,
        "brand": brand,
    }


def _show(row: dict[str, Any], lang: str) -> None:
    verdict = row["verdict"]
    words = [row["brand"]]
    if not verdict["relevant"]["is"]:
        words.append(say(N_("not about the brand"), lang))
    told = ("sentiment", "stakeholder", "department", "priority")
    words += [say("{label}", lang, label=verdict[head]["is"]) for head in told]
    who = row["author"]["handle"] or row["author"]["name"] or "–"
    text = " ".join(row["text"].split())
    print(" · ".join(words))  # noqa: T201 - the answer itself
    print(f"    {row['published_at'][:16]} {who}: {text[:160]}")  # noqa: T201


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (try_, N_("Show what a source would bring now, judged and routed; nothing is stored.")),
)
