"""Describe the table [login] of config.toml: who may open the dashboard, and what each may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import Fault
from listener.tables.table import Table
from listener.taxonomy import Department

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["LoginTable", "Role", "RoleRule", "check_login", "is_here"]

Role = Literal["admin", "director", "member"]


class RoleRule(Table):
    """Give a role to people by their mail or by a group that the provider names; the first rule that fits decides."""

    role: Role = Field(
        description="admin: everything, settings too; director: every department; member: the departments named here"
    )
    mails: tuple[str, ...] = Field((), description='addresses, or "@company.example" for all of a domain')
    groups: tuple[str, ...] = Field((), description="values of the claim that [login] groups_claim names")
    departments: tuple[Department, ...] = Field((), description="member: whose work is seen")

    @field_validator("mails")
    @classmethod
    def _lower(cls, mails: tuple[str, ...]) -> tuple[str, ...]:
        for mail in mails:
            if mail.count("@") != 1 or mail.endswith("@"):
                raise ValueError(f"'{mail}' is neither an address nor a domain written as \"@company.example\"")
        return tuple(mail.casefold() for mail in mails)


class LoginTable(Table):
    """Say which OpenID Connect provider knows your people, and what each of them may see."""

    provider: WebAddress = Field(
        description='its metadata: "https://sso.company.example/.well-known/openid-configuration"'
    )
    client_id: str = Field(min_length=1, description="the number the provider gave to Escucha")
    client_secret: SecretStr = Field(description='"env:ESCUCHA_OIDC_SECRET"')
    name_claim: str = Field("name", description="the claim that holds a person's name, for the history of cases")
    groups_claim: str = Field("groups", description="the claim that lists a person's groups or roles")
    lasts: Span = Field(timedelta(hours=12), description="how long a login holds; roles of config.toml change at once")
    roles: tuple[RoleRule, ...] = Field(description="[[login.roles]], the first that fits decides; nobody else enters")


def is_here(host: str) -> bool:
    """Tell whether a host is this machine itself and nobody else's way in."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check_login(settings: Settings) -> Iterator[Fault]:
    """Yield what is wrong with who may enter: roles that give nothing, addresses on which a login could be read."""
    login, server = settings.login, settings.server
    if login is None:
        return
    if urlsplit(login.provider).scheme != "https" and not is_here(host_of(login.provider)):
        yield Fault("login", "provider is asked without encryption", "write its address with https://")
    if server.url is None:
        yield Fault("login", "the provider must know where to send people back to", "set [server] url")
    elif urlsplit(server.url).scheme != "https" and not is_here(host_of(server.url)):
        yield Fault("login", "[server] url has no https: who listens on the way could enter", "serve it with https")
    if not login.roles:
        yield Fault("login", "no [[login.roles]]: nobody could enter", 'write role = "admin" with mails = ["you@…"]')
    for number, rule in enumerate(login.roles, 1):
        place = f"login.roles[{number}]"
        if not rule.mails and not rule.groups:
            yield Fault(place, "the rule fits nobody", "name mails or groups")
        if rule.role == "member" and not rule.departments:
            yield Fault(place, "a member without departments would see nothing", "name departments")
        if rule.role != "member" and rule.departments:
            yield Fault(place, f"'{rule.role}' sees every department", 'leave departments out, or write "member"')
