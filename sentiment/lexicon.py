"""Hold the short word lists that the judges lean on: common words that are also brands, polar facts, negations.

All lists are ours, written for this project; folded (no accents, no capitals), Spanish, English and Portuguese mixed.
"""

from __future__ import annotations

from listener.match import fold

__all__ = [
    "ACCOUNT_WORDS",
    "ARTICLES",
    "COMMON_NAMES",
    "IDIOMS",
    "NEGATIONS",
    "PREPOSITIONS",
    "STOP_WORDS",
    "TRADES",
    "is_ambiguous",
]


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Dictionary words that companies like to be called; a name in this list needs a look at its context.
COMMON_NAMES = _words("""
    abierto accion activa activo actual adelante ahora aire alba alegria alerta aliada aliado alianza alma alta alto
    amable amanecer amarillo ambar americana amiga amigo amistad ancla andina andino angel antena apoyo aqua
    aquarius arcoiris arena aroma arte artesano asistencia atlantico atlas atento aurora autentico auto avance
    avanza aventura azteca azul bahia banana barato basica basico basta bella bello bien bienestar blanca blanco
    bonita bonito bosque brava bravo brillante brillo brisa buena bueno cabal cafe cable calidad calma cambio camino
    campeon campo canal canela capital casa castillo celeste central centro cerca cercana cercano certeza chispa
    cielo cima circulo ciudad clara claridad claro clave clima colonia color columna comercial comfort comodo
    compania completa completo comun comunica conecta conexion confianza constante contacto continental corazon
    cordillera corona correcto cosecha costa crecer cristal cruz cuadro cumbre cupido dato delta destino detalle dia
    diamante digital dinamica dinamico directa directo dorada dorado dulce eco eficaz elegante encanto encuentro
    energia entera entero enlace esencia esmeralda esperanza espiritu estable estacion estelar estilo estrella
    eterna eterno evolucion excelencia exito exacta exacto expresa expreso extra facil familia familiar fantastico
    faro favorita favorito federal feliz feria fiable fiel fiesta firme flor flora fresca fresco frontera fruta
    fuego fuente fuerte fuerza futura futuro galaxia ganador gema general genial gente gigante global gloria gracia
    gran grande gratis grupo guia habla hogar hola horizonte hoy ideal imagen imperial impulso independencia
    infinita infinito ingenio inteligente integra inter isla joven joya junta juntos justa justo lago latina latino
    leal libertad libre lider ligera ligero limpia limpio linea listo llama local luna luz madre maestro magica
    magico mana mar maravilla marina mas maxima maximo mayor medio mega mejor melodia mensaje meta metro mi mil
    milenio mirada moderna moderno momento moneda montana morada mundial mundo musica nacional natural naturaleza
    nativa nave neta nexo nido nitida nitido nobel noble norte nosotros nota notable nova novedad nube nueva nuevo
    nuestro oasis oceano oferta oi ola onda oportuna oportuno optima optimo orbita oriente origen oro orgullo
    oxigeno pacifico palabra palma panorama papaya para paraiso parque paso patria paz perla persona personal placer
    plan planeta plata playa plaza plena pleno plus popular porvenir positiva positivo potencia practica practico
    precisa preciso premier premium presente prestigio primavera primera primero principal prisma progreso pronto
    propia propio prosperidad proxima proximo pueblo puente puerta puerto pulso pura puro punto quinta radar radio
    raiz rapida rapido rayo real red reina respeto reto rey rica rico rio ritmo roble roja rojo rosa ruta sabia
    sabio sabor salud salvador sana sano santa segura seguro selecta selecto selva semilla sencilla sencillo senal
    serena sereno sierra siglo simple sin sistema sol sola solar solida solido solo solucion soberana soberano
    social sonrisa sube suerte sueno suma super superior sur tambo tema tierra tigre tigo todo tono top toro torre
    total tradicion tren triunfo trebol tropical tu una unica unico unida unido union unica universal urbana urbano
    util valiente valle valor vecino vega veloz ventaja verdad verde viento virtud visible vision vista vital viva
    vive vivo vela volcan voz vuelo yo zona aqui apple target orange win gap visa chase boost sprint cricket three
    spark amazon shell subway mint bolt uber virgin discover ally frontier spirit delta united simply sky plenty
    best buy dove tide dash next boots giant clear bright true honest safe fresh prime direct first link open smart
    simple swift sure pure key bom boa casas claras feliz magalu marisa tim oi vivo net nosso nossa meu minha alegre
    esporte pao acucar saraiva azul gol latam verdes leve extra ponto frio natura avon itau inter neon original
    """) - {"latam", "magalu", "itau", "saraiva", "uber", "avon"}

# Fixed phrases in which such a word is only the word.
IDIOMS = tuple(
    phrase.strip()
    for phrase in """
    claro que, claro esta, claro de luna, queda claro, quedo claro, quede claro, queda bien claro, tengo claro,
    tener claro, tiene claro, tienen claro, dejar claro, deja claro, dejo claro, dejen claro, esta claro,
    estaba claro, ser claro, sea claro, seamos claros, mas claro que, muy claro, bien claro, tan claro,
    verde claro, azul claro, gris claro, cinza claro, tom claro, deixar claro, deixou claro, ficou claro,
    fica claro, ta claro, e claro, pois claro, pues claro, ah claro, por supuesto claro, en vivo, al vivo, ao vivo,
    yo vivo, eu vivo, donde vivo, onde vivo, vivo en, vivo em, vivo con, vivo com, estar vivo, sigue vivo,
    sigo vivo, en lo personal, trainer personal, entrenador personal, dato personal, datos personales,
    uso personal, vida personal, higiene personal, personal trainer, oi gente, oi amor, oi nena, oi tudo,
    oi pessoal, buen dia, todo el dia, cada dia, un dia, el dia de, dia a dia, al dia, hoy en dia, bom dia,
    todo dia, dia de, el exito, con exito, mucho exito, exito rotundo, exitos en, sem exito, tener exito, win win,
    easy win, first win, big win, we win, to win, win the, a win for, the target, on target, target audience,
    an orange, the orange, orange juice, plaza de armas, la plaza, en la plaza, plaza de, mas nitido que,
    muy nitido, tan nitido, se ve nitido, se escucha nitido, sonido nitido, suena nitido, sale nitido, la meta,
    a meta, el pulso, un pulso, de personal, all clear, next day, next week, next time, best buy for, three of,
    three times, free space, gap between, the gap, spark of, zoom in
    """.replace("\n", " ").split(",")
)

# Trades that show another firm of the same name: "Lavandería Nítido", "Óptica Claro".
TRADES = _words("""
    tintoreria lavanderia optica ferreteria panaderia pasteleria carniceria peluqueria barberia botica floreria
    floristeria libreria papeleria bodega taqueria pizzeria polleria cevicheria heladeria carpinteria cerrajeria
    vidrieria imprenta veterinaria guarderia gimnasio academia taller bazar joyeria relojeria zapateria sastreria
    costura atelie atelier padaria acougue farmacia oficina lavajato borracharia confeitaria sapataria papelaria
    laundry bakery butcher barber salon florist plumbing dry-cleaners dentist dental inmobiliaria constructora
    discoteca hostal hostel restaurante cantina fonda panificadora mecanica estudio notaria funeraria orquesta
    cumbia banda
    """)

NEGATIONS = _words(
    "no nunca ni sin jamas tampoco nada ningun ninguna nadie not never neither nor without cannot nao nem sem nenhum "
    "nenhuma ninguem don't doesn't didn't won't can't isn't wasn't aren't couldn't wouldn't shouldn't"
)
ARTICLES = _words("el la los las lo un una unos unas the a an o os as um uma uns umas")
PREPOSITIONS = _words(
    "de del con en por para a al contra desde segun by with at from to of on for da do na no em com pela pelo pra ao"
)
ACCOUNT_WORDS = _words("""
    oficial official ayuda help care soporte support clientes atencion teayuda te responde responde movil mobile
    empresas negocios app movistar tv hogar mx pe cl co ar es br us uk latam sac cuida news prensa media corp online
    internet fibra telecom telco bank banco sa group grupo
    """)
STOP_WORDS = (
    ARTICLES
    | PREPOSITIONS
    | _words("""
    y e o u que como cuando donde si se me te le les nos os lo su sus mi mis tu tus es son era fue ser esta estan
    este esta esto estos estas ese esa eso hay ha han he hasta entre ya pero porque pues asi mas muy tambien solo
    cada otro otra and or but if so it its is are was were be been this that these those i you he she we they my
    your his her our their have has had do does did will would can could as than then there here just also me us
    them e que quando onde se me te lhe nos seu sua seus suas meu minha isso isto este esta esse essa ele ela eles
    elas foi ser sao esta estao mas ja tambem so cada outro outra voce voces eu tem ter pro
    """)
)


def is_ambiguous(name: str) -> bool:
    """Tell whether a brand's name is also a common word, so that its context must decide."""
    return fold(name).strip() in COMMON_NAMES
