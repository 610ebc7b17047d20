"""The engine judges what a post means for the watched brand, says why, and never breaks on what a stranger wrote."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.errors import ClassifierError
from listener.mention import Author, Brand, Post
from listener.settings import SentimentTable
from sentiment.encoder import HEADS as WEIGHTS
from sentiment.encoder import MODEL
from sentiment.engine import EncoderClassifier, load
from sentiment.verdict import HEADS, HINTS, Item, Verdict

NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
CLARO = Brand("claro", "Claro", "own", "PE", "telecom operator", ("Claro",), ("claroperu",), ("claroperu",))
MOVISTAR = Brand("movistar", "Movistar", "competitor", "PE", "telecom operator", ("Movistar",))
QUIPU = Brand("quipu", "Quipucel", "own", "PE", "telecom operator", ("Quipucel",))


@pytest.fixture(scope="module")
def engine() -> EncoderClassifier:
    classifier = load(SentimentTable(), Path())
    assert isinstance(classifier, EncoderClassifier)
    return classifier


def item(text: str, brand: Brand = CLARO, rivals: Sequence[Brand] = (), **facts: object) -> Item:
    author = Author(handle=facts.pop("handle", None), name=facts.pop("name", None), bio=facts.pop("bio", None))  # type: ignore[arg-type]
    return Item(Post("x", "1", text, NOW, author, lang="es", **facts), brand, tuple(rivals))  # type: ignore[arg-type]


def test_a_fine_in_neutral_words_harms_the_brand(engine: EncoderClassifier) -> None:
    verdict = engine.judge([item("Osiptel multa a Claro con 3 millones de soles por cobros indebidos")])[0]
    assert (verdict.relevant.name, verdict.sentiment.name, verdict.dimension.name) == ("true", "negative", "governance")
    assert verdict.sentiment.because
    assert verdict.engine == "escucha-small 2026.11"


def test_a_comparison_helps_one_brand_and_harms_the_other(engine: EncoderClassifier) -> None:
    text = "Movistar es mejor que Claro"
    toward_claro, toward_movistar = engine.judge([item(text, CLARO, [MOVISTAR]), item(text, MOVISTAR, [CLARO])])
    assert (toward_claro.sentiment.name, toward_movistar.sentiment.name) == ("negative", "positive")


@pytest.mark.parametrize(
    ("text", "head", "label"),
    [
        ("se cayó Quipucel, sin señal en todo Comas", "intent", "outage_report"),
        ("Quiero contratar el plan de 300 megas de Quipucel, ¿cuánto cuesta?", "intent", "purchase"),
        ("Los voy a demandar, Quipucel. Mi abogado ya tiene la denuncia lista para Indecopi", "intent", "legal_threat"),
        ("BAJA Quipucel, ya no me escriban", "intent", "opt_out"),
        ("hay un cable de Quipucel echando chispas junto al colegio", "intent", "safety"),
        ("¿Quipucel tiene vacantes? Quiero dejar mi currículum", "intent", "job"),
        ("Quipucel despidió a 200 trabajadores y el sindicato anuncia huelga", "dimension", "workplace"),
        ("me encanta Quipucel, excelente atención, gracias", "sentiment", "positive"),
        ("la señal de Quipucel es pésima, un asco", "sentiment", "negative"),
    ],
)
def test_plain_posts_get_the_plain_label(engine: EncoderClassifier, text: str, head: str, label: str) -> None:
    assert getattr(engine.judge([item(text, QUIPU)])[0], head).name == label


@pytest.mark.parametrize(
    ("asked", "relevant", "why"),
    [
        (item("otra vez sin señal 🙄 @ClaroPeru"), "true", "account @ClaroPeru"),
        (item("claro que sí, mañana nos vemos"), "false", "fixed phrase"),
        (item("Me queda clarísimo, y el cielo amaneció claro"), "false", ""),
        (item("Los de Claro Chile subieron sus precios"), "false", "another country (CL)"),
        (item("@ClaroChile no responde"), "false", "another country (CL)"),
        (item("¿A qué hora abre la tienda de Claro?", bio="Mixco, Guatemala"), "false", "placed in GT"),
        (item("¿A qué hora abre la tienda de Claro?", bio="colombiana, chef"), "true", ""),
        (item("La tienda de Claro en Arequipa cerró temprano", bio="La Paz, Bolivia"), "true", ""),
        (item("Sin internet con Claro desde ayer", country="CL"), "false", "the platform places the post in CL"),
        (item("Sin internet con Claro desde ayer", country=None), "true", ""),
        (item("Tintorería Claro cumple 60 años planchando camisas"), "false", "another firm"),
        (item("pésimo servicio", about="Claro"), "true", "page or file about Claro"),
        (item("Quipucel no contesta", QUIPU), "true", "no common word"),
        (item("no contestan nunca", QUIPU), "false", "does not name"),
    ],
)
def test_relevance_rests_on_evidence_first(engine: EncoderClassifier, asked: Item, relevant: str, why: str) -> None:
    label = engine.judge([asked])[0].relevant
    assert label.name == relevant
    assert why in " ".join(reason.say("en") for reason in label.because)


def test_an_excluded_phrase_is_not_about_the_brand(engine: EncoderClassifier) -> None:
    brand = Brand("claro", "Claro", "own", "PE", exclude=("claro de luna",), names=("Claro",))
    label = engine.judge([item("tocó el Claro de luna de memoria", brand)])[0].relevant
    assert label.name == "false"
    assert "claro de luna" in label.because[0].say("en")


def test_reasons_are_quoted_as_they_stand_in_the_text(engine: EncoderClassifier) -> None:
    text = "PÉSIMO servicio de Quipucel, me cobraron DOBLE y nadie contesta"
    verdict = engine.judge([item(text, QUIPU)])[0]
    quotes = [reason.say("es") for reason in verdict.sentiment.because]
    assert 1 <= len(quotes) <= 3
    assert all(quote in text and "Quipucel" not in quote for quote in quotes)


def test_scores_are_shares_and_the_best_one_is_the_label(engine: EncoderClassifier) -> None:
    verdict = engine.judge([item("Quipucel me cobró dos veces", QUIPU)])[0]
    for head in HEADS:
        label = getattr(verdict, head)
        assert sum(label.scores.values()) == pytest.approx(1)
        assert max(label.scores, key=label.scores.__getitem__) == label.name
        assert label.confidence == label.scores[label.name]


def test_a_label_under_the_bar_is_unsure_and_keeps_its_name() -> None:
    sure, never = (load(SentimentTable(unsure_below=bar), Path()) for bar in (0.0, 1.0))
    asked = [item("Quipucel y yo", QUIPU)]
    calm, doubtful = sure.judge(asked)[0], never.judge(asked)[0]
    assert not calm.sentiment.unsure
    assert doubtful.sentiment.unsure
    assert calm.sentiment.name == doubtful.sentiment.name


WORDS = st.sampled_from(
    ["Claro", "claro", "@ClaroPeru", "Movistar", "no", "señal", "gracias", "multa", ",", ".", "!", "🙄", "que", "mejor"]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=80))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), brand=st.sampled_from([CLARO, MOVISTAR, QUIPU]))
def test_a_post_gets_the_same_verdict_alone_and_in_any_batch(
    engine: EncoderClassifier, texts: list[str], brand: Brand
) -> None:
    items = [item(text, brand, [one for one in (CLARO, MOVISTAR) if one != brand]) for text in texts]
    more = [item("sin señal otra vez", QUIPU), *reversed(items), item("Entel", Brand("entel", "Entel"))]
    together = engine.judge(more)[1:-1]
    assert [engine.judge([one])[0] for one in items] == together[::-1]  # labels, and scores to the last bit


ODD_TEXTS = [
    *(
        "",
        " ",
        "\n\t",
        "@",
        "#",
        "¿?!",
        "@@@@",
        "http://",
        "🙄🙄🙄",
        "٣٤٥",
        "\x00\x07\x1b[31m",
        "\ud83d",
        "\u202e\u200b",
    ),
    *("a" * 100_000, "no " * 50_000, "ﷺ" * 500, "e\u0301" * 3000, "Claro" * 3000, "claro, " * 400, "\ud83dClaro"),
]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_no_text_breaks_the_engine(engine: EncoderClassifier, text: str) -> None:
    verdict = engine.judge([item(text, CLARO, [MOVISTAR])])[0]
    assert isinstance(verdict, Verdict)
    assert all(0 <= getattr(verdict, head).confidence <= 1 for head in (*HEADS, *HINTS))


def test_a_cut_text_says_that_it_was_cut(engine: EncoderClassifier) -> None:
    label = engine.judge([item("Claro no funciona. " * 500)])[0].sentiment
    assert any(reason.say("en").startswith("only the first ") for reason in label.because)


def test_an_empty_batch_has_no_verdicts(engine: EncoderClassifier) -> None:
    assert engine.judge([]) == []


def test_a_folder_of_the_users_that_is_broken_is_refused_and_the_shipped_model_judges(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(MODEL, tmp_path / "mine")
    assert load(SentimentTable(engine="embedded:mine"), tmp_path).refused == ""  # type: ignore[attr-defined]
    (tmp_path / "mine" / WEIGHTS).unlink()
    classifier = load(SentimentTable(engine="embedded:mine"), tmp_path)
    assert isinstance(classifier, EncoderClassifier)
    assert f"{WEIGHTS} is missing" in classifier.refused
    assert "the shipped model stays in use" in caplog.text
    assert classifier.encoder.folder == MODEL


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(ClassifierError, match="crystal ball"):
        load(SentimentTable(engine="crystal ball"), Path())


def test_leaving_words_out_shows_which_of_them_mattered(engine: EncoderClassifier) -> None:
    asked = item("Buenas tardes, les escribo porque Quipucel me estafó con el recibo de mayo", QUIPU)
    quick, close = engine.judge([asked])[0], engine.judge([asked], closely=True)[0]
    assert (quick.sentiment.name, quick.sentiment.scores) == (close.sentiment.name, close.sentiment.scores)
    assert "estafó" in [reason.say("es") for reason in close.sentiment.because]


def test_a_text_that_names_nobody_is_judged_by_its_mood(engine: EncoderClassifier) -> None:
    verdict = engine.judge([item("qué feliz estoy, amo este día", QUIPU), item("odio los lunes, todo mal", QUIPU)])
    assert [one.sentiment.name for one in verdict] == ["positive", "negative"]
    assert all(one.relevant.name == "false" for one in verdict)


def test_verdicts_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from datetime import datetime, UTC; from pathlib import Path\n"
        "from listener.mention import Brand, Post; from listener.settings import SentimentTable\n"
        "from sentiment.engine import load; from sentiment.verdict import Item\n"
        "post = Post('x', '1', 'Claro me cobró dos veces, qué pésimo', datetime.now(UTC))\n"
        "v = load(SentimentTable(), Path()).judge([Item(post, Brand('c', 'Claro'))])[0]\n"
        "print(v.relevant, v.sentiment, v.dimension, v.intent)"
    )
    root = Path(__file__).parents[2]
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "77")
    }
    assert len(said) == 1


def test_greetings_and_stop_words_are_no_reasons(engine: EncoderClassifier) -> None:
    text = "Hola, buenos días Quipucel, esto no es lo que esperaba"
    (verdict,) = engine.judge([item(text)])
    for label in (verdict.sentiment, verdict.dimension, verdict.intent):
        quotes = [reason.say("es") for reason in label.because]
        assert quotes
        assert not {"Hola", "esto", "que", "esperaba", "días", "buenos días"} & set(quotes)
