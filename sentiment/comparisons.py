"""Hold plain sentences that set one brand above another: too rare in the corpus for a head to learn from it alone.

{up} comes out better and {down} worse; each sentence is learnt from twice, toward each of the two.
"""

from __future__ import annotations

__all__ = ["COMPARISONS"]

COMPARISONS: dict[str, tuple[str, ...]] = {
    "es": (
        "{up} es mejor que {down}",
        "la señal de {up} es mucho mejor que la de {down}",
        "{down} es peor que {up}",
        "{down} es más caro que {up} y da menos",
        "{up} es más barato que {down}",
        "prefiero mil veces {up} antes que {down}",
        "me cambié de {down} a {up} y por fin descanso",
        "dejé {down} y me pasé a {up}, mejor decisión",
        "ojalá {down} atendiera como {up}",
        "{down} debería aprender de {up}",
        "donde {down} no llega, {up} vuela",
        "con {up} nunca me pasó lo que me hizo {down}",
        "{up} le gana a {down} en todo",
        "mejor {up} que {down}, de lejos",
        "{up} supera a {down} en velocidad",
        "nada que ver: {up} responde, {down} te deja en visto",
        "por eso me fui de {down}; {up} sí cumple",
        "{down} más lento que {up}, como siempre",
        "no hay comparación, {up} funciona y {down} no",
        "estoy pensando en dejar {down} e irme a {up}",
        "{up} quedó primero y {down} último en el ranking",
        "si no es {down} es peor, pero {up} salva",
    ),
    "en": (
        "{up} is better than {down}",
        "{up} is way cheaper than {down}",
        "{down} is worse than {up}",
        "{down} is slower than {up} where I live",
        "left {down} for {up} and never looked back",
        "switching from {down} to {up} next week",
        "I wish {down} were more like {up}",
        "{up} beats {down} every time",
        "I'd take {up} over {down} any day",
        "{up} answered in a minute, {down} never did",
        "{up} works where {down} doesn't",
        "{down} could learn a thing or two from {up}",
        "{up} came first in the survey, {down} last",
    ),
    "pt": (
        "{up} é melhor que {down}",
        "a {up} é bem mais barata do que a {down}",
        "{down} é pior que {up}",
        "a {down} é mais lenta que a {up}",
        "troquei a {down} pela {up} e não volto mais",
        "vou sair da {down} e ir pra {up}",
        "prefiro a {up} do que a {down}",
        "a {up} resolve, a {down} enrola",
        "quem dera a {down} atendesse como a {up}",
        "onde a {down} não pega, a {up} pega",
        "a {up} ganha da {down} em tudo",
        "a {up} ficou em primeiro e a {down} em último",
    ),
}
