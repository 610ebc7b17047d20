"""Send mail with the standard library: smtplib carries it, EmailMessage writes it (RFC 5321, 5322, 2387, 3834).

The Message-ID is made from the outbox key and never changes, so a mail that arrived before the line broke and is sent
again carries the same one, and the receiving server can drop it.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import TYPE_CHECKING

from listener.errors import DeliveryError

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["build", "open_line"]

TIMEOUT = 20.0  # seconds of silence, at each step of the dialogue
POLICY = SMTP.clone(cte_type="7bit")  # passes every server, also those without 8BITMIME


@contextmanager
def open_line(config: Config) -> Iterator[_MailLine]:
    """Connect, protect the line and log in; raises DeliveryError(retry=True): a server that is away comes back."""
    connection = _connect(config)
    try:
        yield _MailLine(connection, config)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            connection.quit()
        connection.close()


def _connect(config: Config) -> smtplib.SMTP:
    mail = config.settings.mail
    name = socket.gethostname() or "localhost"  # smtplib would ask DNS for our own name, which can take long
    connection: smtplib.SMTP | None = None
    try:
        if mail.security == "tls":
            connection = smtplib.SMTP_SSL(
                mail.host, mail.port, name, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(mail.host, mail.port, name, timeout=TIMEOUT)
        if mail.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if mail.user is not None:
            connection.login(mail.user, mail.password.get_secret_value() if mail.password else "")
    except (smtplib.SMTPException, OSError) as error:
        if connection is not None:
            connection.close()
        # Even a refused password waits: the letters are good, and go out when the configuration is mended.
        raise DeliveryError(f"the mail server {mail.host}:{mail.port} does not serve us: {_told(error)}") from None
    return connection


class _MailLine:
    """Hold one open SMTP dialogue."""

    def __init__(self, connection: smtplib.SMTP, config: Config) -> None:
        self._connection = connection
        self._config = config

    @property
    def alive(self) -> bool:
        """Tell whether the server still listens on this line."""
        return self._connection.sock is not None

    def send(self, message: Message) -> None:
        """Hand over one mail; 4xx and a broken line may be tried again, 5xx for this recipient or letter may not."""
        try:
            letter = build(message, self._config)
        except ValueError as error:
            raise DeliveryError(f"the letter cannot be written: {_told(error)}", retry=False) from None
        try:
            self._connection.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise DeliveryError(f"the address was not taken: {_answer(code, said)}", retry=code < 500) from None
        except smtplib.SMTPSenderRefused as error:
            # Our own address is at fault, not this letter: it waits until [mail] sender is mended.
            raise DeliveryError(f"[mail] sender was not taken: {_told(error)}") from None
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(f"the server cannot carry this letter: {_told(error)}", retry=False) from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"the letter was not taken: {_told(error)}", retry=error.smtp_code < 500) from None
        except (smtplib.SMTPException, OSError) as error:
            # Perhaps it has arrived and only the answer was lost; the same Message-ID goes out again.
            self._connection.close()
            raise DeliveryError(f"the line broke: {_told(error)}") from None


def build(message: Message, config: Config) -> EmailMessage:
    """Write a message as MIME: text, HTML beside it, pictures inside; raises ValueError for an impossible address."""
    name, address = parseaddr(config.settings.mail.sender)
    letter = EmailMessage(policy=POLICY)
    letter["Message-ID"] = f"<{message.key}@{_domain(address)}>"
    letter["Date"] = message.at.astimezone(UTC)
    letter["From"] = Address(_line(name or config.settings.instance.name), addr_spec=_line(address))
    letter["To"] = Address(addr_spec=_line(message.recipient))
    letter["Subject"] = _line(message.subject)
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    letter.set_content(message.text)
    if message.html is not None:
        letter.add_alternative(message.html, subtype="html")
        parts = letter.get_payload()
        assert isinstance(parts, list)
        page = parts[-1]
        assert isinstance(page, EmailMessage)
        for picture in message.pictures:
            page.add_related(
                picture.body,
                maintype="image",
                subtype=picture.kind,
                cid=f"<{picture.name}>",
                filename=f"{picture.name}.{picture.kind}",
                disposition="inline",
            )
    if message.lang:  # last: a Content-… header set before would move into the first part
        letter["Content-Language"] = message.lang
    return letter


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    return domain if domain.isascii() and 0 < len(domain) <= 120 else "escucha.invalid"


def _line(text: str) -> str:
    """Give a text as one header line: no line breaks, no controls, no marks that turn the reading direction."""
    kept = ("" if unicodedata.category(sign) in ("Cf", "Cs") else sign for sign in text)
    spaced = (" " if unicodedata.category(sign).startswith(("C", "Z")) else sign for sign in "".join(kept))
    return " ".join("".join(spaced).split())[:250]


def _answer(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {_line(text)}"[:300]


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {_line(str(error))}"[:300]
