"""What is a mail address, and when a letter is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.letters import ADDRESS_LENGTH_MAX, ATTEMPTS_MAX, address_of, wait_seconds


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@b.example", "a@b.example"),
        ("  Taro.Yamada+VR@Mail.Example \n", "taro.yamada+vr@mail.example"),
        ("o'neil@a-b.c.example", "o'neil@a-b.c.example"),
    ],
)
def test_an_address_is_kept_in_small_letters(text: str, address: str):
    assert address_of(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "@b.example", "a@", "a@b", "a@b.1", "a@b..example", "a..b@c.example"),
        *(".a@b.example", "a.@b.example", "a b@c.example", "a@-b.example", "a@b-.example"),
        *("a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "a\n@b.example"),
        *("a@b.example\x00", "<a@b.example>", '"a b"@c.example', "ä@b.example", "a@ü.example"),
        *("a" * 65 + "@b.example", "a@" + "b" * 64 + ".example", "a@b.example;x"),
        "a" * 60 + "@" + ("b" * 60 + ".") * 4 + "example",
    ],
)
def test_what_is_no_address_is_none(text: str):
    assert address_of(text) is None


@given(st.text(max_size=300))
def test_no_address_can_end_a_header_or_name_a_second_one(text: str):
    address = address_of(text)
    if address is not None:
        assert address.isascii()
        assert len(address) <= ADDRESS_LENGTH_MAX
        assert not set(address) & set(' \r\n\t<>,;:"()[]\\')
        assert address.count("@") == 1
        assert address_of(address) == address


def test_a_letter_is_tried_for_most_of_a_day_and_ever_more_seldom():
    waits = [wait_seconds(attempts) for attempts in range(1, ATTEMPTS_MAX)]
    assert waits == sorted(waits)
    assert 12 * 3600 < sum(waits) < 24 * 3600
    assert wait_seconds(1) <= 60
