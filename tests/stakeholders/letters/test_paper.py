"""Paper: a PDF in the house's look, the same bytes for the same content, and strangers' text as text only."""

from __future__ import annotations

from datetime import UTC, datetime

import pypdfium2 as pdfium

from stakeholders.letters.paper import Paper

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def paper() -> Paper:
    return Paper("Caso 12", "es", "Escucha · Caso 12", AT)


def words(data: bytes) -> list[str]:
    """Give the text of each page as a reader of PDF finds it."""
    document = pdfium.PdfDocument(data)
    try:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
    finally:
        document.close()


def write(document: Paper) -> bytes:
    document.heading("Caso 12: reclamo en Piura", over="EXPEDIENTE")
    document.text("Abierto el 20 de noviembre", muted=True)
    document.callout("No funcionó", "3 de 8 casos pasaron su plazo", tone="bad")
    document.bullet("Ñandú, así es", "good", after="con una nota")
    document.table([["10:00", "Ana"], ["10:05", "Luis"]], ["Cuándo", "Quién"], numbers=[0])
    document.rule()
    return document.finish()


def test_the_same_content_gives_the_same_bytes_and_another_word_gives_others() -> None:
    first, second = write(paper()), write(paper())
    assert first == second
    other = paper()
    other.text("otra cosa")
    assert write(other) != first


def test_what_was_written_is_read_back_with_its_accents_in_order() -> None:
    (page,) = words(write(paper()))
    told = ["EXPEDIENTE", "Caso 12: reclamo en Piura", "No funcionó", "Ñandú, así es", "Cuándo", "10:05", "1 / 1"]
    places = [page.index(part) for part in told]
    assert places[:-1] == sorted(places[:-1])


def test_a_strangers_text_is_text_without_markup_links_or_hidden_signs() -> None:
    document = paper()
    document.quote("**negrita** [x](javascript:alert(1)) <b>hola</b> \u202eoculto\u200b {nb} 🫠", "@maria · X")
    data = document.finish()
    (page,) = words(data)
    assert "**negrita** [x](javascript:alert(1)) <b>hola</b> oculto {nb} ▯" in " ".join(page.split())
    assert b"/URI" not in data


def test_a_quote_longer_than_a_page_is_told_to_its_end() -> None:
    document = paper()
    document.quote("palabra " * 2500 + "final", "la fuente")
    pages = words(document.finish())
    assert len(pages) > 2
    assert sum(page.count("palabra") for page in pages) == 2500
    assert "final" in pages[-1]
    assert "la fuente" in pages[-1]


def test_the_head_of_a_table_is_repeated_on_each_page() -> None:
    document = paper()
    document.table([[str(number), "Ana"] for number in range(200)], ["Número", "Quién"])
    pages = words(document.finish())
    assert len(pages) > 2
    assert all("Número" in page for page in pages)
