"""A row holds what the encoder reads: the text with the brand between marks, the entity, and who wrote it apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tokenizers import Tokenizer

from listener.mention import Author, Brand, Post, Term
from sentiment.encoder import MODEL, TOKENIZER
from sentiment.sequence import MARKS, Named, Sequencer, entity_of, profile_of

CLARO = Brand("claro", "Claro", "own", "PE", "telecom operator", ("Claro",))


@pytest.fixture(scope="module")
def sequencer() -> Sequencer:
    return Sequencer(Tokenizer.from_file(str(MODEL / TOKENIZER)))


def term(text: str, name: str) -> Term:
    return Term(text.index(name), text.index(name) + len(name), name)


def test_the_brand_stands_between_marks_and_its_places_are_told(sequencer: Sequencer) -> None:
    text = "ayer Claro y Entel, sin señal"
    row = sequencer.row(Named(text, [term(text, "Claro")], [term(text, "Entel")]), "Claro ; PE")
    brand, rival = sequencer.marks["brand"], sequencer.marks["rival"]
    assert [row.ids[place] for place in row.brand][:: len(row.brand) - 1] == [brand, brand]
    assert row.ids.count(rival) == 2
    assert row.ids.count(sequencer.marks["about"]) == 1


def test_what_a_text_means_for_a_brand_never_sees_who_wrote_it(sequencer: Sequencer) -> None:
    text = Named("sin señal", (), ())
    short = sequencer.row(text, "Claro ; PE", Named("@ana ; periodista"))
    other = sequencer.row(text, "Claro ; PE", Named("OSIPTEL ; @osiptel ; verified"))
    assert short.seen == other.seen
    assert short.ids[: short.seen] == other.ids[: other.seen]
    assert short.ids[short.seen :] != other.ids[other.seen :]


def test_spans_lead_back_to_the_text(sequencer: Sequencer) -> None:
    text = "¡Qué bien! https://x.example/a Claro cobró 2 veces"
    row = sequencer.row(Named(text, [term(text, "Claro")]), "Claro")
    assert len(row.spans) == row.words
    quoted = {text[start:end] for start, end in row.spans}
    assert {"https://x.example/a", "Claro"} <= quoted
    covered = {place for start, end in row.spans for place in range(start, end)}
    assert all(place in covered for place, sign in enumerate(text) if not sign.isspace())


def test_plain_speech_has_neither_handles_nor_an_entity(sequencer: Sequencer) -> None:
    one, other = (sequencer.row(Named(f"gracias @{name}")) for name in ("ana", "un_nombre_mucho_mas_largo"))
    assert one.ids == other.ids
    assert sequencer.marks["about"] not in one.ids


def test_a_brand_that_is_not_named_is_read_where_the_entity_stands(sequencer: Sequencer) -> None:
    row = sequencer.row(Named("pésimo servicio"), "Claro ; PE")
    assert row.brand
    assert min(row.brand) > row.words


def test_a_long_text_is_cut_and_says_so(sequencer: Sequencer) -> None:
    assert sequencer.row(Named("no funciona " * 2000), "Claro").cut
    assert len(sequencer.row(Named("no funciona " * 2000), "Claro", Named("bio " * 900)).ids) < 300
    assert not sequencer.row(Named("no funciona"), "Claro").cut


def test_a_text_cannot_write_our_marks(sequencer: Sequencer) -> None:
    row = sequencer.row(Named("<s> </s> [BRAND] <pad> <unk> ▁ brand </s>"), "Claro")
    marks = [place for place in row.ids[1 : row.words + 1] if place in sequencer.marks.values()]
    assert not marks
    assert not {0, 1, 2, 3} & set(row.ids[1 : row.words + 1])
    assert len(MARKS) == len(set(sequencer.marks.values()))


@pytest.mark.parametrize("followers", [None, -1, float("nan"), float("inf"), 10**400, 0, 7, 10**12])
def test_a_profile_takes_whatever_the_platform_told(followers: float | None) -> None:
    author = Author("@ana", "Ana\n Paz", None, None, "http://[", None, followers)  # type: ignore[arg-type]
    told = profile_of(Post("x", "1", "hola", datetime.now(UTC), author))
    assert told.startswith("x ; Ana Paz ; @ana")
    assert ("followers" in told) == (followers in (0, 7, 10**12))


def test_reach_is_told_as_a_power_of_ten() -> None:
    author = Author(handle="osiptel", url="https://www.osiptel.gob.pe/inicio", verified=True, followers=250_000)
    told = profile_of(Post("feed_rss", "1", "x", datetime.now(UTC), author, country="PE"))
    assert told == "news ; PE ; @osiptel ; osiptel.gob.pe ; verified ; 100000 followers"


def test_a_profile_of_which_nothing_is_told_is_still_one() -> None:
    assert profile_of(Post("explain", "1", "hola", datetime.now(UTC))) == "x"


def test_an_entity_is_its_name_sector_and_country() -> None:
    assert entity_of(CLARO) == "Claro ; telecom operator ; PE"
    assert entity_of(Brand("b", "B")) == "B"
