"""Who can be booked, and what is said of it: free now, free at, closed until, full (E2, E3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.messages.offerings import OfferingOff, OffReason
from common.rules.offerings import (
    NEVER,
    SEEN_WITHIN_SECONDS,
    Availability,
    Available,
    OfferState,
    Reliability,
    Served,
    available,
    is_sold,
    reliability,
    seen_since,
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

    assert said(devices_free=2) == Available(state=Availability.FREE_NOW, devices=2)
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
