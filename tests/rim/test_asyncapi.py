"""What crosses the broker is described whole, in the form that AsyncAPI 3 asks for."""

from __future__ import annotations

import json
import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes without types
import pytest

from cloud_controller.listener import FLOWS
from cloud_controller.web.asyncapi import document_of
from common.channels import ANSWERED_BY, CARRIES, ON_THE_WIRE
from common.codec import Envelope, write
from common.messages.registration import Heartbeat
from common.mqtt import Delivery, Token
from common.topics import AT_MOST_ONCE, RETAINED, Channel
from tests.rim.asyncapi_kit import Described
from tests.rim.web_kit import web_kit

MQTT_MD = Path(__file__).parents[2] / "docs" / "mqtt.md"
DOCUMENT = document_of("store.example:8883", is_secure=True)

REF = {
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
REFS = {"type": "array", "items": REF, "minItems": 1, "uniqueItems": True}
KEYS = {"pattern": r"^[A-Za-z0-9._-]+$"}
TEXT = {"type": "string", "minLength": 1}


def an_object(needs: dict[str, Any], may: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of an object of AsyncAPI: of ours it has an `x-`, of others nothing."""
    return {
        "type": "object",
        "required": list(needs),
        "properties": needs | may,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def a_map(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": KEYS, "additionalProperties": of}


MQTT = an_object(
    {"qos": {"enum": [0, 1, 2]}, "retain": {"type": "boolean"}, "bindingVersion": TEXT}, {}
)
CHANNEL = an_object(
    {"address": TEXT, "messages": a_map(REF)},
    {"description": TEXT, "parameters": a_map(an_object({}, {"description": TEXT}))},
)
OPERATION = an_object(
    {"action": {"enum": ["send", "receive"]}, "channel": REF},
    {
        "summary": TEXT,
        "messages": REFS,
        "bindings": an_object({}, {"mqtt": MQTT}),
        "reply": an_object({}, {"channel": REF, "messages": REFS}),
    },
)
MESSAGE = an_object(
    {"name": TEXT, "payload": {"type": "object"}},
    {
        "summary": TEXT,
        "contentType": TEXT,
        "correlationId": an_object(
            {"location": {"type": "string", "pattern": r"^\$message\.(header|payload)#(/\w+)+$"}},
            {},
        ),
    },
)
SERVER = an_object(
    {"host": TEXT, "protocol": {"enum": ["mqtt", "secure-mqtt"]}},
    {"protocolVersion": TEXT, "security": REFS},
)
ASYNCAPI = an_object(
    {
        "asyncapi": {"const": "3.0.0"},
        "info": an_object(
            {"title": TEXT, "version": TEXT},
            {"description": TEXT, "license": an_object({"name": TEXT}, {"url": TEXT})},
        ),
    },
    {
        "id": {"type": "string", "format": "uri"},
        "defaultContentType": TEXT,
        "servers": a_map(SERVER),
        "channels": a_map(CHANNEL),
        "operations": a_map(OPERATION),
        "components": an_object(
            {},
            {
                "schemas": a_map({"type": "object"}),
                "messages": a_map(MESSAGE),
                "securitySchemes": a_map(
                    an_object({"type": {"enum": ["userPassword", "X509"]}}, {"description": TEXT})
                ),
            },
        ),
    },
)
"""The parts of the AsyncAPI 3.0 document that we use, as the specification has them."""


def test_the_document_has_the_form_that_asyncapi_asks_for():
    jsonschema.Draft202012Validator(ASYNCAPI).validate(DOCUMENT)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_in_the_document_leads_somewhere():
    for reference in references(DOCUMENT):
        there: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            there = there[part]
        assert there


def test_what_an_operation_says_is_a_message_of_its_channel():
    """AsyncAPI's own rule, for the question and for the reply."""
    for name, operation in DOCUMENT["operations"].items():
        for side in (operation, operation.get("reply", operation)):
            channel = side["channel"]["$ref"]
            assert all(each["$ref"].startswith(f"{channel}/messages/") for each in side["messages"])
            assert name


def test_each_message_is_heard_or_said_on_the_one_channel_that_carries_it():
    assert Counter(ON_THE_WIRE).most_common(1)[0][1] == 1
    by_action = {"receive": set[str](), "send": set[str]()}
    for operation in DOCUMENT["operations"].values():
        said = {each["$ref"].rsplit("/", 1)[1] for each in operation["messages"]}
        by_action[operation["action"]] |= said
    up = {said.type for channel in CARRIES if channel.is_up for said in CARRIES[channel]}
    down = {said.type for channel in CARRIES if not channel.is_up for said in CARRIES[channel]}
    assert by_action["receive"] == up
    assert by_action["send"] == down | {"controller.state", "presence.taken_away"}


def test_what_the_controller_takes_is_what_the_table_of_channels_carries():
    taken = {(channel, said.type) for channel in CARRIES for said in CARRIES[channel]}
    passing_by = {
        (Channel.TELEMETRY, "scanners.counted"),
        (Channel.HEARTBEAT, "terminal.heartbeat"),
    }
    assert {each for each in taken if each[0].is_up} - passing_by == set(FLOWS)


def test_each_question_has_its_answers():
    assert set(ANSWERED_BY) == set(CARRIES[Channel.REQUESTS])
    answers = {answer for each in ANSWERED_BY.values() for answer in each}
    assert answers == set(CARRIES[Channel.REPLIES])


def test_qos_and_retention_are_those_of_the_topics():
    for name, operation in DOCUMENT["operations"].items():
        channel = operation["channel"]["$ref"].rsplit("/", 1)[1].replace(".", "/")
        bound = operation["bindings"]["mqtt"]
        if name.endswith(("controller.state", "say.service.up.presence")):
            assert bound["retain"]
            continue
        assert bound["qos"] == (0 if Channel(channel) in AT_MOST_ONCE else 1), name
        assert bound["retain"] == (Channel(channel) in RETAINED), name


def test_the_table_of_topics_names_every_message_of_a_channel():
    text = MQTT_MD.read_text("utf-8")
    rows = dict(
        re.findall(r"^\| `([a-z]+/[a-z]+/[a-z]+)[^`]*` \|.*\|([^|]*)\|$", text, re.MULTILINE)
    )
    for channel, carried in CARRIES.items():
        named = re.findall(r"`([a-z_.*]+)`", rows[channel])
        for said in carried:
            assert any(fnmatch(said.type, each) for each in named), f"{said.type} on {channel}"


async def test_a_controller_serves_it_and_names_its_own_broker(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        answer = await kit.get("/api/v1/asyncapi.json")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json == document_of("127.0.0.1:1883", is_secure=False)


@pytest.mark.parametrize(
    ("topic", "change"),
    [
        ("rusuban/v1/t-1/service/up/events", {}),
        ("rusuban/v1/t-1/service/up/heartbeat", {"type": "terminal.hello"}),
        ("rusuban/v1/t-1/service/up/heartbeat", {"v": 2}),
        ("rusuban/v1/t-1/service/up/heartbeat", {"seq": -1}),
        ("rusuban/v1/t-1/service/up/heartbeat", {"data": {"extra": 1}}),
        ("rusuban/v1/t-1/nowhere", {}),
    ],
)
def test_what_is_not_as_described_is_found_out(topic: str, change: dict[str, Any]):
    described = Described(DOCUMENT)
    right = json.loads(
        write(Envelope(id="m-1", terminal="t-1", epoch="e", sent_at=1, message=Heartbeat()))
    )
    good = "rusuban/v1/t-1/service/up/heartbeat"
    assert described.kind_of(said(good, right)) == "terminal.heartbeat"
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        described.kind_of(said(topic, right | change))


def said(topic: str, body: dict[str, Any]) -> Delivery:
    payload = json.dumps(body).encode()
    return Delivery(topic=topic, payload=payload, qos=1, retain=False, token=Token(0, 0))


def references(part: object) -> set[str]:
    match part:
        case dict():
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(each) for each in part.values()))
        case list():
            return set().union(*(references(each) for each in part))
        case _:
            return set()
