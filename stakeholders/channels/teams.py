"""Send to a Teams channel by a workflow's webhook, as an Adaptive Card (learn.microsoft.com/microsoftteams).

What a stranger wrote stands in TextRun elements: Teams reads Markdown in TextBlock and in facts, not there.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason
from stakeholders.letters.chat import Bubble, bubble_of, cut, units
from stakeholders.outbox.poster import NOT_THE_CHANNEL, Poster, PostLine, asking, open_posts, read_json, reveal, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["REACHED", "build", "open_line", "probe"]

# The documented limit is 28 KB; others measured refusals from 21 KB on (rubydoc.info/gems/msteams_hermes).
LARGEST = 20_000  # bytes of the whole message
REACHED = N_("its server answers; whether it takes a message is shown by: escucha channels test {quote_name}.")


def open_line(config: Config) -> AbstractContextManager[PostLine]:
    """Open a line to the Teams channels of the configuration."""
    return open_posts(config, "teams", _deliver)


def _deliver(poster: Poster, message: Message) -> None:
    name = message.recipient
    table = poster.table(name)
    payload = build(message, internal=table.internal)
    answer = poster.post(name, reveal(name, table.url), payload, key=message.key)
    error = read_json(answer).get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    # A workflow that was switched off answers 400 too (WorkflowTriggerIsNotEnabled): that is no fault of this card.
    poster.expect(name, answer, code=code, final=False if code.startswith("Workflow") else None)
    if answer.status != 202:  # a workflow takes a message and answers 202 before it runs
        raise DeliveryError(told_of(name, NOT_THE_CHANNEL))


def build(message: Message, *, internal: bool) -> dict[str, Any]:
    """Write a message as an Adaptive Card of at most 20,000 bytes; a quote gives way first, then the lines."""
    bubble = bubble_of(message, internal=internal)
    while len(json.dumps(card := _card(bubble, message), ensure_ascii=False).encode()) > LARGEST:
        if bubble.quote:
            bubble = replace(bubble, quote=cut(bubble.quote, units(bubble.quote) // 2))
        elif bubble.lines:
            bubble = replace(bubble, lines=bubble.lines[:-1])
        else:
            bubble = replace(bubble, links=bubble.links[:-1])
    return card


def _card(bubble: Bubble, message: Message) -> dict[str, Any]:
    body: list[dict[str, Any]] = [_text(bubble.title, size="Large", weight="Bolder") | {"id": message.key}]
    body += [_text(line) for line in bubble.lines]
    if bubble.quote:
        body.append({"type": "Container", "style": "emphasis", "items": [_text(bubble.quote, italic=True)]})
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": bubble.title,
        "body": body,
    }
    if bubble.links:
        content["actions"] = [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in bubble.links]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def _text(text: str, **style: str | bool) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def probe(config: Config, name: str) -> Reason:
    """Ask the workflow's server with GET, which starts no workflow; raises DeliveryError when none answers."""
    with asking(config, "teams") as poster:
        poster.ask(name, "GET", reveal(name, poster.table(name).url))
    return reason(REACHED, quote_name=name)
