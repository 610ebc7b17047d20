"""Send to a Slack channel by its incoming webhook, as Block Kit (docs.slack.dev, «Sending messages», «Block Kit»).

What a stranger wrote stands in plain_text and rich_text elements, which Slack does not read as markup; the one text
that it does read, the notification, is escaped (docs.slack.dev, «Formatting message text»).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason
from stakeholders.letters.chat import bubble_of, cut
from stakeholders.outbox.poster import NOT_THE_CHANNEL, Answer, Poster, PostLine, asking, open_posts, reveal, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["build", "open_line", "probe"]

TEXT = 3000  # characters of a text object

# Of the words that Slack answers with 400, those that speak of the message; the rest speak of the channel or the team.
OF_THE_MESSAGE = frozenset(
    {"invalid_attachments", "invalid_blocks", "invalid_payload", "msg_too_long", "no_text", "too_many_attachments"}
)
ANSWERS = N_("answers and knows the address; nothing was sent.")


def open_line(config: Config) -> AbstractContextManager[PostLine]:
    """Open a line to the Slack channels of the configuration."""
    return open_posts(config, "slack", _deliver)


def _deliver(poster: Poster, message: Message) -> None:
    name = message.recipient
    table = poster.table(name)
    payload = build(message, internal=table.internal)
    answer = poster.post(name, reveal(name, table.url), payload, key=message.key)
    code = _code(answer)
    poster.expect(name, answer, code=code, final=code in OF_THE_MESSAGE if answer.status == 400 else None)
    if answer.body.strip() != b"ok":
        raise DeliveryError(told_of(name, NOT_THE_CHANNEL))


def build(message: Message, *, internal: bool) -> dict[str, Any]:
    """Write a message as Block Kit: a header, why, the quote, and buttons that open a link.

    The first block's id is the message's key: Slack shows a repeat all the same, but whoever reads the channel by
    program can tell it.
    """
    bubble = bubble_of(message, internal=internal)
    blocks: list[dict[str, Any]] = [{"type": "header", "block_id": message.key[:255], "text": _plain(bubble.title)}]
    if bubble.lines:
        blocks.append({"type": "section", "text": _plain(cut("\n".join(bubble.lines), TEXT))})
    if bubble.quote:
        quoted = {"type": "rich_text_quote", "elements": [{"type": "text", "text": bubble.quote}]}
        blocks.append({"type": "rich_text", "elements": [quoted]})
    if bubble.links:
        buttons: list[dict[str, Any]] = [
            {"type": "button", "action_id": f"open-{place}", "text": _plain(label), "url": url}
            for place, (label, url) in enumerate(bubble.links)
        ]
        buttons[0]["style"] = "primary"
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": _escape(bubble.title), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def probe(config: Config, name: str) -> Reason:
    """Post an empty message, which Slack refuses as such when it knows the address; raises DeliveryError."""
    with asking(config, "slack") as poster:
        answer = poster.post(name, reveal(name, poster.table(name).url), {})
        code = _code(answer)
        if answer.status == 400 and code in OF_THE_MESSAGE:
            return reason(ANSWERS)
        poster.expect(name, answer, code=code, final=False)
    raise DeliveryError(told_of(name, NOT_THE_CHANNEL))


def _code(answer: Answer) -> str:
    return answer.body[:80].decode("ascii", "replace").strip()


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
