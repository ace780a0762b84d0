"""Golden vectors of `RSB1`, made once by a reference that shares no code with ours (C2, C3)."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from common.errors import TokenIsMalformed
from common.seals import (
    TicketToken,
    new_signing_key,
    public_bytes,
    read_token,
    seal_token,
    token_is_ours,
    verifying_key,
)
from tests.rim import rsb1_reference as reference

LINES: list[dict[str, Any]] = [
    json.loads(line) for line in reference.VECTORS.read_text().splitlines()
]
GOOD = [line for line in LINES if line["kind"] == "good"]
MALFORMED = [line for line in LINES if line["kind"] == "malformed"]
UNSIGNED = [line for line in LINES if line["kind"] == "unsigned"]
PUBLIC: dict[str, str] = LINES[0]["public"]
KEYS = {int(key): verifying_key(bytes.fromhex(raw)) for key, raw in PUBLIC.items()}
ZERO_AT = 1_735_689_600_000
RFC_8032_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
RFC_8032_PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def token_in(fields: dict[str, int]) -> TicketToken:
    return TicketToken(
        key_id=fields["key_id"],
        store_number=fields["store_number"],
        ticket=f"{fields['ticket']:016x}",
        device_number=fields["device_number"],
        starts_at=ZERO_AT + fields["starts"] * 1000,
        length_seconds=fields["length_seconds"],
        revision=fields["revision"],
        flags=fields["flags"],
    )


def test_c2_there_are_more_than_300_vectors_by_all_sixteen_keys():
    texts = {line["text"] for line in GOOD}
    assert len(texts) == len(GOOD) >= 300
    assert {line["fields"]["key_id"] for line in GOOD} == set(range(16))
    assert len(MALFORMED) >= 25
    assert len(UNSIGNED) >= 20


def test_the_reference_signs_as_rfc_8032_says():
    assert reference.public_of(bytes.fromhex(RFC_8032_SEED)).hex() == RFC_8032_PUBLIC
    for key_id, raw in PUBLIC.items():
        assert public_bytes(new_signing_key(reference.key_seed(int(key_id)))).hex() == raw


def test_c2_we_write_each_vector_to_the_letter():
    for line in GOOD:
        key = new_signing_key(reference.key_seed(line["fields"]["key_id"]))
        assert seal_token(token_in(line["fields"]), key) == line["text"]


def test_c3_we_read_each_vector_and_its_own_key_alone_has_signed_it():
    for line in GOOD:
        read = read_token(line["text"])
        assert read.token == token_in(line["fields"])
        assert token_is_ours(read, KEYS)
        other = KEYS[(read.token.key_id + 1) % 16]
        assert not token_is_ours(read, {read.token.key_id: other})


def test_the_reference_agrees_with_its_own_vectors_still(seed):
    for line in Random(seed).sample(GOOD, 8):
        fields = line["fields"]
        assert reference.token_of(fields, reference.key_seed(fields["key_id"])) == line["text"]
        assert reference.fields_of(reference.raw_of(line["text"])[:23]) == fields


@pytest.mark.parametrize("line", MALFORMED, ids=lambda line: line["why"].replace(" ", "_"))
def test_c3_what_is_malformed_is_refused_for_its_reason(line):
    with pytest.raises(TokenIsMalformed) as refused:
        read_token(line["text"])
    assert line["why"] in str(refused.value)


def test_c3_what_no_key_of_ours_signed_is_read_and_never_believed():
    for line in UNSIGNED:
        assert not token_is_ours(read_token(line["text"]), KEYS)
