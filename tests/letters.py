"""Write letters and mailboxes as the standard library does."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from pathlib import Path


def letter(number: int, text: str = "sin señal", at: str = "09:12:00") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"] = "Ana <ana@x.org>", f"Reclamo {number}"
    made["Message-ID"], made["Date"] = f"<m{number}@x>", f"Mon, 4 May 2026 {at} -0500"
    made.set_content(text)
    return made


def written(path: Path, *letters: EmailMessage) -> Path:
    """Append letters as the standard library does."""
    box = mailbox.mbox(path)
    for one in letters:
        box.add(one)
    box.close()
    return path
