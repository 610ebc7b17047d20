"""Know words that place a post in a country: names, demonyms, cities that stand in one country only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from listener.match import fold

__all__ = ["COUNTRY_WORDS", "PLACES", "countries_in", "country_at", "origins_in"]

# First the country's names (they also stand behind a brand or in an account: "Claro Chile", "@entelperu"), then
# its people and its cities. Cities of one name in two countries (Córdoba, Santiago, Guadalajara …) are left out unless
# the other one is a village. Folded: no accents, no capitals.
_NAMES = {
    "AR": "argentina",
    "BO": "bolivia",
    "BR": "brasil|brazil",
    "CL": "chile",
    "CO": "colombia",
    "CR": "costa rica|costarica",
    "DO": "republica dominicana|dominicana",
    "EC": "ecuador",
    "ES": "espana|spain",
    "GB": "reino unido|united kingdom|great britain|england|scotland|wales",
    "GT": "guatemala|guate",
    "HN": "honduras",
    "MX": "mexico",
    "NI": "nicaragua",
    "PA": "panama",
    "PE": "peru",
    "PR": "puerto rico|puertorico",
    "PT": "portugal",
    "PY": "paraguay",
    "SV": "el salvador|elsalvador",
    "US": "estados unidos|united states|usa",
    "UY": "uruguay",
    "VE": "venezuela",
}
_DEMONYMS = {
    "AR": "argentino|argentina|argentinos|argentinas|porteno|portena",
    "BO": "boliviano|boliviana|bolivianos",
    "BR": "brasileiro|brasileira|brasileno|brasilena|brasilenos|paulista|carioca",
    "CL": "chileno|chilena|chilenos|chilenas",
    "CO": "colombiano|colombiana|colombianos|colombianas|bogotano|bogotana|paisa|rolo|costeno",
    "CR": "costarricense|tico|ticos",
    "DO": "dominicano|dominicana",
    "EC": "ecuatoriano|ecuatoriana|ecuatorianos",
    "ES": "madrileno|madrilena|catalan|gallego|gallega",
    "GB": "british|scottish|welsh|londoner",
    "GT": "guatemalteco|guatemalteca|chapin|chapina",
    "HN": "hondureno|hondurena|catracho",
    "MX": "mexicano|mexicana|mexicanos|mexicanas|chilango|chilanga|tapatio|tapatia|regio",
    "NI": "nicaraguense",
    "PA": "panameno|panamena",
    "PE": "peruano|peruana|peruanos|peruanas|limeno|limena|limenos|chalaco|chalaca|arequipeno|arequipena|"
    "cusqueno|cusquena|trujillano|chiclayano|piurano|tacneno|huancaino",
    "PR": "boricua|puertorriqueno|puertorriquena",
    "PT": "lisboeta",
    "PY": "paraguayo|paraguaya|paraguayos",
    "SV": "salvadoreno|salvadorena|guanaco",
    "US": "american|texan|new yorker",
    "UY": "uruguayo|uruguaya|uruguayos",
    "VE": "venezolano|venezolana|venezolanos|chamo",
}
_CITIES = {
    "AR": "buenos aires|rosario|mendoza|tucuman|la plata|mar del plata|neuquen|bahia blanca|ushuaia|"
    "bariloche|quilmes|lanus|conurbano|caba",
    "BO": "la paz bolivia|el alto|cochabamba|oruro|potosi|tarija|sucre bolivia",
    "BR": "sao paulo|rio de janeiro|belo horizonte|brasilia|curitiba|recife|porto alegre|fortaleza|"
    "campinas|goiania|manaus",
    "CL": "antofagasta|valparaiso|vina del mar|temuco|punta arenas|rancagua|talca|puerto montt|iquique|"
    "nunoa|maipu|puente alto|arica|chillan|quillota",
    "CO": "bogota|medellin|cali|barranquilla|bucaramanga|pereira|manizales|pasto|villavicencio|ibague|"
    "cucuta|monteria|popayan|envigado",
    "CR": "heredia|alajuela",
    "DO": "santo domingo|punta cana",
    "EC": "quito|guayaquil|cuenca ecuador|ambato|esmeraldas|manabi",
    "ES": "madrid|barcelona|sevilla|zaragoza|bilbao|malaga|murcia|vigo|gijon|oviedo|alicante|valladolid|"
    "pamplona|tenerife|mallorca|canarias|galicia|asturias",
    "GB": "london|manchester|birmingham|leeds|glasgow|edinburgh|bristol|liverpool|cardiff|belfast|sheffield",
    "GT": "mixco|quetzaltenango|xela|escuintla",
    "HN": "tegucigalpa|san pedro sula|la ceiba",
    "MX": "cdmx|monterrey|guadalajara jalisco|puebla|tijuana|queretaro|toluca|culiacan|hermosillo|"
    "saltillo|chihuahua|cancun|xalapa|veracruz|oaxaca|aguascalientes|jalisco|nuevo leon",
    "NI": "managua",
    "PA": "chiriqui|ciudad de panama",
    "PE": "lima|arequipa|cusco|cuzco|piura|chiclayo|huancayo|iquitos|tacna|moquegua|puno|juliaca|"
    "cajamarca|ayacucho|chimbote|huaraz|pucallpa|tumbes|callao|miraflores lima|surquillo|ica|"
    "trujillo peru|san juan de lurigancho|sjl|huanuco|tarapoto",
    "PR": "bayamon|ponce pr|mayaguez|carolina pr",
    "PT": "lisboa|braga|coimbra",
    "PY": "ciudad del este|encarnacion paraguay",
    "SV": "soyapango|santa tecla",
    "US": "new york|nyc|chicago|miami|los angeles|san francisco|seattle|boston|texas|dallas|houston|"
    "denver|portland|spokane|tulsa",
    "UY": "montevideo|punta del este|maldonado uruguay",
    "VE": "caracas|maracaibo|barquisimeto|valencia venezuela",
}
PLACES: dict[str, tuple[str, ...]] = {
    country: (*names.split("|"), *_CITIES[country].split("|")) for country, names in _NAMES.items()
}
# What follows a brand in an account or a name: "clarochile", "entel_pe".
COUNTRY_WORDS: dict[str, str] = {
    **{name.replace(" ", ""): country for country, names in _NAMES.items() for name in names.split("|")},
    **{country.lower(): country for country in _NAMES},
    "arg": "AR",
    "bol": "BO",
    "chl": "CL",
    "col": "CO",
    "ecu": "EC",
    "esp": "ES",
    "mex": "MX",
    "per": "PE",
    "uk": "GB",
}
_BY_NAME = {name: country for country, names in PLACES.items() for name in names}
_BY_ORIGIN = {name: country for country, names in _DEMONYMS.items() for name in names.split("|")}


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, names), key=len, reverse=True)) + r")\b")


_PLACE = _any_of(_BY_NAME)
_ORIGIN = _any_of(_BY_ORIGIN)


@lru_cache(maxsize=4096)
def countries_in(text: str) -> frozenset[str]:
    """Give the countries that a text names by themselves or by a city; two letters each."""
    return frozenset(_BY_NAME[hit.group()] for hit in _PLACE.finditer(fold(text)))


@lru_cache(maxsize=4096)
def origins_in(text: str) -> frozenset[str]:
    """Give the countries whose people a text names ("limeña"): an origin, which need not be where somebody lives."""
    return frozenset(_BY_ORIGIN[hit.group()] for hit in _ORIGIN.finditer(fold(text)))


def country_at(folded: str) -> str | None:
    """Give the country of the place with which a folded text begins."""
    hit = _PLACE.match(folded)
    return _BY_NAME[hit.group()] if hit else None
