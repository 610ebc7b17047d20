from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import NotAllowed
from listener.fetch import Egress
from listener.mention import Pushed, Rechecks
from listener.platforms.calls import Call
from listener.sources import whatsapp
from tests.listener.sources.conftest import NOW
from tests.servers.graph import NUMBER, SECRET, TOKEN, VERIFY, Edges
from tests.servers.web import serving

KEYS = {"app_secret": SECRET, "verify_token": VERIFY, "brand": "nitido"}
PHONE = "51999888777"


def source(egress: Egress, **more: Any) -> whatsapp.Source:
    return whatsapp.Source("wa", whatsapp.Settings(**KEYS, **more), egress, now=lambda: NOW)


def call(*messages: Any, field: str = "messages", **more: Any) -> bytes:
    contacts = [{"profile": {"name": "Ana Ruiz"}, "wa_id": PHONE}]
    value = {"metadata": {"phone_number_id": NUMBER}, "contacts": contacts, "messages": list(messages), **more}
    entry = {"id": "1", "changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def message(text: str = "sin señal", known: str = "wamid.1", **more: Any) -> dict[str, Any]:
    return {"from": PHONE, "id": known, "timestamp": "1777896000", "type": "text", "text": {"body": text}, **more}


def heard(egress: Egress, *messages: Any, **more: Any) -> Call:
    page = source(egress).receive(call(*messages, **more))
    assert isinstance(page, Call)
    return page


# ---- real input


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        f"{path.stem}/{name}": told
        for path in sorted(folder.glob("*.json"))
        for name, told in json.loads(path.read_text("utf-8")).items()
    }


TEXTS = {
    "message/text": "Body Text",
    "message/image": "[image]",
    "message/media_with_url": "[image]",
    "message/video": "caption",
    "message/document": "caption",
    "message/audio": "[audio]",
    "message/voice": "[audio]",
    "message/static_sticker": "[sticker]",
    "message/animated_sticker": "[sticker]",
    "message/reaction": "😮",
    "message/current_location": "[location]",
    "message/chosen_location": "[location]",
    "message/contacts": "[contacts]",
    "message/order": "[order]",
    "message/unsupported": "[unsupported]",
    "message/unsupported_with_type": "[unsupported]",
    "message/reply": "replied text",
    "message/forwarded": "forwarded text",
    "message/forwarded_many_times": "text forwarded many times",
    "message/interactive_message_with_err": "[interactive]",
    "message/referral": "BODY",
    "callback_selection/callback": "title",
    "callback_selection/description": "title",
    "edited_message/image": "Updated image caption",
    "call_permission_update/accept": "accept",
    "call_permission_update/reject": "reject",
}


def test_every_recorded_call_is_read_and_only_what_people_wrote_is_a_post(shared: Path, local: Egress) -> None:
    calls = recorded(shared / "payloads" / "whatsapp" / "updates")
    assert len(calls) > 50
    read = {name: source(local).receive(json.dumps(told).encode()) for name, told in calls.items()}
    assert {name: page.posts[0].text for name, page in read.items() if page.posts} == TEXTS
    assert [name for name, page in read.items() if page.rejected] == []
    assert {name: [wish.stops for wish in page.opt_outs] for name, page in read.items() if page.opt_outs} == {
        "user_marketing_preferences/resume": [False],
        "user_marketing_preferences/signup": [False],
    }


def test_places_address_cards_and_links_to_pictures_are_not_kept(shared: Path, local: Egress) -> None:
    calls = recorded(shared / "payloads" / "whatsapp" / "updates")
    for name in ("message/current_location", "message/contacts", "message/media_with_url", "message/referral"):
        (post,) = source(local).receive(json.dumps(calls[name]).encode()).posts
        assert set(post.raw) == {"id", "type", "timestamp"}


# ---- messages


def test_a_message_is_a_post_of_the_person_about_the_brand(local: Egress) -> None:
    (post,) = heard(local, message()).posts
    assert (post.native_id, post.text, post.about, post.url) == ("wamid.1", "sin señal", "nitido", None)
    assert (post.author.handle, post.author.name) == (PHONE, "Ana Ruiz")
    assert post.published_at == datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_a_conversation_is_one_thread_that_does_not_name_the_person(local: Egress) -> None:
    one, two, other = heard(
        local, message(), message(known="wamid.2"), message(known="wamid.3", **{"from": "51"})
    ).posts
    assert one.thread == two.thread != other.thread
    assert PHONE not in (one.thread or PHONE)


def test_an_answer_and_a_reaction_say_to_what(local: Egress) -> None:
    reaction = {"from": PHONE, "id": "wamid.3", "timestamp": "1777896000", "type": "reaction"}
    one, two = heard(
        local,
        message(context={"from": NUMBER, "id": "wamid.0"}),
        {**reaction, "reaction": {"message_id": "wamid.0", "emoji": "👎"}},
    ).posts
    assert (one.in_reply_to, two.in_reply_to, two.text) == ("wamid.0", "wamid.0", "👎")


def test_an_edit_has_the_id_of_the_message_and_a_revoked_one_is_gone(local: Egress) -> None:
    edit = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "ya volvió"}}}
    page = heard(local, {**message(known="wamid.9"), "type": "edit", "edit": edit})
    assert ([(post.native_id, post.text) for post in page.posts], page.first) == (
        [("wamid.1", "ya volvió")],
        frozenset(),
    )
    page = heard(local, {**message(known="wamid.9"), "type": "revoke", "revoke": {"original_message_id": "wamid.1"}})
    assert (page.posts, page.gone) == ((), ("wamid.1",))


def test_a_person_without_a_phone_number_is_known_by_their_user_id(local: Egress) -> None:
    told = message(from_user_id="US.1349")
    del told["from"]
    (post,) = heard(local, told).posts
    assert (post.author.handle, post.author.native_id) == (None, "US.1349")


def test_statuses_calls_and_what_we_sent_are_no_posts(local: Egress) -> None:
    status = {"id": "wamid.1", "status": "delivered", "timestamp": "1777896000", "recipient_id": PHONE}
    page = heard(local, {**message(), "type": "system", "system": {"body": "changed number"}}, statuses=[status])
    assert (page.posts, page.rejected) == ((), ())
    assert heard(local, message(), field="smb_message_echoes").posts == ()


def test_another_number_of_the_account_is_left_out_when_one_is_named(local: Egress) -> None:
    assert len(source(local, phone_number_id=NUMBER).receive(call(message())).posts) == 1
    page = source(local, phone_number_id="99").receive(call(message()))
    assert (page.posts, [one.body for one in page.rejected]) == ((), ["messages"])


@pytest.mark.parametrize("odd", [None, 5, [], {}, {"id": "wamid.2"}, message(known=""), {**message(), "type": "edit"}])
def test_a_strange_message_is_kept_aside_and_the_rest_of_its_call_goes_on(local: Egress, odd: Any) -> None:
    page = heard(local, odd, message())
    assert ([post.native_id for post in page.posts], len(page.rejected)) == (["wamid.1"], 1)


def test_a_message_without_a_readable_time_has_that_of_its_call(local: Egress) -> None:
    (post,) = heard(local, message(timestamp="soon")).posts
    assert post.published_at == NOW


# ---- wishes


def test_a_wish_is_read_from_words_buttons_and_the_menu(local: Egress) -> None:
    button = {**message(known="wamid.2"), "type": "button", "button": {"text": "Stop promotions", "payload": "x"}}
    chosen = [
        {"wa_id": PHONE, "value": "stop", "category": "marketing_messages", "timestamp": 1777896001},
        {"wa_id": "52", "value": "resume", "timestamp": 1777896002},
        {"wa_id": "53", "value": "later"},
        None,
    ]
    page = heard(local, message("BAJA"), button, message("Baja la velocidad", "wamid.3"))
    assert [(wish.handle, wish.stops) for wish in page.opt_outs] == [(PHONE, True), (PHONE, True)]
    assert len(page.posts) == 3  # the words are kept as well
    menu = heard(local, field="user_preferences", user_preferences=chosen)
    assert [(wish.handle, wish.stops) for wish in menu.opt_outs] == [(PHONE, True), ("52", False)]
    assert menu.opt_outs[0].at == datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)


# ---- polls, health, privacy


def test_a_poll_stores_nothing_and_says_that_we_are_up(local: Egress, collect: Any) -> None:
    assert collect(source(local)) == 0
    assert (collect.error, [page.posts for page in collect.pages]) == (None, [()])


def test_a_poll_notices_that_nobody_would_call(local: Egress, collect: Any) -> None:
    asking = {"account_id": "555", "access_token": TOKEN}
    with serving(Edges({"555/subscribed_apps": [[{"whatsapp_business_api_data": {"name": "Escucha"}}]]})) as web:
        assert collect(source(local, base_url=web.url, **asking)) == 0
        assert collect.error is None
    with serving(Edges({"555/subscribed_apps": [[]]})) as web:
        collect(source(local, base_url=web.url, **asking))
        assert isinstance(collect.error, NotAllowed)


def test_no_number_and_no_word_of_a_person_is_logged(local: Egress, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    heard(local, message("mi clave secreta"), {"id": "wamid.5", "from": PHONE})
    assert PHONE not in caplog.text
    assert "secreta" not in caplog.text


def test_it_is_pushed_and_says_so_and_its_manual_names_every_key(local: Egress) -> None:
    assert isinstance(source(local), Pushed)
    assert not isinstance(source(local), Rechecks)  # WhatsApp tells of a deletion by itself, and cannot be asked
    manual = (Path(__file__).parents[3] / "docs/sources/whatsapp.md").read_text("utf-8")
    assert [key for key in whatsapp.Settings.model_fields if f"\n{key} = " not in manual] == []
    with pytest.raises(ValidationError, match="together"):
        whatsapp.Settings(**KEYS, account_id="555")
