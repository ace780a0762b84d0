"""A module's right takes its seat and logs the issue before anything is sent (D3, D4, D11)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import rights
from cloud_controller.flows.rights.seats import LEASE_TOLERANCE_MS
from common.codec import PAYLOAD_BYTES_MAX, Envelope, write
from common.messages.modules import PACKAGES_MAX, ModulesAsk, ModulesOffer, ModulesOffered
from common.messages.rights import Complete, Refused, Right
from common.rules.modules import Basis, SeatRefusal
from tests.fakes.house import HouseInHand
from tests.flows.module_kit import PHYSICS, ask, logged, own, publish, used, withdraw

LEASE_MS = 86_400_000


def asking(sha256: str, **more: Any) -> dict[str, Any]:
    return {"module": PHYSICS, "version": "1.0", "sha256": sha256, **more}


def offer_of(house: HouseInHand, terminal: Any, *packages: str) -> dict[str, Any]:
    (told,) = house.ask(terminal, ModulesAsk(packages=packages))
    assert isinstance(told, ModulesOffered)
    terminal.hear(told)
    offer = ModulesOffer.model_validate(told.document)
    return {each.package: each for each in offer.packages}


def test_d3_a_right_is_the_receipt_of_what_may_be_fetched(house):
    sha256 = publish(house, PHYSICS)
    own(house)
    right = ask(house, house.confirmed("a"), 1, asking(sha256))
    assert isinstance(right, Right)
    said = right.document
    assert (said["module"], said["version"], said["sha256"]) == (PHYSICS, "1.0", sha256)
    assert (said["target"], said["length"]) == ("modules/physics/1.0.zip", 1000)
    assert (said["basis"], said["ends_at"]) == ("installed", house.clock.now + LEASE_MS)
    assert used(house) == 1


def test_d4_the_issue_is_logged_with_the_right_and_without_one_nothing_is(house):
    sha256 = publish(house, PHYSICS)
    own(house, seats=1)
    first, second = house.confirmed("a"), house.confirmed("b")
    right = ask(house, first, 1, asking(sha256))
    refused = ask(house, second, 1, asking(sha256))
    assert isinstance(refused, Refused)
    assert refused.reason == SeatRefusal.NO_SEAT_LEFT
    (line,) = logged(house, "issued")
    assert (line["client"], line["version"], line["digest"]) == (first.who.terminal, "1.0", sha256)
    assert line["right_comm_id"] == right.comm_id


@pytest.mark.parametrize("basis", [Basis.INSTALLED, Basis.EVER_ISSUED])
def test_d4_fetched_again_it_moves_updated_at_and_takes_no_new_seat(house, basis):
    sha256 = publish(house, PHYSICS, basis=basis)
    own(house)
    terminal = house.confirmed("a")
    ask(house, terminal, 1, asking(sha256))
    registered_at = house.clock.now
    house.clock.now += 3_600_000
    assert isinstance(ask(house, terminal, 2, asking(sha256)), Right)
    assert used(house) == 1
    row = house.books.one("download_log")
    assert (row["registered_at"], row["updated_at"]) == (registered_at, house.clock.now)
    assert (row["client"], row["deliveries"]) == (terminal.who.terminal, 2)


def test_d4_a_lease_that_is_renewed_is_no_issue(house):
    sha256 = publish(house, PHYSICS)
    own(house)
    terminal = house.confirmed("a")
    ask(house, terminal, 1, asking(sha256))
    house.clock.now += LEASE_MS // 2
    renewed = ask(house, terminal, 2, asking(sha256, renews=True))
    assert isinstance(renewed, Right)
    assert renewed.document["ends_at"] == house.clock.now + LEASE_MS
    assert len(logged(house, "issued")) == used(house) == 1


def test_d4_what_claims_to_be_renewed_and_was_never_issued_is_logged(house):
    sha256 = publish(house, PHYSICS)
    own(house)
    assert isinstance(ask(house, house.confirmed("a"), 1, asking(sha256, renews=True)), Right)
    assert len(logged(house, "issued")) == used(house) == 1


@pytest.mark.parametrize(("basis", "left"), [("installed", 0), ("ever_issued", 1)])
def test_d11_at_its_leases_end_a_seat_comes_back_unless_it_counts_for_ever(house, basis, left):
    sha256 = publish(house, PHYSICS, basis=basis)
    own(house)
    ask(house, house.confirmed("a"), 1, asking(sha256))
    house.clock.now += LEASE_MS + LEASE_TOLERANCE_MS + 1
    house.books.do(rights.free_leases)
    assert used(house) == left


def test_d11_what_is_counted_by_runs_takes_no_seat_by_being_installed(house):
    sha256 = publish(house, PHYSICS, basis="concurrent")
    own(house, seats=0)
    terminal = house.confirmed("a")
    assert offer_of(house, terminal, PHYSICS)[PHYSICS].has_seats
    right = ask(house, terminal, 1, asking(sha256))
    assert isinstance(right, Right)
    assert used(house) == 0
    assert len(logged(house, "issued")) == 1


@pytest.mark.parametrize(
    ("request_of", "why"),
    [
        (lambda _: asking("0" * 64), SeatRefusal.NOT_ON_OFFER),
        (lambda sha256: {**asking(sha256), "version": "2.0"}, SeatRefusal.NOT_ON_OFFER),
        (lambda _: {"module": PHYSICS}, SeatRefusal.NOT_ON_OFFER),
        (lambda sha256: {**asking(sha256), "version": "../1"}, SeatRefusal.MALFORMED),
    ],
)
def test_d3_nothing_is_issued_that_was_not_published(house, request_of, why):
    sha256 = publish(house, PHYSICS)
    own(house)
    refused = ask(house, house.confirmed("a"), 1, request_of(sha256))
    assert isinstance(refused, Refused)
    assert refused.reason == why
    assert (used(house), logged(house, "issued")) == (0, [])


def test_d3_what_is_withdrawn_is_renewed_and_not_issued_anew(house):
    sha256 = publish(house, PHYSICS)
    own(house)
    first, second = house.confirmed("a"), house.confirmed("b")
    ask(house, first, 1, asking(sha256))
    withdraw(house, PHYSICS, "1.0")
    assert offer_of(house, second, PHYSICS) == {}
    assert isinstance(ask(house, second, 1, asking(sha256)), Refused)
    assert isinstance(ask(house, first, 2, asking(sha256, renews=True)), Right)


def test_d2_an_offer_says_what_is_to_be_had_and_of_seats_some_or_none(house):
    program = publish(house, "racer", kind="program", requires=[PHYSICS])
    sha256 = publish(house, PHYSICS)
    publish(house, "sound")
    own(house, seats=1)
    own(house, "sound", seats=0)
    first, second = house.confirmed("a"), house.confirmed("b")
    offered = offer_of(house, first, "racer", "sound", "unheard-of")
    assert {name: each.has_seats for name, each in offered.items()} == {
        "racer": True,
        PHYSICS: True,
        "sound": False,
    }
    assert (offered["racer"].sha256, offered[PHYSICS].sha256) == (program, sha256)
    ask(house, first, 1, asking(sha256))
    assert offer_of(house, first, PHYSICS)[PHYSICS].has_seats, "its own seat is its own"
    assert not offer_of(house, second, PHYSICS)[PHYSICS].has_seats


def test_d2_the_newest_release_that_is_not_withdrawn_is_on_offer(house):
    publish(house, PHYSICS, "1.0")
    publish(house, PHYSICS, "1.1", counter=2)
    own(house)
    terminal = house.confirmed("a")
    assert offer_of(house, terminal, PHYSICS)[PHYSICS].version == "1.1"
    withdraw(house, PHYSICS, "1.1")
    assert offer_of(house, terminal, PHYSICS)[PHYSICS].version == "1.0"


def test_an_offer_of_however_much_is_still_one_message(house):
    required = [f"needed-by-everybody-of-them-{number:03}" for number in range(16)]
    names = [f"package-with-a-long-name-{number:04}" for number in range(PACKAGES_MAX)]
    for name in names:
        publish(house, name, requires=required)
    (told,) = house.ask(house.confirmed("a"), ModulesAsk(packages=tuple(names)))
    assert isinstance(told, ModulesOffered)
    assert 0 < len(told.document["packages"]) < PACKAGES_MAX
    written = write(Envelope(id="m", terminal="t", epoch="e", sent_at=0, message=told))
    assert len(written) <= PAYLOAD_BYTES_MAX


def test_d4_a_receipt_that_is_shown_to_an_old_backup_is_counted_and_logged_again(house, tmp_path):
    sha256 = publish(house, PHYSICS)
    own(house)
    terminal = house.confirmed("a")
    house.books.copy_to(tmp_path / "backup")
    right = ask(house, terminal, 1, asking(sha256))
    assert isinstance(right, Right)
    house.books.put_back(tmp_path / "backup")
    complete = Complete(comm_id=right.comm_id, digest=right.digest(), presented=right)
    house.ask(terminal, complete)
    (line,) = logged(house, "issued")
    assert (used(house), line["digest"]) == (1, sha256)
    assert line["at"] == right.document["issued_at"]


def test_d2_an_offer_for_another_or_with_a_broken_seal_is_not_taken(house):
    publish(house, PHYSICS)
    first, second = house.confirmed("a"), house.confirmed("b")
    (told,) = house.ask(first, ModulesAsk(packages=(PHYSICS,)))
    assert isinstance(told, ModulesOffered)
    forged = told.model_copy(update={"document": {**told.document, "terminal": "t-9"}})
    for terminal, word in ((second, told), (first, forged)):
        terminal.hear(word)
        assert terminal.rows("modules_offer") == []
    first.hear(told)
    assert len(first.rows("modules_offer")) == 1
