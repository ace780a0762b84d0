"""Webhooks go to public addresses alone, hear what they name, and are tried for days."""

from __future__ import annotations

import itertools

import pytest

from common.rules.hooks import (
    HookType,
    Target,
    happened_of,
    is_public,
    is_wanted,
    next_try_at,
    target_of,
)

HOUR_MS = 3_600_000
A_STANDARD_S_LENGTH_MS = 75 * HOUR_MS


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/in",
        "ftp://hooks.example/in",
        "https://user@hooks.example/in",
        "https://user:secret@hooks.example/in",
        "https://hooks.example@127.0.0.1/",
        "https://hooks.example/in#part",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example:0/",
        "https://hooks.example:70000/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: other",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://db/",
        "https://pc.local/",
        "https://metadata.google.internal/",
        "https://a.localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0.0.0.0/",
        "https://10.0.0.7/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[fec0::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[::127.0.0.1]/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://",
        "",
        "https://hooks.example/" + "a" * 500,
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_none(url):
    assert target_of(url) is None


def test_a_public_address_and_a_trusted_host_may_be_told():
    assert target_of("https://hooks.example/in?key=1") == Target(
        scheme="https", host="hooks.example", port=443
    )
    assert target_of("https://[2606:4700::1111]:8443/") is not None
    assert target_of("http://127.0.0.1:9000/", {"127.0.0.1"}) == Target(
        scheme="http", host="127.0.0.1", port=9000
    )
    assert target_of("http://DB/in", {"db"}) is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


def test_an_event_is_tried_for_longer_than_the_standard_asks():
    now = first = 1_000_000
    attempts, tried = 0, []
    at: int | None = now
    while at is not None:
        attempts += 1
        tried.append(at)
        at = next_try_at(at, attempts, first)
    assert tried[-1] - first >= A_STANDARD_S_LENGTH_MS
    assert max(b - a for a, b in itertools.pairwise(tried)) <= HOUR_MS
    assert attempts < 100


def test_an_endpoint_hears_what_it_names_and_one_that_names_nothing_hears_all():
    assert is_wanted(HookType.SESSION_ENDED, ())
    assert is_wanted(HookType.SESSION_ENDED, ("device", "session"))
    assert not is_wanted(HookType.SESSION_ENDED, ("device",))
    assert is_wanted(HookType.HOOK_TEST, ("device",))


def test_what_is_told_of_a_ledger_s_line_is_ids_and_states_alone():
    facts = {"reason": "time_up", "delivered_seconds": 3, "name": "Taro", "cents": 500}
    ids = {"session": "s-1", "reservation": "r-1"}
    happened = happened_of("session.ended", facts, ids)
    assert happened is not None
    assert (happened.type, happened.about) == (HookType.SESSION_ENDED, "s-1")
    assert dict(happened.facts) == {"reason": "time_up", **ids}
    told = happened_of("device.told", {"device": "d-1", "state": "turnover"}, {"terminal": "t-1"})
    assert told is not None
    assert (told.type, told.about) == (HookType.DEVICE_TURNOVER, "d-1")
    assert happened_of("scan.denied", {}, {"reservation": "r-1"}) is None
