"""What comes over the wire becomes a message of ours or is malformed, and never anything else."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from common import messages
from common.channels import ON_THE_WIRE
from common.codec import (
    PAYLOAD_BYTES_MAX,
    VERSION,
    Envelope,
    message_from,
    read,
    write,
)
from common.errors import MessageIsMalformed
from common.messages.base import COUNT_MAX, INSTANT_MAX, Message
from common.messages.registration import Acknowledged, Heartbeat, Hello
from common.messages.rights import Right
from common.messages.sessions import SessionEnded
from common.messages.specification import Specification

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,20}", fullmatch=True)
TEXTS = st.text(max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


NOT_ALONE = set(
    "Message _Said Program Level Requirements ClaimTerms OfferingSaid Particulars "
    "ScanRequest OfflineRequest ModuleRequest SeatsRequest ExtensionRequest "
    "SessionRight OfflineRight ModuleRight SeatsRight ExtensionRight HeldTicket "
    "ModulesOffer OfferedPackage Receipt Release PackageKind "
    "UninstallRequest UninstallRight RunRequest RunRight".split()
)
"""What is never sent by itself: what many have in common, what is said over HTTP, what a request of
each class carries, and what a right's signature covers."""


BETWEEN_CONTROLLERS = "reservations"
"""Messages that controllers say to each other over HTTP, and no terminal hears."""


def any_message() -> st.SearchStrategy[Message]:
    """Return a strategy for every message of the protocol, made from the models themselves."""
    return st.sampled_from(ON_THE_WIRE).flatmap(like)


def like(model: type[Message]) -> st.SearchStrategy[Any]:
    schema = model.model_json_schema(mode="serialization")
    known = schema.get("$defs", {})
    return values_of(schema, known).map(model.model_validate)


def values_of(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that a JSON schema allows."""
    if "$ref" in schema:
        return values_of(known[schema["$ref"].rpartition("/")[2]], known)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values_of(each, known) for each in schema["anyOf"]])
    return VALUES[schema["type"]](schema, known)


def objects(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        values = schema.get("additionalProperties", schema.get("patternProperties"))
        if values is None or values is True:
            return st.dictionaries(TEXTS, JSON, max_size=3)
        if "patternProperties" not in schema:
            return st.dictionaries(NAMES, values_of(values, known), max_size=3)
        ((pattern, of_names),) = values.items()
        names = strings({"pattern": pattern}, known)
        return st.dictionaries(names, values_of(of_names, known), max_size=3)
    parts = schema["properties"].items()
    return st.fixed_dictionaries({name: values_of(part, known) for name, part in parts})


def arrays(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        return st.tuples(*[values_of(part, known) for part in schema["prefixItems"]])
    least, most = schema.get("minItems", 0), min(3, schema.get("maxItems", 3))
    return st.lists(values_of(schema["items"], known), min_size=least, max_size=most)


def strings(schema: dict[str, Any], _known: object) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=True)
    return st.text(
        min_size=schema.get("minLength", 0), max_size=min(30, schema.get("maxLength", 30))
    )


def integers(schema: dict[str, Any], _known: object) -> st.SearchStrategy[Any]:
    most = schema.get("maximum", schema.get("exclusiveMaximum", 2**31) - 1)
    return st.integers(schema.get("minimum", 0), most)


def numbers(schema: dict[str, Any], _known: object) -> st.SearchStrategy[Any]:
    return st.floats(schema.get("minimum", 0), schema.get("maximum", 1e6))


VALUES: dict[str, Callable[..., st.SearchStrategy[Any]]] = {
    "object": objects,
    "array": arrays,
    "string": strings,
    "integer": integers,
    "number": numbers,
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
}


def an_envelope(message: Message | None = None) -> Envelope:
    return Envelope(id="m-1", terminal="t-1", epoch="e0", sent_at=1, message=message or Heartbeat())


def a_body(**changed: Any) -> dict[str, Any]:
    return {**json.loads(write(an_envelope())), **changed}


def refused(payload: bytes) -> str:
    with pytest.raises(MessageIsMalformed) as caught:
        read(payload)
    return str(caught.value)


@settings(max_examples=400)
@given(
    message=any_message(),
    name=NAMES,
    seq=st.integers(0, COUNT_MAX),
    sent_at=st.integers(0, INSTANT_MAX),
    corr=TEXTS,
)
def test_a_message_is_read_as_it_was_written(message, name, seq, sent_at, corr):
    envelope = replace(
        an_envelope(message), id=name, seq=seq, sent_at=sent_at, corr=corr, ttl_seconds=seq % 99
    )
    assert read(write(envelope)) == envelope


@pytest.mark.parametrize("model", ON_THE_WIRE, ids=lambda model: model.type)
def test_every_type_has_its_own_name_and_its_model(model: type[Message]):
    assert [each for each in ON_THE_WIRE if each.type == model.type] == [model]
    with pytest.raises(MessageIsMalformed):
        message_from(model.type, 1)


def test_every_model_is_a_message_on_the_wire_or_part_of_one():
    folder = Path(str(messages.__file__)).parent
    files = [file for file in folder.glob("*.py") if file.stem != BETWEEN_CONTROLLERS]
    trees = [ast.parse(file.read_text("utf-8")) for file in files]
    classes = {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}
    parts = {part for model in ON_THE_WIRE for part in model.model_json_schema().get("$defs", {})}
    alone = {model.__name__ for model in ON_THE_WIRE}
    assert not alone & NOT_ALONE
    assert classes - NOT_ALONE == alone | parts


@settings(max_examples=300)
@given(message=any_message(), cut=st.integers(0, 400), junk=st.binary(max_size=8))
def test_a_damaged_message_is_malformed_or_another_message(message, cut, junk):
    payload = write(an_envelope(message))
    place = cut % len(payload)
    for damaged in (payload[:place], payload[:place] + junk + payload[place + len(junk) :]):
        _reads_or_is_malformed(damaged)


@settings(max_examples=300)
@given(kind=st.sampled_from([model.type for model in ON_THE_WIRE]), fields=JSON)
def test_any_fields_in_any_type_are_a_message_or_malformed(kind: str, fields: object):
    _reads_or_is_malformed(json.dumps(a_body(type=kind, data=fields)).encode())


@given(payload=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(payload: bytes):
    _reads_or_is_malformed(payload)


@pytest.mark.parametrize(
    "number",
    [
        *("NaN", "Infinity", "-Infinity", "1e999", "-1", "1.5", "true", "null", '"1"', "[]"),
        *("9" * 30, "9" * 5000, "-" + "9" * 400, str(2**63), "1e400"),
    ],
)
def test_no_number_does_more_than_be_malformed(number: str):
    for field in ("seq", "sent_at", "ttl_seconds"):
        body = json.dumps(a_body(**{field: "HERE"})).replace('"HERE"', number)
        refused(body.encode())
    ended = SessionEnded(session="s-1", at=1, reason="time_up", delivered_seconds=1.0)
    for field in ("at", "delivered_seconds"):
        body = json.loads(write(an_envelope(ended)))
        body["data"][field] = "HERE"
        _reads_or_is_malformed(json.dumps(body).replace('"HERE"', number).encode())


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_have_is_refused_also_where_anything_may_stand(constant: str):
    right = Right(comm_id="c", document={"x": "HERE"}, signature="0" * 128)
    payload = write(an_envelope(right)).replace(b'"HERE"', constant.encode())
    assert "not JSON" in refused(payload)


@pytest.mark.parametrize("field", ["outbox_first", "outbox_last", "applied_revision"])
def test_a_count_that_fits_no_column_is_refused(field: str):
    hello = Hello(protocol=(1, 1), boot="b", outbox_first=0, outbox_last=0, applied_revision=0)
    body = json.loads(write(an_envelope(hello)))
    body["data"][field] = 2**63
    assert field in refused(json.dumps(body).encode())


def test_half_a_character_is_refused_before_it_can_be_said_on():
    for field in ("corr", "id", "epoch"):
        refused(json.dumps(a_body(**{field: "\ud800"})).encode())
    specification = {"machine": {"cpu": "\udfff"}}
    refused(json.dumps(a_body(type=Specification.type, data=specification)).encode())
    assert read(json.dumps(a_body(corr="\U0001f600")).encode()).corr == "\U0001f600"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_only_utf_8_is_read(encoding: str):
    refused(json.dumps(a_body(corr="é"), ensure_ascii=False).encode(encoding))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_without_end_is_refused(opening: bytes):
    refused(opening * (PAYLOAD_BYTES_MAX // len(opening)))
    refused(opening * 1_000)


def test_a_payload_has_a_largest_size_in_both_directions():
    assert "bytes" in refused(b" " * (PAYLOAD_BYTES_MAX + 1))
    document = {"text": "x" * PAYLOAD_BYTES_MAX}
    with pytest.raises(MessageIsMalformed, match="bytes"):
        write(an_envelope(Right(comm_id="c", document=document, signature="0" * 128)))


@pytest.mark.parametrize("version", [0, 2, "1", None, [], 1.5, {"v": 1}])
def test_another_version_is_refused_by_its_number(version: object):
    assert "version" in refused(json.dumps(a_body(v=version)).encode())
    assert VERSION == 1


@pytest.mark.parametrize("kind", ["", "rights", "rights.everything", None, 7, [], "x" * 9999])
def test_an_unknown_type_is_refused(kind: object):
    sentence = refused(json.dumps(a_body(type=kind)).encode())
    assert "unknown" in sentence
    assert len(sentence) < 200


@pytest.mark.parametrize("text", [1, None, [], {}, "x" * 65])
@pytest.mark.parametrize("field", ["id", "terminal", "epoch", "corr"])
def test_a_name_in_the_envelope_is_a_short_text(field: str, text: object):
    assert field in refused(json.dumps(a_body(**{field: text})).encode())


def test_fields_of_a_later_version_are_passed_over():
    told = Acknowledged(epoch="e0", up_to=5)
    body = json.loads(write(an_envelope(told)))
    body["data"]["later"] = {"more": 1}
    assert read(json.dumps({**body, "later": 1}).encode()).message == told


def test_a_refusal_never_repeats_the_value_that_was_wrong():
    body = a_body(type=Acknowledged.type, data={"epoch": "e0", "up_to": "the-secret"})
    assert "the-secret" not in refused(json.dumps(body).encode())


def _reads_or_is_malformed(payload: bytes) -> None:
    try:
        envelope = read(payload)
    except MessageIsMalformed:
        return
    assert read(write(envelope)) == envelope
