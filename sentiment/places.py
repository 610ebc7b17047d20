"""Know words that place a post in a country: names, demonyms, cities that stand in one country only."""

from __future__ import annotations

import re
from functools import lru_cache

from listener.match import fold

__all__ = ["COUNTRY_WORDS", "PLACES", "country_named", "countries_in"]

# First the country's names (they also stand behind a brand or in an account: "Claro Chile", "@entelperu"), then
# demonyms and cities. Cities of one name in two countries (Córdoba, Santiago, Guadalajara, Trujillo in Spain …) are
# left out unless the other one is a village. Folded: no accents, no capitals.
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
_MORE = {
    "AR": "argentino|argentina|argentinos|argentinas|buenos aires|rosario|mendoza|tucuman|la plata|mar del plata|"
    "neuquen|bahia blanca|ushuaia|bariloche|quilmes|lanus|conurbano|caba",
    "BO": "boliviano|boliviana|bolivianos|la paz bolivia|el alto|cochabamba|oruro|potosi|tarija|sucre bolivia",
    "BR": "brasileiro|brasileira|brasileno|brasilena|sao paulo|rio de janeiro|belo horizonte|brasilia|curitiba|recife|"
    "porto alegre|fortaleza|campinas|goiania|manaus",
    "CL": "chileno|chilena|chilenos|chilenas|antofagasta|valparaiso|vina del mar|temuco|punta arenas|rancagua|talca|"
    "puerto montt|iquique|nunoa|maipu|puente alto|arica|chillan|quillota",
    "CO": "colombiano|colombiana|colombianos|bogota|medellin|cali|barranquilla|bucaramanga|pereira|manizales|pasto|"
    "villavicencio|ibague|cucuta|monteria|popayan|envigado",
    "CR": "costarricense|tico|ticos|heredia|alajuela",
    "DO": "dominicano|santo domingo|punta cana",
    "EC": "ecuatoriano|ecuatoriana|ecuatorianos|quito|guayaquil|cuenca ecuador|ambato|esmeraldas|manabi",
    "ES": "espanol de espana|madrid|barcelona|sevilla|zaragoza|bilbao|malaga|murcia|vigo|gijon|oviedo|alicante|"
    "valladolid|pamplona|tenerife|mallorca|canarias|galicia|asturias",
    "GB": "london|manchester|birmingham|leeds|glasgow|edinburgh|bristol|liverpool|cardiff|belfast|sheffield",
    "GT": "guatemalteco|guatemalteca|chapin|mixco|quetzaltenango|xela|escuintla",
    "HN": "hondureno|hondurena|tegucigalpa|san pedro sula|la ceiba",
    "MX": "mexicano|mexicana|mexicanos|mexicanas|cdmx|monterrey|guadalajara jalisco|puebla|tijuana|queretaro|toluca|"
    "culiacan|hermosillo|saltillo|chihuahua|cancun|xalapa|veracruz|oaxaca|aguascalientes|jalisco|nuevo leon|tapatio",
    "NI": "nicaraguense|managua",
    "PA": "panameno|panamena|chiriqui|ciudad de panama",
    "PE": "peruano|peruana|peruanos|peruanas|lima|arequipa|cusco|cuzco|piura|chiclayo|huancayo|iquitos|tacna|moquegua|"
    "puno|juliaca|cajamarca|ayacucho|chimbote|huaraz|pucallpa|tumbes|callao|miraflores lima|surquillo|ica|trujillo peru|"
    "san juan de lurigancho|sjl|huanuco|tarapoto",
    "PR": "boricua|puertorriqueno|bayamon|ponce pr|mayaguez|carolina pr",
    "PT": "portugues de portugal|lisboa|braga|coimbra",
    "PY": "paraguayo|paraguaya|paraguayos|ciudad del este|encarnacion paraguay",
    "SV": "salvadoreno|salvadorena|soyapango|santa tecla",
    "US": "new york|nyc|chicago|miami|los angeles|san francisco|seattle|boston|texas|dallas|houston|denver|portland|"
    "spokane|tulsa",
    "UY": "uruguayo|uruguaya|montevideo|punta del este|maldonado uruguay",
    "VE": "venezolano|venezolana|caracas|maracaibo|barquisimeto|valencia venezuela",
}
PLACES: dict[str, tuple[str, ...]] = {
    country: (*names.split("|"), *_MORE[country].split("|")) for country, names in _NAMES.items()
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
_PLACE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _BY_NAME), key=len, reverse=True)) + r")\b")


@lru_cache(maxsize=4096)
def countries_in(text: str) -> frozenset[str]:
    """Give the countries that a text names by itself, a demonym or a city; two letters each."""
    return frozenset(_BY_NAME[hit.group()] for hit in _PLACE.finditer(fold(text)))


def country_named(word: str) -> str | None:
    """Give the country that a word behind a brand stands for ("Chile", "CL", "peru"), if it is one."""
    return COUNTRY_WORDS.get(fold(word).replace(" ", ""))
