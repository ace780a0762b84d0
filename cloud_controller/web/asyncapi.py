"""What crosses the broker describes itself: AsyncAPI 3, made from both sides' own tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from common.channels import ANSWERED_BY, CARRIES, ON_THE_WIRE
from common.codec import PAYLOAD_BYTES_MAX, TTL_SECONDS_MAX, VERSION
from common.ids import NAME_LENGTH_MAX
from common.messages.base import COUNT_MAX, INSTANT_MAX, Message
from common.topics import (
    AT_MOST_ONCE,
    CONTROLLER_STATE,
    OPEN_TO,
    RETAINED,
    ROOT,
    WITH_A_TAIL,
    Channel,
)

ASYNCAPI: Final = "3.0.0"

STATE: Final = "controller.state"
"""How the controller's own channel and its message are named."""

TAKEN_AWAY: Final = "presence.taken_away"
"""The empty message by which the broker keeps nothing of a terminal that has left."""

_SCHEMA = "#/components/schemas/{model}"
_ENVELOPE = "Envelope"
_BINDING = "0.2.0"
_TAILS: Final[Mapping[Channel, tuple[str, str]]] = {
    Channel.REQUESTS: ("method", "The type of the question."),
    Channel.COMMANDS: ("command", "The command's id, by which its state is told."),
}


def document_of(broker: str, *, is_secure: bool) -> dict[str, Any]:
    """Return the AsyncAPI document of a controller whose broker is at this host and port.

    `is_secure` says whether the broker speaks TLS alone.
    """
    shown = ("secret", "certificate") if is_secure else ("secret",)
    return {
        "asyncapi": ASYNCAPI,
        "id": "urn:rusuban:v1",
        "info": {
            "title": "Rusuban",
            "version": str(VERSION),
            "description": (
                "What a store's terminals and their controller say to each other, as the "
                f"controller hears it. A payload has at most {PAYLOAD_BYTES_MAX} bytes; fields "
                "that are not known are ignored."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": broker,
                "protocol": "secure-mqtt" if is_secure else "mqtt",
                "protocolVersion": "5",
                "security": [{"$ref": f"#/components/securitySchemes/{each}"} for each in shown],
            }
        },
        "channels": dict(_channels()),
        "operations": dict(_operations()),
        "components": {
            "schemas": _schemas(),
            "messages": dict(_messages()),
            "securitySchemes": {
                "secret": {
                    "type": "userPassword",
                    "description": "A terminal's id, which is also its client id, and its secret.",
                },
                "certificate": {
                    "type": "X509",
                    "description": "A terminal's certificate, where the ladder asks for one.",
                },
            },
        },
    }


def json_document_of(broker: str, *, is_secure: bool) -> str:
    """Return the AsyncAPI document as it is served."""
    return json.dumps(document_of(broker, is_secure=is_secure))


def name_of(channel: Channel) -> str:
    """Return what a channel is called in the document."""
    return channel.value.replace("/", ".")


def _channels() -> Iterator[tuple[str, dict[str, Any]]]:
    for channel, carried in CARRIES.items():
        address = f"{ROOT}/{{terminal}}/{channel}"
        parameters = {"terminal": {"description": "The terminal's id."}}
        if channel in WITH_A_TAIL:
            tail, meaning = _TAILS[channel]
            address += f"/{{{tail}}}"
            parameters[tail] = {"description": meaning}
        beside = (TAKEN_AWAY,) if channel is Channel.PRESENCE else ()
        yield (
            name_of(channel),
            {
                "address": address,
                "description": f"Open to the roles {', '.join(sorted(OPEN_TO[channel]))}.",
                "parameters": parameters,
                "messages": {
                    kind: _message(kind) for kind in (*(said.type for said in carried), *beside)
                },
                "x-open-to": sorted(OPEN_TO[channel]),
            },
        )
    yield STATE, {"address": CONTROLLER_STATE, "messages": {STATE: _message(STATE)}}


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for channel, carried in CARRIES.items():
        if channel is Channel.REQUESTS:
            continue
        yield (
            f"{'hear' if channel.is_up else 'say'}.{name_of(channel)}",
            _operation(channel, carried),
        )
    for asked, answers in ANSWERED_BY.items():
        operation = _operation(Channel.REQUESTS, (asked,))
        if answers:
            operation["reply"] = {
                "channel": {"$ref": f"#/channels/{name_of(Channel.REPLIES)}"},
                "messages": [_carried(Channel.REPLIES, each.type) for each in answers],
            }
        yield f"answer.{asked.type}", operation
    presence = name_of(Channel.PRESENCE)
    yield f"say.{presence}", _kept("Nothing is kept of who has left.", presence, TAKEN_AWAY)
    yield f"say.{STATE}", _kept("Whether it is here; it is its will, too.", STATE, STATE)


def _kept(what: str, channel: str, message: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": what,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
        "bindings": _bindings(qos=1, retain=True),
    }


def _operation(channel: Channel, said: tuple[type[Message], ...]) -> dict[str, Any]:
    return {
        "action": "receive" if channel.is_up else "send",
        "channel": {"$ref": f"#/channels/{name_of(channel)}"},
        "messages": [_carried(channel, each.type) for each in said],
        "bindings": _bindings(qos=0 if channel in AT_MOST_ONCE else 1, retain=channel in RETAINED),
    }


def _messages() -> Iterator[tuple[str, dict[str, Any]]]:
    for said in ON_THE_WIRE:
        what = cleandoc(said.__doc__ or "").split("\n\n")
        yield (
            said.type,
            {
                "name": said.type,
                "summary": " ".join(what[0].split()),
                "correlationId": {"location": "$message.payload#/corr"},
                "payload": {
                    "allOf": [
                        {"$ref": _SCHEMA.format(model=_ENVELOPE)},
                        {
                            "type": "object",
                            "properties": {
                                "type": {"const": said.type},
                                "data": {"$ref": _SCHEMA.format(model=said.__name__)},
                            },
                        },
                    ]
                },
            },
        )
    yield STATE, _plain(STATE, {"enum": ["here", "gone"]})
    yield TAKEN_AWAY, _plain(TAKEN_AWAY, {"maxLength": 0})


def _plain(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "contentType": "text/plain", "payload": {"type": "string"} | shape}


def _schemas() -> dict[str, Any]:
    """Return the shape of each message's fields, as whoever takes it reads them."""
    _, made = models_json_schema(
        [(said, "validation") for said in ON_THE_WIRE], ref_template=_SCHEMA
    )
    schemas: dict[str, Any] = made["$defs"]
    assert _ENVELOPE not in schemas
    return schemas | {_ENVELOPE: _envelope()}


def _envelope() -> dict[str, Any]:
    name = {"type": "string", "maxLength": NAME_LENGTH_MAX}
    told = {
        "v": {"const": VERSION, "description": "Version of the envelope; another is refused."},
        "type": {"type": "string", "description": "Which message."},
        "id": {**name, "description": "This message's own name."},
        "terminal": {**name, "description": "Who speaks or is spoken to: the topic's."},
        "epoch": {**name, "description": "Born with the enrolment; older ones count for nothing."},
        "seq": {
            **_whole(COUNT_MAX),
            "description": "Number of an event in its epoch; 0 elsewhere.",
        },
        "sent_at": {
            **_whole(INSTANT_MAX),
            "description": "Milliseconds since 1970 UTC, by the sender's clock.",
        },
        "ttl_seconds": {**_whole(TTL_SECONDS_MAX), "description": "0: it does not grow stale."},
        "corr": {**name, "description": "In an answer: the question's."},
        "data": {"type": "object", "description": "The fields of the message."},
    }
    return {"type": "object", "required": list(told), "properties": told}


def _whole(highest: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": highest}


def _bindings(*, qos: int, retain: bool) -> dict[str, Any]:
    return {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": _BINDING}}


def _message(kind: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{kind}"}


def _carried(channel: Channel, kind: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{name_of(channel)}/messages/{kind}"}
