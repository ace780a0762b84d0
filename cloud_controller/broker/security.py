"""Who may do what at the broker, in the words of mosquitto's dynamic security; pure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.topics import (
    BROKER_CONTROL,
    BrokerRole,
    RoleTopics,
    bridge_filters,
    controller_filters,
    filters_for,
    home_filters,
    profile_filters,
)

ITERATIONS = 101
"""Rounds of PBKDF2, as mosquitto's own: a secret of 32 random bytes needs no stretching."""

HASH_BYTES = 64
"""Length of the hash: the whole of a SHA-512."""

SALT_BYTES = 12
"""Length of a salt, as mosquitto's own."""

CONTROL_RESPONSES = f"{BROKER_CONTROL}/response"
"""Where the broker answers a command; `refusals_in` reads it."""

_ALREADY_SO = frozenset({"Client already exists", "Role already exists"})
"""Answers to a command that came twice: nothing is wrong."""

_GONE_ALREADY = {
    "deleteClient": "Client not found",
    "deleteRole": "Role not found",
}
"""The same for what is removed twice."""


class AccountRole(StrEnum):
    """What the broker lets an account do; `common.topics` says on which topics."""

    GATE = "gate"
    SERVICE = "service"
    SETTLING = "settling"
    CONTROLLER = "controller"
    PROFILES = "profiles"
    BRIDGE = "bridge"
    HOME = "home"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAccount:
    """Someone the broker knows; `name` is user name and client id, and both are bound together."""

    name: str
    role: AccountRole | None
    """None: may connect and do nothing."""
    secret_hash: bytes
    salt: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerCommand:
    """A message that changes the running broker; publish it with QoS 1."""

    topic: str
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A command that the broker did not carry out."""

    command: str
    account: str
    why: str


def hash_secret(secret: bytes, salt: bytes) -> bytes:
    """Return the hash of a secret that dynamic security keeps.

    The secret is the password as it crosses the wire; mosquitto reads it up to the first NUL.
    """
    assert b"\0" not in secret
    return hashlib.pbkdf2_hmac("sha512", secret, salt, ITERATIONS, HASH_BYTES)


def security_document(accounts: Sequence[BrokerAccount]) -> bytes:
    """Return the whole of dynamic-security.json for these accounts."""
    return _json(
        {
            "defaultACLAccess": {
                "publishClientSend": False,
                "publishClientReceive": False,
                "subscribe": False,
                "unsubscribe": False,
            },
            "clients": [_kept_client(account) for account in accounts],
            "groups": [],
            "roles": [
                {"rolename": _role_name(role, account.name), "acls": _rights(role, account.name)}
                for account in accounts
                for role in _roles_beside(account.role)
            ],
        }
    )


def create_account(name: str, role: AccountRole | None, secret: str) -> BrokerCommand:
    """Let someone new in, with all the roles it may have later; `secret` crosses to the broker."""
    roles = (
        {
            "command": "createRole",
            "rolename": _role_name(each, name),
            "acls": _rights(each, name),
        }
        for each in _roles_beside(role)
    )
    client = {
        "command": "createClient",
        "username": name,
        "clientid": name,
        "password": secret,
        "roles": _held(role, name),
    }
    return _command(name, *roles, client)


def change_role(name: str, role: AccountRole | None) -> BrokerCommand:
    """Give an account this role and no other; the broker disconnects it, it returns with them.

    With None it returns and can do nothing. The plugin's own `disableClient` is never used: it is
    only asked when there is a password, and one with a certificate would return with all its roles.
    """
    return _command(
        name,
        {"command": "modifyClient", "username": name, "roles": _held(role, name)},
    )


def remove_account(name: str) -> BrokerCommand:
    """Forget someone, and send them away; with a certificate they may return, and do nothing."""
    roles = (
        {"command": "deleteRole", "rolename": _role_name(each, name)} for each in _TERMINAL_ROLES
    )
    return _command(name, {"command": "deleteClient", "username": name}, *roles)


def refusals_in(payload: bytes) -> tuple[Refusal, ...]:
    """Return what the broker refused, read from a message on `CONTROL_RESPONSES`.

    A command repeated is no refusal: what it asked for is so.
    """
    return tuple(_refusals(json.loads(payload)["responses"]))


_TERMINAL_ROLES = (AccountRole.GATE, AccountRole.SERVICE, AccountRole.SETTLING)
_BY_ROLE: Mapping[AccountRole, Callable[[], RoleTopics]] = {
    AccountRole.PROFILES: profile_filters,
    AccountRole.BRIDGE: bridge_filters,
    AccountRole.HOME: home_filters,
}
_OUR_ROLES = (AccountRole.CONTROLLER, *_BY_ROLE)


def _topics_of(role: AccountRole, name: str) -> RoleTopics:
    if role is AccountRole.CONTROLLER:
        return _with_control(controller_filters())
    if role in _BY_ROLE:
        return _BY_ROLE[role]()
    return filters_for(name, BrokerRole(role))


def _with_control(topics: RoleTopics) -> RoleTopics:
    return RoleTopics(
        publish=(*topics.publish, BROKER_CONTROL),
        subscribe=(*topics.subscribe, CONTROL_RESPONSES),
    )


def _roles_beside(role: AccountRole | None) -> tuple[AccountRole, ...]:
    """Return every role the account may come to hold: changing one is then a single command."""
    return (role,) if role in _OUR_ROLES else _TERMINAL_ROLES


def _role_name(role: AccountRole, name: str) -> str:
    return f"{role}-{name}"


def _held(role: AccountRole | None, name: str) -> list[dict[str, str]]:
    return [] if role is None else [{"rolename": _role_name(role, name)}]


def _rights(role: AccountRole, name: str) -> list[dict[str, str | bool]]:
    """Return the access list of a role; whatever it does not name is denied."""
    topics = _topics_of(role, name)
    return [
        *(_allow("publishClientSend", each) for each in topics.publish),
        *(_allow("publishClientReceive", each) for each in topics.subscribe),
        *(_allow("subscribePattern", each) for each in topics.subscribe),
        *(_allow("unsubscribePattern", each) for each in topics.subscribe),
    ]


def _allow(what: str, topic: str) -> dict[str, str | bool]:
    return {"acltype": what, "topic": topic, "allow": True}


def _kept_client(account: BrokerAccount) -> dict[str, Any]:
    return {
        "username": account.name,
        "clientid": account.name,
        "password": base64.b64encode(account.secret_hash).decode(),
        "salt": base64.b64encode(account.salt).decode(),
        "iterations": ITERATIONS,
        "roles": _held(account.role, account.name),
    }


def _command(account: str, *commands: dict[str, Any]) -> BrokerCommand:
    """Return one message for all commands: nobody sees the broker between two of them."""
    named = [command | {"correlationData": account} for command in commands]
    return BrokerCommand(topic=BROKER_CONTROL, payload=_json({"commands": named}))


def _refusals(responses: Sequence[dict[str, str]]) -> Iterator[Refusal]:
    for response in responses:
        command, why = response["command"], response.get("error")
        if why is None or why in _ALREADY_SO or why == _GONE_ALREADY.get(command):
            continue
        yield Refusal(command=command, account=response.get("correlationData", ""), why=why)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
