"""Tell a message that asks for no more messages, or for messages again, by its words; only when it says nothing else.

Meant for private messages (WhatsApp): in public nobody writes «BAJA» to be left alone. What is said in whole sentences
is the model's to judge (the intent `opt_out`).
"""

from __future__ import annotations

import re
from typing import Final

from listener.fold import fold

__all__ = ["wants_out"]

_LONGEST = 4  # words
_WORD = re.compile(r"\w+")

# Folded: without accents and in small letters. Spanish, Portuguese, English; with the words of Meta's own buttons.
# Left out, though it sounds like it: «darme de baja», with which the customer of an operator ends the contract.
_STOP: Final = """baja; baja por favor; alto; parar; pare; salir; cancelar; cancelar suscripcion; desuscribir;
    desuscribirme; no molestar; no molesten; no me molesten; no enviar mas; no envien mas; no me escriban;
    no me escriban mas; no escribir; no quiero mensajes; no mas mensajes; no recibir promociones; detener;
    detener promociones; eliminar; sair; sair da lista; descadastrar; cancelar inscricao; nao perturbe; nao incomodar;
    nao quero mensagens; nao enviar mais; nao me escreva; parar promocoes; interromper promocoes; stop; stop all;
    stopall; please stop; stop please; stop promotions; stop messages; unsubscribe; unsubscribe me; opt out; optout;
    quit; end; remove me; do not disturb; no more messages"""
_RESUME: Final = """alta; iniciar; reanudar; suscribir; suscribirme; recibir promociones; reanudar promociones;
    inscrever; retomar; receber promocoes; retomar promocoes; start; unstop; subscribe; resume; opt in; optin;
    resume promotions"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(text)))


_WANTS: Final = {_words(said): stops for told, stops in ((_STOP, True), (_RESUME, False)) for said in told.split(";")}


def wants_out(text: str) -> bool | None:
    """Tell whether a whole message asks to be left alone (True) or written to again (False); None for all else."""
    if len(text) > 200:
        return None
    words = _words(text)
    return _WANTS.get(words) if 0 < len(words) <= _LONGEST else None
