"""Hold cue words of each intent and dimension: what a small head cannot learn from a few hundred posts alone.

Each entry is a folded word, a stem (ending in *) or two words joined by _; Spanish, English and Portuguese mixed.
They are features, not rules: the heads learn how much each group of cues counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

__all__ = ["CUES", "cues_at"]

CUES: Mapping[str, str] = {
    "complaint": """
        reclam* quej* cobr* factur* recibo reembols* devolv* devuelv* llevo llevamos tercera_vez otra_vez
        nadie_contesta no_funciona no_responde* no_contesta* plantad* demor* atencion_al_cliente musiquita en_espera
        sin_respuesta complain* refund* billed charged charging overcharg* on_hold still_waiting no_reply no_answer
        doesnt_work not_working cobraram cobrou cobranca estorno reclama* protocolo ninguem_atende nao_funciona
        nao_responde* esperando exhort* exig* lamenta* preocupa* denunci*""",
    "question": """
        alguien_sabe alguien_me alguien_que como_hago como_puedo cuando_llega donde_puedo donde_me se_puede
        puedo_pagar me_pueden quien_sabe saben_si sabe_si tienen_idea duda consulta pregunta preguntar cual_es
        cual_me vale_la conviene does_anyone anyone_know anyone_else how_do how_can is_it can_i do_you does_it
        which_is wondering question alguem_sabe como_faco da_pra posso vocês_tem qual_e duvida sera_que""",
    "praise": """
        gracias felicit* aplaus* bravo crack excelente agradec* agradez* felices reconozco reconocer recomiendo
        chapo salvaron salvo me_salvo orgull* bendiga que_bien buen_paso hay_que credito_a thank* kudos congrat*
        credit_to well_done props shout-out shoutout proud impressed obrigad* parabens elogi* orgulho salvou arrasou
        mandou_bem valoramos valoro saludamos aplaudo aplaudimos merecid* celebr* encant*""",
    "purchase": """
        quiero_contratar contratar cotiz* precio precios comprar compro presupuesto me_interesa interesad*
        quisiera_comprar quiero_comprar quiero_un portarme quiero_portarme pasarme_a me_llamen catalogo brochure
        proforma punto_autorizado distribuidor cuanto_cuesta cuanto_sale costo_de lineas_para busco_un busco_una
        necesito_una necesitamos price pricing quote buy buying sign_up interested_in looking_for ready_to order
        quero_contratar contrato_de comprar orcamento quero_comprar preciso_de quanto_custa tem_interesse assinar
        proposta""",
    "churn": """
        me_voy me_porto me_cambio me_paso nos_vamos nos_cambiamos portabilidad portar cancelo cancelar cancelamos
        pido_la darme_de dar_de la_baja baja_del cambiarme cambiar_de adios hasta_nunca ultima_oportunidad
        entrego_los me_largo ultimo_mes saco_mis saco_hasta switch switching leaving cancel cancelling moving_to
        move_to im_off im_out close_my bye goodbye last_straw vou_cancelar vou_embora vou_trocar vou_mudar mudar_pra
        portabilidade cancelando tchau levar_meus""",
    "legal": """
        demand* abogad* indecopi juicio juzgado denuncia_penal denuncia_formal carta_notarial carta_documento
        accion_legal acciones_legales tribunales amparo libro_de via_judicial defensa_del proteccion_al profeco
        condusef sernac consumidor_y querella fiscalia arbitraje colectiva lawyer* attorney* sue suing lawsuit court
        small_claims legal_action ombudsman solicitor damages class_action advogad* processo procon justica
        acao_judicial juizado liminar tribunal audiencia ministerio_publico""",
    "safety": """
        humo incendi* fuego chisp* explot* explosi* quemad* quemo electrocut* descarga cables_pelados cable_caido
        colgando poste herid* sangr* ambulancia hospital* intoxic* vomit* vidrio alergi* insulina oxigeno
        emergencia_medica accidente peligr* riesgo muert* fallec* gas_fuerte olor_a fuga_de arroll* cayo_una menor
        nin* smoke fire sparks burn* electric_shock shock injur* bleed* ambulance hospital* danger* hazard* unsafe
        emergency 911 999 poison* carbon exposed fumaca fogo faisca choque queimad* ferid* perigo risco vidro
        crianc* remedio emergencia samu bombeir*""",
    "outage": """
        sin_senal sin_internet sin_servicio sin_luz sin_agua sin_datos sin_linea sin_cobertura sin_suministro
        sin_wifi se_cayo se_fue caida caidas caido caidos cayo se_cae no_carga no_hay apagon corte cortes microcort*
        solo_emergencias lucecita intermitente interrupcion averia masiva no_abre no_entra error_503 no_service
        no_signal no_internet down is_down outage* blackout power_cut went_down offline sem_sinal sem_internet
        sem_luz sem_agua caiu fora_do queda instavel sem_servico sem_rede lentitud lent* saturad*""",
    "media": """
        reportaje entrevist* vocer* periodist* redaccion nota_sobre para_una comentario declaraciones version_de
        programa_de cierre_de por_dm escrib* testimonios documental podcast reporter journalist interview
        comment_from spokesperson deadline press_office on_record statement_from newsroom story_on researching
        filming producer reportagem jornalista entrevista porta-voz pauta depoimentos redacao imprensa
        posicionamento oficina_de productor*""",
    "job": """
        curriculum cv vacante vacantes convocatoria contratando reclut* seleccion postul* postule empleo trabajo_en
        puesto entrevista_de plaza practicas practicante pega planilla sueldo bolsa_de ofert* rrhh recursos_humanos
        hiring recruit* resume apply applied vacancy vacancies job_offer job_at interviewed interview_at apprentic*
        vaga vagas curriculo contrata* processo_seletivo estagio emprego seleciona entrevista recrutador*""",
    "optout": """
        baja stop salir sair unsubscribe desuscrib* dejen_de no_me no_quiero ya_no borren borrar_mis eliminen
        retirenme saquenme quitenme lista_de base_de promociones newsletter spam publicidad arco remove_me opt_out
        take_me stop_texting stop_calling stop_sending no_more mailing parem parar_de nao_quero tira_meu tira_meu
        descadastr* me_tira remover lgpd cancelar_o""",
    "workplace": """
        emplead* trabajador* sindicat* despid* despedid* despedir huelga paro sueldo* salari* jefe jefa turno*
        planilla horario uniforme tercerizad* acoso bono horas_extra laboral repartidor* renunci* convenio plantilla
        union unions workers worker employees employee staff wages salary layoff* strike shift shifts boss manager
        manager's overtime engineers driver drivers funcionari* trabalhador* sindicato demiss* demit* greve salario
        chefe turno entregador* motoboy carteira ex-emplead*""",
    "governance": """
        mult* sancion* regulador* osiptel indecopi profeco cnmc anatel ofcom fcc sernac ift crt sbs tribunal
        datos_personales privacidad filtr* hacke* soborn* corrupcion colusion fraude estaf* sim_swap contrato
        clausula proveedores factura_impaga transparencia auditoria lobby ley norma fiscalia investiga* cumplimiento
        antimonopolio fine fined regulator* privacy data_breach breach compliance bribe* corruption antitrust audit
        scam* multad* autu* vazamento dados lgpd procon golpe* corrupcao suborno fornecedor* mype""",
    "citizenship": """
        antena* cable cables poste postes vecin* barrio arbol* medio_ambiente ambiental* reciclaj* recicl* residuo*
        contamin* comunidad* comunal* escuela* colegio* beca* donacion* dono donaron voluntari* discapac* sordos
        ciegos accesib* inclusion rural* indigen* huerta plastico* emision* carbono energia_solar municipalidad
        junta rio reforest* mast masts trees neighbour* neighbor* community school schools donat* volunteer* recycl*
        waste emissions climate accessib* disabled deaf rural scholarship* vizinh* bairro arvore* ambiente
        comunidade* escola* doacao doou voluntari* acessib* surdos ribeirinh* quilombol*""",
    "leadership": """
        ceo gerente_general gerenta gerente president* director* directiv* directorio fundador* vocero liderazgo
        lider consejero_delegado consejo rector rectora decano ejecutiv* dueno renuncia_del asume dimite nombr*
        discurso keynote chair chairman chief executive executives founder board vice-chancellor cfo coo leadership
        boss_of diretor* presidencia ceo_da executiv* reitor* fundador* lideranca conselho entrevista_a""",
    "performance": """
        utilidad* ganancia* ingresos ebitda trimestr* acciones accion bolsa dividendo* deuda bonos calificacion
        rating perdidas margen guidance inversion* inversor* accionist* resultados ventas cuota_de participacion
        mercado rentab* quiebra reestructur* opa revenue* earnings quarter shares stock shareholders dividend* debt
        bond bonds investors results sales margin profit* outlook downgrade* upgrade* punctual* lucro receita
        trimestre acoes dividendos divida investidor* resultado vendas balanco acionist* falencia
        recuperacao_judicial""",
    "innovation": """
        5g 6g ia inteligencia_artificial robot* chatbot bot asistente_virtual biometri* reconocimiento satelit*
        satelital app_nueva nueva_app laboratorio startup* patente piloto blockchain innov* tecnologia prototipo
        dron drones wifi_7 esim nube open_ran ai artificial_intelligence chatbot* assistant satellite* pilot patent*
        lab innov* prototype drone quantum inteligencia robo reconhecimento_facial satelite prototipo inovacao
        inova* laboratorio tecnologias""",
    "product": """
        senal internet plan planes recarg* megas gigas fibra router modem tecnico* tienda sucursal app pedido vuelo
        maleta tarjeta cuenta cajero cuota poliza seguro siniestro wifi llamada* chip cobertura velocidad roaming
        equipo* entrega* producto* signal broadband data coverage technician store branch order flight luggage card
        account policy claim speed sinal plano loja entrega voo bagagem cartao conta apolice sinistro tecnico
        velocidade cobertura aplicativo""",
}

_EXACT: dict[str, tuple[str, ...]] = {}
_STEMS: dict[str, tuple[str, ...]] = {}
for _topic, _entries in CUES.items():
    for _entry in _entries.split():
        _table = _STEMS if _entry.endswith("*") else _EXACT
        _key = _entry.rstrip("*").replace("_", " ")
        if _topic not in _table.get(_key, ()):
            _table[_key] = (*_table.get(_key, ()), _topic)
_LENGTHS = tuple(sorted({len(stem) for stem in _STEMS}))
_FIRST = frozenset(entry.split()[0] for entry in _EXACT if " " in entry)


def cues_at(words: Sequence[str], place: int) -> tuple[str, ...]:
    """Give the groups whose cue stands at this place of a token list: the word, its stem, or it and the next."""
    word = words[place]
    cues = _cues_of(word)
    if word in _FIRST and place + 1 < len(words):
        cues += _EXACT.get(f"{word} {words[place + 1]}", ())
    return cues


@lru_cache(maxsize=1 << 16)
def _cues_of(word: str) -> tuple[str, ...]:
    stems = (_STEMS.get(word[:length], ()) for length in _LENGTHS if length <= len(word))
    return (*_EXACT.get(word, ()), *chain.from_iterable(stems))
