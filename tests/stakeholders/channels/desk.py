"""Make a configuration with every HTTP channel on a test server, and messages to send over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from listener.config import Config
from stakeholders.channels import About, Message
from tests.servers.web import Answer
from tests.stakeholders.newsroom import NOW, make_config

HTTP = ("slack", "teams", "telegram", "webhook", "whatsapp")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN = "4242:canary-token"
CANARY = "canary-address"  # stands in every address that is a key

HOSTILE = (
    "Nítido <!channel> <@U1> @everyone [clic](https://evil.example) **fuerte** `x` *b* _i_ <at>Ana</at>\n"
    "/kick ana\n# título\n&lt;!here&gt; <b>x</b> https://evil.example/p \u202egnp.exe\u202c \x00\x07 :boom: 😀"
)


def taken(kind: str) -> Answer:
    """Give what each platform answers when it took a message."""
    return {
        "slack": Answer(b"ok"),
        "teams": Answer(b"", 202),
        "telegram": Answer(json.dumps({"ok": True, "result": {"message_id": 7}}).encode()),
        "webhook": Answer(b"", 204),
        "whatsapp": Answer(json.dumps({"messages": [{"id": "wamid.1"}]}).encode()),
    }[kind]


def tables(url: str) -> dict[str, dict[str, Any]]:
    """Give one table of each HTTP kind, named as its kind, at a server."""
    person = {"sender": "1055", "to": "+51999888777", "template": "alerta", "agreed": "2026-05-04"}
    return {
        "slack": {"kind": "slack", "url": f"{url}/{CANARY}/slack"},
        "teams": {"kind": "teams", "url": f"{url}/{CANARY}/teams?sig={CANARY}"},
        "webhook": {"kind": "webhook", "url": f"{url}/{CANARY}/hook", "secret": SECRET},
        "telegram": {"kind": "telegram", "url": url, "token": TOKEN, "to": "-100123"},
        "whatsapp": {"kind": "whatsapp", "url": f"{url}/v24.0", "token": TOKEN, **person},
    }


def channel_config(folder: Path, url: str = "https://chat.example", **more: Any) -> Config:
    """Give a configuration whose channels all stand at one server; `more` are keys of tables, by table name."""
    made = tables(url)
    for name, part in more.items():
        made[name] = {**made.get(name, {}), **part}
    store = f"sqlite:///{folder}/escucha.db"
    return make_config(folder, store, channels=made, egress={"inside": ["127.0.0.1"]})


def message(recipient: str = "slack", **more: Any) -> Message:
    values: dict[str, Any] = {
        "key": "case.12.1.0.5f0c",
        "recipient": recipient,
        "subject": "[Alerta] Nítido · regulador",
        "text": "canary text of the letter\n",
        "at": NOW,
        "lang": "es",
        "title": "[Alerta] Nítido · regulador · Legal — responder antes de las 15:40",
        "lines": ("Responder antes de las 15:40", "Un regulador habla: la cuenta es de Osiptel"),
        "quote": "Nítido me cobró dos veces y nadie responde",
        "links": (
            ("Acusar recibo", "https://escucha.example/api/acknowledge/abc"),
            ("Abrir el caso", "https://escucha.example/case?id=12"),
        ),
        "about": About("case", 12, "nitido", "legal_regulatory", "alert", "regulator", NOW + timedelta(hours=1), 3),
    }
    return Message(**{**values, **more})


def always(answer: Answer) -> Callable[[Any], Answer]:
    return lambda _: answer
