"""A short code is ten characters that a person reads out, however they are typed (C2, C3)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.tickets import SHORT_CODE_LENGTH, new_short_code, short_code_in, shown_short_code

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Bytes:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def secret_bytes(self, count: int) -> bytes:
        assert count == len(self._raw)
        return self._raw


@given(raw=st.binary(min_size=7, max_size=7))
def test_c2_a_new_code_has_ten_characters_that_nobody_mistakes(raw: bytes):
    code = new_short_code(Bytes(raw))
    assert len(code) == SHORT_CODE_LENGTH == 10
    assert set(code) <= set(CROCKFORD)
    assert not set(code) & set("ILOU")
    assert short_code_in(code) == code


def test_c2_fifty_bits_make_different_codes():
    codes = {new_short_code(Bytes((1 << bit).to_bytes(7))) for bit in range(50)}
    assert len(codes) == 50
    assert new_short_code(Bytes(bytes(7))) not in codes


@given(code=st.text(CROCKFORD, min_size=10, max_size=10), data=st.data())
def test_c3_a_code_is_known_however_it_is_typed(code: str, data: st.DataObject):
    lookalikes = {"0": "0Oo", "1": "1IiLl"}
    typed = ""
    for letter in code:
        typed += data.draw(st.sampled_from(["", "", "", " ", "-"]))
        typed += data.draw(st.sampled_from(lookalikes.get(letter, letter + letter.lower())))
    assert short_code_in(typed) == code
    assert short_code_in(shown_short_code(code)) == code


@pytest.mark.parametrize(
    "text",
    [
        *("", "ABCDE-FGHJ", "ABCDE-FGHJKM", "ABCDE-FGHJU", "ABCDE_FGHJK", "ABCDE.FGHJK"),
        *("\uff21BCDEFGHJK", "ABCDEFGHJ\u0131", "ABCDE\nFGHJK", "-" * 40 + "ABCDEFGHJK"),
        "RSB1" + "0" * 140,
    ],
)
def test_c3_anything_else_is_no_code(text: str):
    assert short_code_in(text) is None
