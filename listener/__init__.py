"""Hear: sources → posts → mentions of a brand. The lowest room: it imports none of the others."""

from __future__ import annotations

from listener.mention import Author, Brand, Mention, Metrics, Page, Post, Rejected, Source, Term

__all__ = ["Author", "Brand", "Mention", "Metrics", "Page", "Post", "Rejected", "Source", "Term"]
