from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import MissingLibrary, NotAllowed, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Author
from listener.platforms import imapline
from listener.platforms.mailpost import LARGEST, TOO_DEEP
from listener.sources import imap
from tests.servers.imap import PASSWORD, USER, Folder, Mailbox, letter, mailing, two_pages

NOW = datetime(2026, 5, 4, 20, 0, tzinfo=UTC)


def source(mailbox: Mailbox, egress: Egress, **settings: Any) -> imap.Source:
    told = {"host": "127.0.0.1", "security": "none", "user": USER, "password": SecretStr(PASSWORD), **settings}
    return imap.Source("mail", imap.Settings(port=mailbox.port, **told), egress, now=lambda: NOW)


def posts(collect: Any) -> list[Any]:
    return [post for page in collect.pages for post in page.posts]


# ---- reading


def test_letters_are_stored_once_page_by_page_and_nothing_in_the_mailbox_changes(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        two_pages(mailbox)
        reading = source(mailbox, local, page_size=2)
        assert collect(reading) == 3
        assert collect.error is None
        assert [len(page.posts) for page in collect.pages] == [2, 1]
        assert all(page.cursor for page in collect.pages)
        assert collect(reading) == 0
        mailbox.inbox.add(letter(number=4))
        assert collect(reading) == 1
        assert collect.ids() == [f"m{n}@example.org" for n in (1, 2, 3, 4)]
        asked = " ".join(mailbox.asked)
    assert "SELECT" not in asked
    assert "STORE" not in asked
    assert "BODY[" not in asked  # BODY.PEEK[ marks nothing as read
    assert "LOGOUT" in asked


def test_what_a_letter_says_arrives(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        told = "References: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n"
        mailbox.inbox.add(letter("Sin señal\r\n\r\n-- \r\nAna", subject="=?utf-8?q?Se=C3=B1al?=", headers=told))
        collect(source(mailbox, local, about="nitido"))
    (post,) = posts(collect)
    assert post.text == "Señal\nSin señal"
    assert post.author == Author(handle="ana@example.org", name="Ana Torres")
    assert (post.in_reply_to, post.thread, post.about) == ("b@x", "a@x", "nitido")
    assert post.published_at == datetime(2026, 5, 4, 14, 1, tzinfo=UTC)
    assert post.raw["mail"]["subject"] == "Señal"
    assert "nitido.example" not in repr(post.raw)  # who else got it is nobody's business


def test_only_the_beginning_of_a_large_letter_comes_over_the_line(local: Egress, collect: Any) -> None:
    big = (
        b"From: a@b.org\r\nSubject: foto\r\nMessage-ID: <big@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nmire la factura\r\n--b\r\nContent-Type: image/png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * 500_000
    )
    with mailing() as mailbox:
        mailbox.inbox.add(big)
        mailbox.inbox.add(letter(number=2))
        assert collect(source(mailbox, local)) == 2
        assert mailbox.sent < LARGEST + 5_000
    assert {post.text for post in posts(collect)} == {"foto\nmire la factura", "Reclamo\nLlevo tres días sin señal"}


def test_automatic_letters_are_passed_over(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        mailbox.inbox.add(letter(number=1, headers="Auto-Submitted: auto-generated\r\n"))  # what Escucha itself sends
        mailbox.inbox.add(letter(number=2, headers="Auto-Submitted: no\r\n"))
        assert collect(source(mailbox, local)) == 1
        assert collect(source(mailbox, local)) == 0
    assert collect.ids() == ["m2@example.org"]


def test_the_first_poll_reads_back_to_a_day_and_later_ones_go_on_behind_the_last(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        two_pages(mailbox)
        reading = source(mailbox, local, since="10 days")
        collect(reading)
        collect(reading)
        searches = [line.partition(" ")[2] for line in mailbox.asked if "UID SEARCH" in line]
    assert "SINCE 24-Apr-2026" in searches[0]
    assert "UID 4:*" in searches[-1]


def test_a_mailbox_that_counts_anew_is_read_again_and_nothing_is_stored_twice(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        two_pages(mailbox)
        reading = source(mailbox, local)
        collect(reading)
        letters = [*list(mailbox.inbox.letters.values())[1:], letter(number=9)]
        mailbox.folders["INBOX"] = Folder(dict(enumerate(letters, 1)), validity=8)
        assert collect(reading) == 1
        assert collect(reading) == 0
        assert "m9@example.org" in collect.ids()


def test_a_poll_stops_at_its_pages_and_the_next_one_goes_on(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        for number in range(1, 8):
            mailbox.inbox.add(letter(number=number))
        reading = source(mailbox, local, page_size=2, max_pages=2)
        assert [collect(reading), collect(reading), collect(reading)] == [4, 3, 0]


def test_every_folder_has_its_own_place_and_a_missing_one_stops_no_other(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        two_pages(mailbox)
        mailbox.folders["Reclamos"] = Folder({5: letter(number=5)})
        assert collect(source(mailbox, local, folders=("Nada", "INBOX", "Reclamos"))) == 4
    assert isinstance(collect.error, Unreachable)
    assert str(collect.error) == imap._NO_FOLDER


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", imap.NO_LETTER),
        (b"\xff\xfe\x00", imap.NO_LETTER),
        (
            b"From: a@b.org\r\nSubject: x\r\n" + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 99,
            TOO_DEEP,
        ),
    ],
)
def test_a_strange_letter_is_kept_aside_and_the_rest_of_its_page_goes_on(
    body: bytes, why: str, local: Egress, collect: Any
) -> None:
    with mailing() as mailbox:
        mailbox.inbox.add(body)
        mailbox.inbox.add(letter(number=2))
        assert collect(source(mailbox, local)) == 1
        assert collect.error is None
        assert [reason for _, reason in collect.rejected()] == [why]


# ---- faults


def on(start: str, answer: bytes) -> Any:
    return lambda line: answer if line.upper().startswith(start) else None


FAULTS = {
    "wrong password": (on("LOGIN", b"TAG NO [AUTHENTICATIONFAILED] no\r\n"), NotAllowed),
    "busy": (on("LOGIN", b"TAG NO [UNAVAILABLE] later\r\n"), Unreachable),
    "dropped at sign-in": (on("LOGIN", b"DROP"), Unreachable),
    "dropped at search": (on("UID SEARCH", b"DROP"), Unreachable),
    "dropped in a letter": (on("UID FETCH", b"* 1 FETCH (UID 1 BODY[] {5000}\r\nFromDROP"), Unreachable),
    "search refused": (on("UID SEARCH", b"TAG NO no\r\n"), Unreadable),
    "fetch refused": (on("UID FETCH", b"TAG BAD no\r\n"), Unreadable),
    "a web page": (on("UID SEARCH", b"<html>\r\nTAG what\r\n"), Unreadable),
    "a line without end": (on("UID SEARCH", b"* SEARCH" + b" 1" * 1_500_000), Unreadable),
    "a letter of four gigabytes": (on("UID FETCH", b"* 1 FETCH (UID 1 BODY[] {4294967296}\r\n"), Unreadable),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_keeps_what_was_stored_and_its_place(
    fault: str, local: Egress, collect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer, kind = FAULTS[fault]
    former = logging.getLogRecordFactory()
    install()
    try:
        caplog.set_level(logging.DEBUG)
        with mailing() as mailbox:
            two_pages(mailbox)
            reading = source(mailbox, local)
            collect(reading)
            before = collect.cursor("mail")
            mailbox.inbox.add(letter(number=4))
            mailbox.fault = answer
            collect(reading)
    finally:
        install()
        logging.setLogRecordFactory(former)
    assert type(collect.error) is kind
    assert collect.cursor("mail") == before
    assert len(collect.ids()) == 3
    for told in (caplog.text, str(collect.error)):
        assert PASSWORD not in told
        assert USER not in told


def test_a_greeting_that_is_none_is_a_failure(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        mailbox.greeting = b"HTTP/1.1 400 Bad Request\r\n"
        collect(source(mailbox, local))
    assert type(collect.error) is Unreadable


def test_a_server_that_is_too_slow_is_left(local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imapline, "_SECONDS", -1.0)
    with mailing() as mailbox:
        two_pages(mailbox)
        collect(source(mailbox, local))
    assert type(collect.error) is Unreachable


def test_the_host_must_be_listed_and_a_private_one_inside(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        collect(source(mailbox, Egress(frozenset({"imap.example.org"}))))
        assert type(collect.error) is Refused
        collect(source(mailbox, Egress(frozenset({"127.0.0.1"})), security="tls"))
        assert type(collect.error) is Refused
        assert mailbox.asked == []


def test_a_password_is_not_sent_in_clear_outside_the_own_network(collect: Any) -> None:
    with mailing() as mailbox:
        collect(source(mailbox, Egress(frozenset({"127.0.0.1"}))))
        assert str(collect.error) == imap._NO_TLS
        assert mailbox.asked == []


def test_without_the_library_the_sentence_names_the_extra(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "imap_tools", None)
    with mailing() as mailbox:
        collect(source(mailbox, local))
    assert isinstance(collect.error, MissingLibrary)
    assert "escucha[imap]" in str(collect.error)


def test_probe_signs_in_and_opens_the_folders(local: Egress) -> None:
    with mailing() as mailbox:
        source(mailbox, local).probe()
        assert "EXAMINE" in " ".join(mailbox.asked)
        with pytest.raises(NotAllowed):
            source(mailbox, local, password=SecretStr("other")).probe()
        with pytest.raises(Unreachable):
            source(mailbox, local, folders=("Nada",)).probe()


# ---- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for localhost that nobody signed."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_cannot_be_trusted_gets_no_password(
    security: str, certificate: Path, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Egress(frozenset({"localhost"}), frozenset({"localhost"}))
    with mailing() as mailbox:
        two_pages(mailbox)
        mailbox.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        mailbox.context.load_cert_chain(certificate)
        mailbox.tls_at_once = security == "tls"
        collect(source(mailbox, inside, host="localhost", security=security))
        assert str(collect.error) == imap._NO_TRUST
        assert "LOGIN" not in " ".join(mailbox.asked)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # now it is trusted
        assert collect(source(mailbox, inside, host="localhost", security=security)) == 3
        assert collect.error is None


def test_a_server_without_starttls_gets_no_password(local: Egress, collect: Any) -> None:
    with mailing() as mailbox:
        collect(source(mailbox, local, security="starttls"))
        assert type(collect.error) is Unreachable
        assert "LOGIN" not in " ".join(mailbox.asked)


@pytest.mark.parametrize(
    "wrong", [{"host": "imaps://x"}, {"security": "ssl"}, {"user": "a\r\nb"}, {"folders": ["a\nb"]}, {"port": 0}]
)
def test_settings_refuse_what_cannot_be_asked(wrong: Any) -> None:
    good = {"host": "imap.example.org", "user": "a", "password": "canary"}
    imap.Settings.model_validate(good)
    with pytest.raises(ValidationError):
        imap.Settings.model_validate({**good, **wrong})
    assert "canary" not in repr(imap.Settings.model_validate(good))
