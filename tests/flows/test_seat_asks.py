"""A terminal asks for a module's right by one exchange at a time, and keeps the receipt of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from common.rules.modules import Asked, SeatAskState
from edge_agent.flows import enrolment, modules, rights
from edge_agent.flows.rights import SeatWish
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.module_kit import PHYSICS, logged, own, publish, used, withdraw


@pytest.fixture
def sha256(house: HouseInHand) -> str:
    """Return the archive of a module that one seat is owned of."""
    own(house, seats=1)
    return publish(house, PHYSICS)


def want(
    house: HouseInHand, terminal: TerminalInHand, sha256: str, *, renews: bool = False
) -> Mapping[str, Any]:
    """Want the module's right and carry it to its end; return how the request stands."""
    wish = SeatWish(module=PHYSICS, version="1.0", sha256=sha256, renews=renews)
    terminal.do(rights.want_seat, wish)
    terminal.do(rights.look_at_seats, terminal.who)
    house.carry(terminal)
    row: Mapping[str, Any] = terminal.rows("module_requests")[0]
    return row


def test_d3_what_is_granted_is_kept_as_the_receipt_of_that_archive(house, sha256):
    terminal = house.confirmed("a")
    assert want(house, terminal, sha256)["state"] == SeatAskState.GRANTED
    receipt = terminal.do(modules.receipt, PHYSICS, sha256)
    assert house.keys.have_sealed(receipt.document, receipt.signature)
    asked = terminal.do(modules.asks, 0)[PHYSICS]
    assert asked == Asked(
        sha256=sha256,
        state=SeatAskState.GRANTED,
        ends_at=receipt.document["ends_at"],
        is_new=True,
    )
    assert (PHYSICS, sha256) in terminal.do(modules.leases, terminal.who)


def test_d3_a_refusal_says_why_and_leaves_no_receipt(house, sha256):
    want(house, house.confirmed("a"), sha256)
    terminal = house.confirmed("b")
    row = want(house, terminal, sha256)
    assert (row["state"], row["reason"]) == (SeatAskState.REFUSED, "no_seat_left")
    assert terminal.rows("receipts") == []


def test_b1_power_may_go_at_any_word_of_it_and_one_seat_is_taken(house, sha256):
    terminal = house.confirmed("a")
    wish = SeatWish(module=PHYSICS, version="1.0", sha256=sha256)
    terminal.do(rights.want_seat, wish)
    for _ in range(8):
        terminal.do(rights.look_at_seats, terminal.who)
        for message in terminal.asks() or terminal.ask_again():
            for answer in house.ask(terminal, message):
                terminal.restart()
                terminal.hear(answer)
                terminal.restart()
    assert terminal.rows("module_requests")[0]["state"] == SeatAskState.GRANTED
    assert used(house) == len(logged(house, "issued")) == 1


def test_d4_a_renewal_goes_by_the_same_exchange_and_moves_the_receipts_end(house, sha256):
    terminal = house.confirmed("a")
    want(house, terminal, sha256)
    house.clock.now += 3_600_000
    want(house, terminal, sha256, renews=True)
    (receipt,) = terminal.rows("receipts")
    assert receipt["issued_at"] == house.clock.now
    assert used(house) == len(logged(house, "issued")) == 1


def test_what_is_open_is_not_replaced_by_another_wish(house, sha256):
    terminal = house.confirmed("a")
    for version in ("1.0", "2.0"):
        terminal.do(rights.want_seat, SeatWish(module=PHYSICS, version=version, sha256=sha256))
    assert terminal.rows("module_requests")[0]["version"] == "1.0"


def test_d7_a_receipt_outlives_the_epoch_it_was_given_in(house, sha256):
    terminal = house.confirmed("a")
    want(house, terminal, sha256)
    withdraw(house, PHYSICS, "1.0")
    again = house.enrol(again=terminal.who.terminal)
    terminal.do(enrolment.keep_identity, again.who)
    assert len(terminal.rows("receipts")) == 1
    assert terminal.rows("module_requests") == []
