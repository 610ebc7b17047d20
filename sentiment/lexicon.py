"""Hold the short word lists that the judges lean on: common words that are also brands, polar facts, negations.

All lists are ours, written for this project; folded (no accents, no capitals), Spanish, English and Portuguese mixed.
"""

from __future__ import annotations

from listener.match import fold

__all__ = [
    "ACCOUNT_WORDS",
    "ARTICLES",
    "BAD",
    "BETTER",
    "COMMON_NAMES",
    "GOOD",
    "HARMS",
    "HELPS",
    "IDIOMS",
    "INTENSIFIERS",
    "NEGATIONS",
    "PREPOSITIONS",
    "STOP_WORDS",
    "THAN",
    "TRADES",
    "TURNS",
    "WORSE",
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

# Facts that harm or help a standing although the words are neutral (RepLab's polar facts).
HARMS = _words("""
    multa multas multan multado multada multo sancion sanciones sanciona sancionan sancionado sancionada sanciono
    penalidad infraccion infracciones infringio incumplio incumple incumplimiento denuncia denuncian denuncias
    denunciado demanda demandan demandado demandas querella investigacion investiga investigado fiscalia
    allanamiento imputado imputan acusa acusan acusacion soborno coima colusion fraude estafa estafas fuga
    filtracion filtraron filtrados hackeo ciberataque vulnero vulneracion despidos despide despidio despiden recorte
    recorta huelga paro cierre cierra cerrara quiebra insolvencia perdida perdidas perdio cae cayo caen desploma
    desplome rebaja rebajo degrada degradacion retiro retira retirada contamino derrame accidente fallecio muerto
    herido heridos intoxicacion intoxicados retraso retrasos cancelo cancelados suspende suspendio suspendida
    suspension clausura clausurado clausuran abuso abusiva abusivas indebido indebidos indebida indebidas enganosa
    engano reclamos quejas plagio renuncia dimite dimision destituido apercibimiento amonestacion medida cautelar
    devolver restituir indemnizar condena condenado condenan ultimo peor fine fined fines sanctioned penalty lawsuit
    sued sues suing probe investigation investigated breach leaked leak hacked recall recalled outage outages
    layoffs fired strike loss losses lost slump falls fell dropped drops downgrade downgraded downgrading bankruptcy
    insolvency fraud scam bribery misled misleading overcharged overcharging violation violated reprimand complaints
    delays delayed spill injured killed resigns resigned closure closing worst multou multada multado autua autuada
    autuado sancionada processo processa processada reu investigada vazamento vazou greve demissoes demite demitiu
    fechamento fecha falencia prejuizo caiu queda rebaixa rebaixou golpe suspendeu interdita interditada descumpriu
    descumprir descumprimento cobranca indevida indevidas pior condenada
    """)
HELPS = _words("""
    premio premios premia premiada premiado galardon reconocimiento reconoce reconocida reconocido certificacion
    certificada certifica certificado gana gano ganadora lidera lidero lider primera record supera supero crece
    crecio crecieron crecimiento aumento inversion invertira invierte inaugura inauguro amplia amplio ampliara
    cobertura duplica duplico utilidades ganancia ganancias dona dono donacion dono becas capacita capacito
    beneficia beneficiara cumple cumplio cumplimiento acreditada acreditacion contrata contratara empleos puestos
    generara reduce redujo mejora mejoro sube subio eleva elevo recupera recupero reforesta reforesto neutralidad
    absuelve absuelto archiva archivo favorable satisfaccion alianza convenio devolvio patrocina award awards
    awarded winner wins won certified certification record growth grew rises rose upgrade upgraded invests
    investment opens opened expands expanded donates donated donation profit profits beats beat leads led best
    fastest jobs hires hiring tops topped cleared improved improves met exceeded recognised recognized praised
    commended reinstated premiada premiado venceu vence lidera liderou cresceu cresce crescimento lucro investe
    investira investimento inaugurou doou doa doacao certificada recorde melhor melhora melhorou subiu sobe ampliou
    amplia reduziu bolsas empregos reconhecida reconhecimento cumpriu
    """)
# Words of mood and of everyday complaint or praise.
BAD = _words("""
    malo mala malos malas mal pesimo pesima pesimos horrible terrible fatal asco asqueroso basura porqueria mierda
    cagada verguenza vergonzoso indignante indignado harto harta hartos cansado cansada odio odia detesto peor lento
    lenta lentos lentisimo caro cara carisimo robo roban robaron ladrones ratas estafadores mentira mentiras
    mentirosos miente inutil inutiles ineptos incompetentes desastre caos problema problemas falla fallas fallo
    error errores averia averiado roto rota cobro cobraron cobrando cobran cobraban corte cortaron cortado demora
    demoran demoraron tarda tardan espera esperando esperar reclamo reclamar reclame queja quejarme nadie nunca
    injusto abuso abusan ignoran ignorado maltrato grosero grosera decepcion decepcionante decepcionado triste pena
    lamentable penoso llorar rabia colera enojo furioso molesta molesto molestia imposible perdi perdimos dano
    danado quemado sucio frio bloqueo bloqueada bloqueado cancelar cancelo spam acoso trampa enganaron engano
    prometieron burla patetico nefasto deficiente intermitente inestable sigue siguen todavia otra bad worst worse
    awful terrible horrible hate hated sucks suck useless broken rude slow scam ripoff rip-off garbage trash joke
    disgusting disappointed disappointing disappointment angry furious annoyed annoying frustrated frustrating
    ridiculous shame shameful fail failed failing fails failure wrong problem problems issue issues error crash
    crashes overpriced expensive lost never nobody wait waiting waited hold refused refuse ignored ignore stuck sad
    unacceptable pathetic nightmare avoid cancel lied lie lies liar ruim pessimo pessima horrivel terrivel lixo
    merda vergonha absurdo palhacada descaso odeio pior lento lerda caro roubo roubaram ladrao mentira enganacao
    problema erro defeito quebrado quebrou cobraram cobrando demora demorou esperando nunca ninguem triste raiva
    irritado decepcao decepcionada decepcionado cansei cansada cansado travou
    trava caiu sumiu golpe 😡 🤬 😠 😤 😒 🙄 😞 😔
    😢 😭 💩 👎 🤮 🤢 😩 😫 🤡 😑 ☹ 💔 1★ 2★
    """)
GOOD = _words("""
    bueno buena buenos buenas buen bien excelente excelentes genial geniales increible maravilla maravilloso
    maravillosa espectacular perfecto perfecta feliz felices contento contenta encanta encanto encanta amo adoro
    gracias agradecido agradecida agradezco felicidades felicitaciones felicito bravo crack capos cracks recomiendo
    recomendado recomendada rapido rapida rapidisimo amable amables atentos atenta paciencia solucionaron soluciono
    resolvieron resolvio resuelto ayudaron ayudo salvo salvaron mejor mejores top chevere bacan bakan chido
    padrisimo joya lindo linda bonito bonita barato barata vale orgullo orgullosa orgulloso aplauso aplausos exito
    impecable eficiente confiable estable vuela alegria sonrisa regalo sorpresa funciona fluido encantado encantada
    merecido cumplieron puntual puntuales gratis justo ahorro ahorre fiel lujo maquinas good great best better
    excellent amazing awesome love loved loves perfect happy glad thanks thank grateful wonderful brilliant
    fantastic recommend recommended helpful friendly kind fast quick quickly easy smooth reliable impressed
    impressive proud congrats congratulations bravo kudos credit solid superb flawless worth lovely beautiful nice
    fun win enjoy enjoyed excited sorted fixed helped bom boa bons boas otimo otima excelente maravilhoso
    maravilhosa incrivel perfeito perfeita feliz amei amo adoro adorei obrigado obrigada parabens recomendo rapido
    rapida atencioso atenciosa resolveram resolveu ajudou salvou melhor melhores show lindo linda orgulho sucesso
    impecavel funciona barato gostei nota valeu sensacional chique elogio elogiar 😍 🥰 😊 😁 😀
    😃 😄 ❤ 💙 💚 💜 🙏 👏 👍 🎉 🥳 💪
    🔥 🏆 🤩 😎 🙌 ✨ 💯 😻 ♥ 4★ 5★
    """)
NEGATIONS = _words(
    "no nunca ni sin jamas tampoco nada ningun ninguna nadie not never neither nor without cannot nao nem sem nenhum "
    "nenhuma ninguem don't doesn't didn't won't can't isn't wasn't aren't couldn't wouldn't shouldn't"
)
# Comparisons: who stands behind THAN loses to what is BETTER; words of TURNS open a new clause.
THAN = _words("que than do ahead above")
BETTER = _words(
    "mejor mas better faster melhor mais gana supera superior rapido cheaper ahead above cien mil menos beats"
)
WORSE = _words("peor worse pior caro cara lento lenta slower mala")
TURNS = _words("pero mientras cambio aunque y but while whereas and yet mas enquanto ja e")
ARTICLES = _words("el la los las lo un una unos unas the a an o os as um uma uns umas")
PREPOSITIONS = _words(
    "de del con en por para a al contra desde segun by with at from to of on for da do na no em com pela pelo pra ao"
)
INTENSIFIERS = _words("muy bien tan mas super bastante demasiado very so really too more muito bem mais tao que")
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
