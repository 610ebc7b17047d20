"""Name every label once, for code, config, pages, mails and files (the meaning of each stands in docs/labels.md)."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = [
    "DEPARTMENTS",
    "DIMENSIONS",
    "INTENTS",
    "KINDS",
    "LANGUAGES",
    "OPEN_STATUSES",
    "PRIORITIES",
    "SENTIMENTS",
    "STAKEHOLDERS",
    "STATUSES",
    "Department",
    "Dimension",
    "Intent",
    "Kind",
    "Language",
    "Priority",
    "Sentiment",
    "Stakeholder",
    "Status",
]

Sentiment = Literal["negative", "neutral", "positive"]
Stakeholder = Literal[
    "customer",
    "regulator",
    "government",
    "press",
    "peer_company",
    "consumer_association",
    "employee",
    "investor",
    "partner",
    "civil_society",
    "public",
]
Dimension = Literal[
    "products_services",
    "innovation",
    "workplace",
    "governance",
    "citizenship",
    "leadership",
    "performance",
    "undefined",
]
Intent = Literal[
    "complaint",
    "question",
    "praise",
    "purchase",
    "churn_threat",
    "legal_threat",
    "safety",
    "outage_report",
    "media_request",
    "job",
    "opt_out",
    "other",
]
Priority = Literal["alert", "important", "routine"]
Department = Literal[
    "customer_care",
    "network_quality",
    "sales",
    "communications",
    "public_affairs",
    "legal_regulatory",
    "human_resources",
    "investor_relations",
    "sustainability",
    "security_fraud",
]
Kind = Literal["own", "competitor"]
Status = Literal["new", "acknowledged", "snoozed", "answered", "closed", "dismissed"]
Language = Literal["es", "en", "pt"]

SENTIMENTS: tuple[Sentiment, ...] = get_args(Sentiment)
STAKEHOLDERS: tuple[Stakeholder, ...] = get_args(Stakeholder)
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
INTENTS: tuple[Intent, ...] = get_args(Intent)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
DEPARTMENTS: tuple[Department, ...] = get_args(Department)
KINDS: tuple[Kind, ...] = get_args(Kind)
STATUSES: tuple[Status, ...] = get_args(Status)
OPEN_STATUSES: tuple[Status, ...] = ("new", "acknowledged")  # the clock runs and the inbox shows it
LANGUAGES: tuple[Language, ...] = get_args(Language)
