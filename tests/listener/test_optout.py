from __future__ import annotations

import pytest

from listener.optout import wants_out


@pytest.mark.parametrize(
    "text",
    ["BAJA", "baja", "Baja.", " ¡STOP! ", "stop", "SALIR", "No molestar", "NO MOLESTAR 🙏", "Cancelar", "PARAR", "Sair",
     "UNSUBSCRIBE", "no me escriban más", "Não perturbe", "ｓｔｏｐ", "Stop promotions", "Detener promociones"],
)  # fmt: skip
def test_a_message_that_is_nothing_else_asks_to_be_left_alone(text: str) -> None:
    assert wants_out(text) is True


@pytest.mark.parametrize("text", ["ALTA", "alta", "START", "Iniciar", "Resume", "receber promoções"])
def test_a_message_that_is_nothing_else_asks_to_be_written_to_again(text: str) -> None:
    assert wants_out(text) is False


@pytest.mark.parametrize(
    "text",
    ["", "🙂", "quiero dar de baja mi línea", "darme de baja", "stop it, now", "la señal es baja", "baja velocidad",
     "no molestar a nadie con esto", "alta demanda", "trabaja", "start the service please", "baja " * 400, "volver"],
)  # fmt: skip
def test_a_message_that_says_more_is_no_wish(text: str) -> None:
    assert wants_out(text) is None
