"""Word what is sent: letters, chats, documents and their pictures, each in the reader's language."""

from __future__ import annotations

__all__: list[str] = []
