"""Mail: what arrives is a whole letter, a stranger's words stay words, and the wire's faults are told apart."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.errors import DeliveryError
from listener.mention import Author
from listener.reason import reason
from stakeholders.alerts import queue_case, queue_source
from stakeholders.channels import Message, Picture, channels, open_line, send, split_address
from stakeholders.channels.mail import build
from stakeholders.letters.letter import write_letter
from stakeholders.store import alerts
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import NOW, make_config, make_route, open_one, open_store

HOSTILE = (
    "<script>alert(1)</script><img src=http://tracker.example/p.gif onerror=alert(1)> Nítido\r\n"
    "![x](http://tracker.example/t.png) [link](javascript:alert(1)) </td></table><style>*{display:none}</style>\r\n"
    "\u202egnp.exe\u202c \u2066oculto\u2069 \x00\x07 {{ 7*7 }} {% raw %}\r\nSubject: forged"
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parts(letter: EmailMessage) -> tuple[str, str, Tags]:
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert page is not None
    html = page.get_content()
    tags = Tags()
    tags.feed(html)
    return text.get_content().replace("\r\n", "\n"), html, tags


def message(**more: Any) -> Message:
    values = {"key": "case.1.1.0.ab", "recipient": "a@nitido.example", "subject": "Hola", "text": "hola\n", "at": NOW}
    return Message(**{**values, **more})


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def letters(tmp_path: Path) -> Any:
    """Give a function that queues one case and gives its letters as they were read back from MIME."""
    url = f"sqlite:///{tmp_path}/escucha.db"
    store = open_store(url)

    def write(**more: Any) -> list[EmailMessage]:
        config = make_config(tmp_path, url, **more.pop("config", {}))
        now = more.pop("at", NOW)
        with store.write() as connection:
            case, mention_id = open_one(connection, config, **more)
            queue_case(connection, config, case, mention_id, False, NOW)
            rows = connection.execute(sa.select(alerts).where(alerts.c.case_id == case.id).order_by(alerts.c.id)).all()
            return [build(write_letter(connection, config, row, now), config) for row in rows]

    yield write
    store.close()


def test_a_letter_says_what_who_why_what_else_and_by_when(letters: Any) -> None:
    (letter,) = letters(route=make_route("legal_regulatory", "alert"), stakeholder="regulator")
    text, _, tags = parts(letter)
    shown = " ".join("".join(tags.text).split())
    assert letter["Subject"] == "[Alert] Nítido · regulator · Legal and regulatory — answer before 15:40"
    for said in ("Answer before 15:40", "Nítido me cobró dos veces", "Ana Ruiz", "@ana", "Customer goes to Legal"):
        assert said.casefold() in text.casefold(), said
        assert said.casefold() in shown.casefold(), said
    assert "change number 1" in shown.casefold()
    assert "change number 2" in shown.casefold()
    assert "change number 3" not in shown.casefold()
    links = [attributes["href"] for tag, attributes in tags.found if tag == "a"]
    assert sum("/api/acknowledge/" in str(link) for link in links) == 1
    assert any(str(link).endswith("/case?id=1") for link in links)


def test_a_hostile_post_leaves_no_tag_no_picture_and_no_header(letters: Any) -> None:
    author = Author('mal"><b>', "<i>Mal</i>\r\nBcc: spy@evil.example", bio="x")
    kind = letters(text="Nítido es bueno", url="https://x.example/1")[0]
    clean = [tag for tag, _ in parts(kind)[2].found]
    (letter,) = letters(text=HOSTILE, author=author, url='javascript:alert("x")')
    text, html, tags = parts(letter)
    assert [tag for tag, _ in tags.found if tag not in ("br", "a")] == [tag for tag in clean if tag not in ("br", "a")]
    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in tags.found}
    for _, attributes in tags.found:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "http").startswith("http")
    assert "src=" not in re.sub(r"&lt;.*?&gt;", "", html)
    for turned in "\u202e\u202c\u2066\u2069\x00\x07":
        assert turned not in text + html + str(letter["Subject"])
    assert "{{ 7*7 }}" in text
    assert letter["Bcc"] is None
    assert len(letter.get_all("Subject", [])) == 1
    assert all(line.startswith("> ") for line in text.splitlines() if "tracker.example" in line or "forged" in line)


def test_nothing_in_a_letter_is_fetched_from_elsewhere(letters: Any) -> None:
    _, html, tags = parts(letters()[0])
    assert not [one for one in tags.found if {"src", "background", "srcset"} & set(one[1])]
    assert not re.search(r"url\(|@import|<link", html)


def test_a_long_post_is_cut_and_says_so(letters: Any) -> None:
    text, _, _ = parts(letters(text="Nítido " + "palabra " * 400)[0])
    (quoted,) = [line for line in text.splitlines() if line.startswith("> ")]
    assert len(quoted) < 620
    assert quoted.endswith(" …")


def test_a_copy_is_marked_for_information_and_has_no_button(letters: Any) -> None:
    _, copy = letters(route=make_route("legal_regulatory", "alert", ("communications",)))
    text, html, _ = parts(copy)
    assert str(copy["Subject"]).startswith("[For information] ")
    assert "/api/acknowledge/" not in html + text
    assert "Legal and regulatory answers before 15:40" in text


def test_an_employee_is_never_named_to_human_resources(letters: Any) -> None:
    author = Author("juanap", "Juana Pérez", bio="call center de Nítido")
    said = "Soy Juana, @juanap: en Nítido nos deben horas. Juana Pérez"
    route = make_route("human_resources", "important", ("communications",))
    owed, copied = letters(text=said, author=author, stakeholder="employee", route=route, url="https://x.com/juanap/1")
    masked = owed.as_string() + "".join(parts(owed)[:2])
    for canary in ("juana", "pérez", "x.com", "call center"):
        assert canary not in masked.casefold()
    assert "nos deben horas" in masked
    assert "Nítido" in parts(owed)[0]
    assert "@juanap" in parts(copied)[0]


def test_a_private_person_is_shown_by_account_but_not_by_profile(letters: Any) -> None:
    text, html, _ = parts(letters(author=Author("ana", "Ana", bio=None))[0])
    assert "@ana" in text
    assert "canary bio" not in text + html


def test_a_deadline_on_another_day_names_the_day_and_a_late_one_says_so(letters: Any) -> None:
    assert "answer before Tue 5 May, 13:40" in str(letters()[0]["Subject"])
    (late,) = letters(route=make_route("customer_care", "alert"), at=NOW.replace(hour=23))
    assert "should have been answered before 15:40" in parts(late)[0]


def test_a_letter_about_a_source_says_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/escucha.db"
    config, store = make_config(tmp_path, url), open_store(url)
    with store.write() as connection:
        queue_source(connection, config, "feeds", "unreadable", "<b>HTML</b> came", NOW)
        (row,) = connection.execute(sa.select(alerts))
        text, html, _ = parts(build(write_letter(connection, config, row, NOW), config))
    store.close()
    assert "Nothing is heard from «feeds»" in text
    assert "kept in quarantine" in text
    assert "<b>HTML" not in html


def test_what_arrives_is_text_and_html_with_pictures_inside(tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, "sqlite://", port)
    picture = Picture("volume", b"\x89PNG not really", "png")
    with smtp(port) as inbox:
        send("mail", config, message(html='<p>ñ <img src="cid:volume"></p>', pictures=(picture,), lang="es"))
    (letter,) = inbox.letters
    assert letter["Message-ID"] == "<case.1.1.0.ab@nitido.example>"
    assert letter["From"] == "Escucha <escucha@nitido.example>"
    assert letter["To"] == "a@nitido.example"
    assert letter["Date"].datetime == NOW
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Content-Language"] == "es"
    assert letter.get_content_type() == "multipart/alternative"
    (image,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert image["Content-ID"] == "<volume>"
    assert image.get_content() == picture.body
    assert image.get_content_disposition() == "inline"
    assert parts(letter)[0] == "hola\n"
    assert letter.as_bytes().isascii()


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "Hola\r\nBcc: spy@evil.example\r\n\r\nbody"},
        {"subject": "Hola\nX: y\x00\u2028Bcc: spy@evil.example"},
        {"subject": "\u202eHola " + "x" * 10_000},
        {"recipient": "a@nitido.example\r\nBcc: spy@evil.example"},
    ],
)
def test_nothing_can_add_a_header(tmp_path: Path, more: dict[str, str]) -> None:
    config = make_config(tmp_path, "sqlite://")
    try:
        letter = build(message(**more), config)
    except ValueError:
        return  # an address that is none
    head = letter.as_bytes().split(b"\r\n\r\n")[0].decode()
    assert letter["Bcc"] is None
    assert not re.search(r"(?mi)^(bcc|x):", head)
    assert "\u202e" not in str(letter["Subject"])
    assert len(str(letter["Subject"])) <= 250


def test_an_impossible_address_is_refused_not_retried(tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, "sqlite://", port)
    with smtp(port), pytest.raises(DeliveryError) as told:
        send("mail", config, message(recipient="no address at all"))
    assert told.value.retry is False


@pytest.mark.parametrize(
    ("fault", "retry", "alive"),
    [
        ({"refuse": {"a@nitido.example": "451 4.7.1 later"}}, True, True),
        ({"refuse": {"a@nitido.example": "550 5.1.1 nobody"}}, False, True),
        ({"refuse": {"a@nitido.example": "421 4.3.2 closing"}}, True, False),
        ({"data": ["451 4.3.0 later"]}, True, True),
        ({"data": ["554 5.7.1 spam"]}, False, True),
        ({"data": ["abort"]}, True, False),
        ({"sender": "550 5.7.1 who are you"}, True, True),
    ],
)
def test_each_fault_of_the_wire_says_whether_later_may_help(
    tmp_path: Path, port: int, fault: dict[str, Any], retry: bool, alive: bool
) -> None:
    config = make_config(tmp_path, "sqlite://", port)
    inbox = Inbox()
    for name, value in fault.items():
        setattr(inbox, name, value)
    with smtp(port, inbox), open_line("mail", config) as line:
        with pytest.raises(DeliveryError) as told:
            line.send(message())
        assert told.value.retry is retry
        assert line.alive is alive
        if alive and "sender" not in fault:
            line.send(message(recipient="b@nitido.example"))  # the same line carries the next letter


def test_a_dead_port_is_said_with_its_name_and_may_be_tried_later(tmp_path: Path, port: int) -> None:
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port}") as told:
        send("mail", make_config(tmp_path, "sqlite://", port), message())
    assert told.value.retry


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("this machine has no openssl to make a certificate")
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *options.split(), "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize("trusted", [True, False])
def test_starttls_is_used_and_a_stranger_in_the_middle_is_refused(
    tmp_path: Path, port: int, certificate: Path, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    config = make_config(tmp_path, "sqlite://", port, mail={"security": "starttls"})
    with smtp(port, tls_context=context, require_starttls=True) as inbox:
        if trusted:
            send("mail", config, message())
        else:
            with pytest.raises(DeliveryError, match="certificate"):
                send("mail", config, message())
    assert len(inbox.letters) == int(trusted)


def test_a_wrong_password_waits_and_is_not_told(tmp_path: Path, port: int) -> None:
    mail = {"user": "escucha", "password": "canary-password"}
    config = make_config(tmp_path, "sqlite://", port, mail=mail)
    with smtp(port), pytest.raises(DeliveryError) as told:
        send("mail", config, message())
    assert told.value.retry
    assert "canary" not in str(told.value)


def test_channels_are_found_by_their_files_and_addresses_are_split_once() -> None:
    assert channels() == ("apprise", "log", "mail", "slack", "teams", "telegram", "webhook", "whatsapp")
    assert split_address(["mail:A@x.pe", "mail:a@x.pe", "mail:b@x.pe"]) == [("mail", "A@x.pe"), ("mail", "b@x.pe")]


def test_a_reason_that_quotes_a_stranger_stays_text(letters: Any) -> None:
    route = make_route()
    object.__setattr__(route, "because", (reason("the text says «{quote}»", quote="<u>multa</u> {x}"),))
    text, html, _ = parts(letters(route=route)[0])
    assert "<u>" not in html
    assert "«<u>multa</u> {x}»" in text
