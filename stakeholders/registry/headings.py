"""Know the words of a team's own table in es, en and pt: headings, kinds of body, who speaks, yes and no."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import get_args

from listener.match import fold
from listener.reason import label
from listener.taxonomy import STAKEHOLDERS, Stakeholder
from stakeholders.registry import EntryKind

__all__ = [
    "DAY_FIRST",
    "FIELDS",
    "KIND_OF",
    "STAKEHOLDER_OF",
    "heading",
    "kind_named",
    "kind_word",
    "stakeholder_named",
]

FIELDS: dict[str, str] = {
    "name": "name nombre nome institucion instituicao institution entidad entidade",
    "stakeholder": "stakeholder tipo type publico grupo grupodeinteres grupodeinteresse",
    "kind": "kind clase classe categoria category",
    "handles": "handles handle cuentas cuenta contas conta accounts account usuarios usuario perfiles perfis",
    "domains": "domains domain dominios dominio web sitio site website url",
    "aliases": "aliases alias apelidos otrosnombres outrosnomes othernames siglas sigla",
    "since": "since desde from inicio",
    "until": "until hasta ate",
    "successor": "successor sucesor sucesora sucessor sucessora",
    "outlet": "outlet medio mediodecomunicacion veiculo veiculodeimprensa",
}
DAY_FIRST = frozenset(
    {"desde", "hasta", "ate", "inicio", "hastael", "ateo"}
)  # who writes so puts the day before the month
_FIELD_OF = {word: field for field, words in FIELDS.items() for word in words.split()}

# The first Spanish and the first Portuguese word is the one shown.
_KINDS: dict[EntryKind, tuple[str, str]] = {
    "authority": ("autoridad", "autoridade"),
    "bank": ("banco", "banco"),
    "business body": ("gremio empresarial, gremio, camara", "entidade empresarial, associacao empresarial"),
    "central bank": ("banco central", "banco central"),
    "company": ("empresa, compañia", "empresa, companhia"),
    "consumer body": ("asociación de consumidores", "associação de consumidores, órgão de consumidores"),
    "court": ("tribunal, corte, juzgado", "tribunal, vara"),
    "dealer": ("distribuidor, concesionario", "distribuidor, revendedor"),
    "exchange": ("bolsa, bolsa de valores", "bolsa, bolsa de valores"),
    "journalist": ("periodista", "jornalista"),
    "legislator": ("legislador, congresista, diputado, senador", "parlamentar, deputado, senador"),
    "legislature": ("parlamento, congreso, legislatura", "parlamento, congresso, legislativo"),
    "media": ("medio, medios, medio de comunicación", "veículo, mídia, veículo de imprensa"),
    "ministry": ("ministerio", "ministério"),
    "municipality": ("municipalidad, municipio, ayuntamiento, alcaldía", "prefeitura, município"),
    "ngo": ("ONG", "ONG"),
    "ombudsman": ("defensoría, defensor", "ouvidoria, defensoria"),
    "operator": ("operador, operadora", "operadora"),
    "police": ("policía", "polícia"),
    "rating agency": ("clasificadora de riesgo, calificadora", "agência de classificação de risco"),
    "regulator": ("regulador, supervisor", "regulador, agência reguladora"),
    "supplier": ("proveedor", "fornecedor"),
    "union": ("sindicato", "sindicato"),
    "university": ("universidad", "universidade"),
    "utility": ("servicio público, empresa de servicios", "concessionária, serviço público"),
}
STAKEHOLDER_OF: dict[EntryKind, Stakeholder] = {
    **dict.fromkeys(("authority", "court", "legislator", "legislature", "ministry"), "government"),
    **dict.fromkeys(("municipality", "ombudsman", "police", "central bank"), "government"),
    **dict.fromkeys(("bank", "business body", "company", "operator", "utility"), "peer_company"),
    **dict.fromkeys(("exchange", "rating agency"), "investor"),
    **dict.fromkeys(("ngo", "university"), "civil_society"),
    **dict.fromkeys(("dealer", "supplier"), "partner"),
    **dict.fromkeys(("journalist", "media"), "press"),
    "consumer body": "consumer_association",
    "regulator": "regulator",
    "union": "employee",
}
KIND_OF: dict[Stakeholder, EntryKind] = {  # what a body is when its table only says who speaks
    "regulator": "regulator",
    "government": "authority",
    "press": "media",
    "peer_company": "company",
    "consumer_association": "consumer body",
    "employee": "union",
    "partner": "supplier",
    "civil_society": "ngo",
}
_MORE: dict[str, Stakeholder] = {
    "empresa": "peer_company",
    "media": "press",
    "midia": "press",
    "company": "peer_company",
}


def heading(cell: str) -> str | None:
    """Give the field that a heading means, whatever its case, accents and blanks; None for a heading nobody reads."""
    return _FIELD_OF.get(re.sub(r"[^a-z0-9]", "", fold(cell)))


def kind_named(word: str) -> EntryKind | None:
    """Give the kind that a word means in es, en or pt: «medio» is media."""
    return _kinds().get(_plain(word))


def stakeholder_named(word: str) -> Stakeholder | None:
    """Give who speaks from a key of the taxonomy or the word that pages show for it: «Prensa» is press."""
    return _stakeholders().get(_plain(word))


def kind_word(kind: str, lang: str) -> str:
    """Word a kind in a language: «central bank» is «banco central»."""
    words = next((words for key, words in _KINDS.items() if key == kind), None)
    return kind if words is None or lang == "en" else words[lang == "pt"].split(", ")[0]


def _plain(word: str) -> str:
    return " ".join(fold(word).replace("_", " ").replace("-", " ").split())


@lru_cache(maxsize=1)
def _kinds() -> dict[str, EntryKind]:
    kinds: tuple[EntryKind, ...] = get_args(EntryKind)
    words = {_plain(word): kind for kind, told in _KINDS.items() for word in ", ".join(told).split(", ")}
    return words | {_plain(kind): kind for kind in kinds}


@lru_cache(maxsize=1)
def _stakeholders() -> dict[str, Stakeholder]:
    words = {_plain(label(key, lang)): key for key in STAKEHOLDERS for lang in ("pt", "en", "es")}
    return {**_MORE, **words, **{_plain(key): key for key in STAKEHOLDERS}}
