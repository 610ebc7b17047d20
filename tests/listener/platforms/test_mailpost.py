from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from listener.platforms.mailpost import LARGEST, NO_LETTER, TOO_DEEP, new_words, read_letter

HEAD = b"From: Ana <ana@x.org>\r\nSubject: Reclamo\r\nMessage-ID: <m@x>\r\nDate: Mon, 4 May 2026 09:12:00 -0500\r\n"


def made(**parts: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["Subject"], letter["Message-ID"] = "Ana <ana@x.org>", "Reclamo", "<m@x>"
    if "text" in parts:
        letter.set_content(parts["text"])
    if "html" in parts and "text" in parts:
        letter.add_alternative(parts["html"], subtype="html")
    elif "html" in parts:
        letter.set_content(parts["html"], subtype="html")
    return letter


# ---- words


def test_plain_text_is_preferred_and_attachments_are_left_out() -> None:
    letter = made(text="sin señal\n", html="<p>sin <b>señal</b></p>")
    letter.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="factura.pdf")
    letter.add_attachment("no es la carta", filename="otra.txt")
    told = read_letter(letter.as_bytes())
    assert told.text == "Reclamo\nsin señal"


def test_html_becomes_lines_of_text_without_script_style_or_quotation() -> None:
    html = (
        "<html><style>p{}</style><body><p>Hola&nbsp;Nítido</p><script>x()</script><div>sin <b>señal</b></div>"
        '<div class="gmail_quote">El lunes escribió: <blockquote>gracias por su paciencia</blockquote></div></body>'
    )
    assert read_letter(made(html=html).as_bytes()).text == "Reclamo\nHola Nítido\nsin señal"


ANSWER = "Sigo sin señal.\n\nNadie llama."
QUOTED = [
    "El lun, 4 may 2026 a las 9:12, Nítido (<ayuda@nitido.example>) escribió:\n\n> Estimada Ana\n> su caso",
    "El lun, 4 may 2026 a las 9:12, Atención al cliente de Nítido\n<ayuda@nitido.example> escribió:\n> Estimada Ana",
    "On Mon, May 4, 2026 at 9:12 AM Nítido <ayuda@nitido.example> wrote:\n> Dear Ana",
    "Em seg., 4 de mai. de 2026 às 09:12, Nítido <ayuda@nitido.example> escreveu:\n\n> Prezada Ana",
    "2026-05-04 9:12 GMT-05:00 Nítido <ayuda@nitido.example>:\n> Estimada Ana",
    "-----Mensaje original-----\nDe: Nítido\nEnviado: lunes\n\nEstimada Ana",
    "----- Original Message -----\nEstimada Ana",
    "---------- Forwarded message ---------\nEstimada Ana",
    "De: Nítido <ayuda@nitido.example>\nEnviado el: lunes, 4 de mayo de 2026\nPara: Ana\nEstimada Ana",
    "From: Nítido\nSent: Monday\nTo: Ana\n\nEstimada Ana",
    "________________________________\nDe: Nítido\nEstimada Ana",
    "-- \nAna Torres\nGerente",
    "Enviado desde mi iPhone",
    "Sent from my Galaxy",
    "> Estimada Ana\n> su caso está en revisión",
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_quoted_history_and_signatures_are_cut(quoted: str) -> None:
    assert new_words(f"{ANSWER}\n\n{quoted}\n") == ANSWER


def test_answers_between_and_below_quotations_are_kept() -> None:
    text = (
        "El lun, 4 may 2026 a las 9:12, Nítido escribió:\n> ¿Tiene señal?\nNo tengo.\n> ¿Desde cuándo?\nDesde ayer.\n"
    )
    assert new_words(text) == "No tengo.\nDesde ayer."


@pytest.mark.parametrize(
    "text", ["De: todas formas no funciona", "el plan que él escribió: malo", "----------", "- uno\n- dos", "__init__"]
)
def test_words_that_only_look_like_quoting_are_kept(text: str) -> None:
    assert new_words(f"{text}\nsin señal") == f"{text}\nsin señal"


def test_a_letter_that_is_all_quotation_is_kept_whole() -> None:
    assert new_words("> reenvío\n> sin señal") == "> reenvío\n> sin señal"


# ---- headers


def test_headers_are_read_whatever_their_character_set() -> None:
    raw = (
        b"From: =?iso-8859-1?q?Ana_Mu=F1oz?= <ANA@X.org>\r\n"
        b"Subject: =?utf-8?b?U2XDsWFs?=\r\n\t=?utf-8?q?_ca=C3=ADda?=\r\n"
        b"Message-ID: <m@x>\r\nIn-Reply-To: <b@x>\r\nReferences: <a@x>\r\n <b@x>\r\n\r\nhola"
    )
    told = read_letter(raw)
    assert (told.name, told.handle, told.subject) == ("Ana Muñoz", "ana@x.org", "Señal caída")
    assert (told.native_id, told.in_reply_to, told.thread) == ("m@x", "b@x", "a@x")


def test_headers_in_bare_utf8_are_read() -> None:
    told = read_letter("From: Ana Muñoz <ana@x.org>\nSubject: Señal caída\n\nhola".encode())
    assert (told.name, told.subject) == ("Ana Muñoz", "Señal caída")


def test_a_name_cannot_feign_an_address_and_a_header_no_second_line() -> None:
    head = b"From: =?utf-8?q?jefe=40nitido=2Eexample=2C?= <ana@x.org>\r\nSubject: =?utf-8?q?a=0D=0ABcc:_x=40y?=\r\n"
    told = read_letter(head + b"\r\nhola")
    assert told.handle == "ana@x.org"
    assert told.subject == "a Bcc: x@y"


def test_the_time_is_that_of_the_letter_else_of_the_last_server() -> None:
    assert read_letter(HEAD + b"\r\nhola").sent_at == datetime(2026, 5, 4, 14, 12, tzinfo=UTC)
    received = b"From: a@b.org\r\nReceived: from x by y; Mon, 4 May 2026 09:13:00 +0000\r\nDate: ayer\r\n\r\nhola"
    assert read_letter(received).sent_at == datetime(2026, 5, 4, 9, 13, tzinfo=UTC)
    for wrong in (
        b"",
        b"Date: \r\n",
        b"Date: Mon, 99 May 99999 99:99:99 +9999\r\n",
    ):
        assert read_letter(b"From: a@b.org\r\n" + wrong + b"\r\nhola").sent_at is None


def test_without_a_message_id_a_hash_tells_letters_apart() -> None:
    one = read_letter(b"From: a@b.org\r\nSubject: x\r\n\r\nhola").native_id
    assert one == read_letter(b"From: a@b.org\r\nSubject: x\r\n\r\nhola").native_id
    assert one != read_letter(b"From: a@b.org\r\nSubject: y\r\n\r\nhola").native_id


@pytest.mark.parametrize(("told", "automatic"), [("auto-replied", True), ("auto-generated; x", True), ("no", False)])
def test_automatic_letters_are_known(told: str, automatic: bool) -> None:
    assert read_letter(HEAD + f"Auto-Submitted: {told}\r\n\r\nhola".encode()).automatic is automatic


@pytest.mark.parametrize(
    "charset", ["x-unknown", "punycode", "idna", "zlib", "hex", "rot13", "utf-16", "\xff", "a" * 999]
)
def test_a_character_set_that_is_none_breaks_nothing(charset: str) -> None:
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert read_letter(HEAD + head.encode("utf-8") + "señal".encode()).text.startswith("Reclamo\n")


@pytest.mark.parametrize("body", [b"", b"\x00", b"hola", b"<html>", b"\r\n\r\nhola", b"To: x@y.org\r\n\r\nhola"])
def test_what_is_no_letter_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=NO_LETTER):
        read_letter(body)


# ---- hostile letters: bounded time, no crash


def nested(levels: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))


HOSTILE = {
    "10,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: image/x\r\n\r\nx\r\n" * 10_000,
    "nested as deep as is read, and long": nested(24) + b"Content-Type: text/plain\r\n\r\n" + b"x\r\n" * 100_000,
    "digest": b"Content-Type: multipart/digest; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 30_000,
    "headers without end": b"".join(b"X-%d: y\r\n" % n for n in range(20_000)),
    "words in a header": b"X: " + b"=?utf-8?q?a?= " * 40_000,
    "quoted addresses": b"To: " + b'"a' * 100_000,
    "punycode": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a" * 500_000,
    "nested HTML": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
    "comments in HTML": b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000,
    "breaks in HTML": b"Content-Type: text/html\r\n\r\n" + b"<b>x<br>" * 60_000,
    "dashes": b"\r\n" + b"-" * 400_000,
    "rules": b"\r\n" + (b"_" * 250 + b"\r\n") * 2_000,
    "attributions": b"\r\n" + "el jueves a las nueve escribió mas\r\n".encode() * 10_000,
    "blanks": b"\r\n" + b" " * 400_000,
    "broken base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"A===\r\n" * 80_000,
    "a boundary of half a megabyte": b'Content-Type: multipart/mixed; boundary="' + b"a" * 500_000 + b'"\r\n\r\nhola',
    "parameters without end": b"Content-Type: text/plain; " + b"a*0=b;" * 80_000 + b"\r\n\r\nhola",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_letter_is_read_in_bounded_time(kind: str) -> None:
    began = time.process_time()
    told = read_letter(HEAD + HOSTILE[kind])
    assert time.process_time() - began < 1.5
    assert told.handle == "ana@x.org"
    assert len(told.text) <= 20_000


@pytest.mark.parametrize("body", [nested(2_000), b"Content-Type: message/rfc822\r\n\r\n" * 5_000])
def test_a_letter_that_is_built_too_deep_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=TOO_DEEP):
        read_letter(HEAD + body)


def test_comments_in_comments_of_a_sender_break_nothing() -> None:
    assert read_letter(b"From: " + b"(" * 200_000 + b"\r\nSubject: x\r\n\r\nhola").handle is None


def test_only_the_beginning_of_a_letter_is_read() -> None:
    assert len(read_letter(HEAD + b"\r\n" + b"x\n" * LARGEST).text) == 20_000
