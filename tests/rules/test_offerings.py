"""Who can be booked, and what is said of it: free now, free at, closed until, full (E2, E3)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from common.messages.offerings import PICTURE_BYTES_MAX, OfferingOff, OffReason
from common.rules.offerings import (
    NEVER,
    SEEN_WITHIN_SECONDS,
    SIDE_PIXELS_MAX,
    Availability,
    Available,
    OfferState,
    Reliability,
    Served,
    available,
    is_sold,
    picture_fault,
    reliability,
    seen_since,
    size_of,
)

NOW = 1_792_720_800_000
LATELY = NOW - SEEN_WITHIN_SECONDS * 1000
ON = Served(
    state=OfferState.ON, reason="", is_gone=False, presence_at=LATELY - 1, is_out_of_order=False
)


def served(**more: Any) -> Served:
    return replace(ON, **more)


def test_e2_while_the_store_is_open_only_what_is_on_and_here_is_sold():
    since = seen_since(NOW, is_open=True)
    assert since == NEVER
    assert is_sold(ON, since)
    assert not is_sold(served(is_gone=True, presence_at=NOW), since)
    assert not is_sold(served(state=OfferState.REGISTERED, presence_at=NOW), since)
    assert not is_sold(served(state=OfferState.OFF, reason=OffReason.STOPPING), since)
    assert not is_sold(served(is_out_of_order=True), since)


@pytest.mark.parametrize(
    ("is_sold_then", "device"),
    [
        (True, served(is_gone=True, presence_at=LATELY)),
        (False, served(is_gone=True, presence_at=LATELY - 1)),
        (True, served(state=OfferState.OFF, reason=OffReason.STOPPING, presence_at=LATELY)),
        (True, served(state=OfferState.REGISTERED, is_gone=True, presence_at=NOW)),
        (False, served(is_out_of_order=True, presence_at=NOW)),
        *(
            (False, served(state=OfferState.OFF, reason=reason, presence_at=NOW))
            for reason in ["", *OffReason]
            if reason != OffReason.STOPPING
        ),
    ],
)
def test_e2_while_it_is_closed_who_was_put_out_for_the_night_is_sold_from_its_opening(
    *, is_sold_then: bool, device: Served
):
    assert is_sold(device, seen_since(NOW, is_open=False)) is is_sold_then


def test_e3_an_offering_is_free_now_or_at_a_time_or_closed_or_full():
    def said(**facts: Any) -> Available | None:
        none: dict[str, Any] = {"is_open": True, "opens_at": None, "devices_free": 0}
        return available(**{**none, "free_at": None, **facts})

    assert said(devices_free=2) == Available(state=Availability.FREE_NOW)
    assert said(free_at=NOW) == Available(state=Availability.FREE_AT, at=NOW)
    assert said() == Available(state=Availability.FULL)
    closed = Available(state=Availability.CLOSED_UNTIL, at=NOW)
    assert said(is_open=False, opens_at=NOW, devices_free=1) == closed
    assert said(is_open=False) is None, "it never opens again"


def test_of_few_uses_nothing_is_said():
    assert reliability(on_time=9, uses=9) is None
    assert reliability(on_time=9, uses=10) == Reliability(on_time=9, uses=10)


def test_a_reason_that_another_version_says_is_some_other():
    said = {"key": "vr", "device": "d-1"}
    for reason in ("it is out of order", None, ["stopping"], ""):
        assert OfferingOff.model_validate({**said, "reason": reason}).reason is OffReason.OTHER
    assert OfferingOff.model_validate({**said, "reason": "stopping"}).reason is OffReason.STOPPING
    assert OfferingOff.model_validate(said).reason is OffReason.OTHER


def riff(kind: bytes, data: bytes) -> bytes:
    return b"RIFF" + b"\0" * 4 + b"WEBP" + kind + b"\0" * 4 + data.ljust(24, b"\0")


def sized(width: int, height: int) -> bytes:
    """Return the head of an extended WebP of this size."""
    sides = ((side - 1).to_bytes(3, "little") for side in (width, height))
    return riff(b"VP8X", b"\0" * 4 + b"".join(sides))


def test_e1_a_webp_says_its_size_in_each_of_its_three_heads():
    assert size_of(sized(640, 480)) == (640, 480)
    lossless = riff(b"VP8L", b"\x2f" + ((480 - 1) << 14 | (640 - 1)).to_bytes(4, "little"))
    assert size_of(lossless) == (640, 480)
    frame = b"\0" * 3 + b"\x9d\x01\x2a" + (640).to_bytes(2, "little") + (480).to_bytes(2, "little")
    assert size_of(riff(b"VP8 ", frame)) == (640, 480)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xff\xd8\xff\xe0" + b"\0" * 40,
        riff(b"VP8L", b"\0" * 10),
        riff(b"VP8 ", b"\0" * 10),
        riff(b"JUNK", b"\0" * 10),
        sized(640, 480)[:29],
    ],
)
def test_e1_what_is_no_webp_is_no_picture(body: bytes):
    assert size_of(body) is None
    assert picture_fault(body, sha256(body).hexdigest()) is not None


def test_e1_a_picture_is_small_and_what_it_says_it_is():
    good = sized(SIDE_PIXELS_MAX, 1)
    assert picture_fault(good, sha256(good).hexdigest()) is None
    assert picture_fault(good, "a" * 64) is not None
    moving = good[:20] + b"\x02" + good[21:]
    for bad in (sized(SIDE_PIXELS_MAX + 1, 1), good + b"\0" * PICTURE_BYTES_MAX, moving):
        assert picture_fault(bad, sha256(bad).hexdigest()) is not None
