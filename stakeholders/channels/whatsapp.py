"""Send an approved template to a colleague's WhatsApp by the Cloud API (developers.facebook.com, «Template messages»).

One table is one person, who agreed on the day that the table names; nobody else is ever written to.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason
from stakeholders.letters.chat import bubble_of, cut, defuse
from stakeholders.outbox.poster import (
    INCOMPLETE,
    NOT_THE_CHANNEL,
    Poster,
    PostLine,
    asking,
    open_posts,
    read_json,
    reveal,
    told_of,
)

if TYPE_CHECKING:
    from listener.config import Config
    from listener.tables.channel import ChannelTable
    from stakeholders.channels import Message

__all__ = ["build", "open_line", "probe"]

API = "https://graph.facebook.com/v24.0"
LONGEST = (150, 400, 300)  # UTF-16 units of {{1}}, {{2}}, {{3}}: with the template's own words under 1,024
NUMBER_ANSWERS = N_("the business number answers; nothing was sent.")
NOTHING = "–"  # WhatsApp takes no empty parameter

# Of the API's error codes those that speak of this message; the rest speak of the account, the number or the template.
OF_THE_MESSAGE = frozenset({131008, 131009, 132005, 132018})


def open_line(config: Config) -> AbstractContextManager[PostLine]:
    """Open a line to the WhatsApp numbers of the configuration."""
    return open_posts(config, "whatsapp", _deliver)


def _deliver(poster: Poster, message: Message) -> None:
    name = message.recipient
    table = poster.table(name)
    if table.agreed is None or table.to is None:
        raise DeliveryError(told_of(name, INCOMPLETE))
    language = table.language or poster.config.language
    payload = build(message, table, language)
    answer = poster.post(name, f"{_url(table)}/messages", payload, key=message.key, headers=_key(name, table))
    told = read_json(answer)
    error = told.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    known = isinstance(code, int)
    final = code in OF_THE_MESSAGE if known else None
    poster.expect(name, answer, code=str(code) if known else "", final=final if answer.status >= 400 else None)
    if not told.get("messages"):
        raise DeliveryError(told_of(name, NOT_THE_CHANNEL))


def build(message: Message, table: ChannelTable, language: str) -> dict[str, Any]:
    """Write a message as three parameters of the template: what it is, why, and the link.

    The quote stays out: what a stranger wrote does not go to Meta's servers in our name.
    """
    bubble = bubble_of(message, internal=False)
    told = (bubble.title, " ".join(bubble.lines), bubble.links[0][1] if bubble.links else "")
    parameters = [
        {"type": "text", "text": cut(text if place == 2 else defuse(text), longest) or NOTHING}
        for place, (text, longest) in enumerate(zip(told, LONGEST, strict=True))
    ]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": (table.to or "").removeprefix("+"),
        "type": "template",
        "template": {
            "name": table.template,
            "language": {"code": language},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": message.key,
    }


def probe(config: Config, name: str) -> Reason:
    """Ask for the business number, which proves the token; raises DeliveryError."""
    with asking(config, "whatsapp") as poster:
        table = poster.table(name)
        answer = poster.ask(name, "GET", f"{_url(table)}?fields=id", headers=_key(name, table))
        poster.expect(name, answer, final=False)
        if not read_json(answer).get("id"):
            raise DeliveryError(told_of(name, NOT_THE_CHANNEL))
    return reason(NUMBER_ANSWERS)


def _url(table: ChannelTable) -> str:
    start = table.url.get_secret_value().rstrip("/") if table.url is not None else API
    return f"{start}/{table.sender}"


def _key(name: str, table: ChannelTable) -> dict[str, str]:
    return {"Authorization": f"Bearer {reveal(name, table.token)}"}
