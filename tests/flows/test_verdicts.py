"""Every reason to open nothing, brought about by what happens, and what is said of it (C4)."""

from __future__ import annotations

import json

import pytest

from cloud_controller.flows import service
from cloud_controller.ports import NotFound
from common.messages.base import Particulars
from common.messages.rights import Refused, Right
from common.messages.sessions import CustomerTold
from common.rules.offerings import NEVER
from common.rules.sessions import Notice
from common.rules.tickets import DenialReason
from common.seals import read_token, seal_token
from common.words import LANGUAGES, Here, words_for
from edge_agent.flows import rights as asking
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.verdict_kit import (
    HAPPENINGS,
    IN_TOKYO,
    STRANGER,
    at_another_device,
    denied,
    early,
    nobody_paid,
    not_open_yet,
    vars_of,
)


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer; it is nine o'clock in the store."""
    made = house.confirmed("a", "b")
    made.do(asking.take_time, house.clock.now)
    return made


def test_every_reason_of_the_vocabulary_happens_here():
    assert {reason for _, reason in HAPPENINGS} == set(DenialReason)


@pytest.mark.parametrize(
    ("happening", "reason"), HAPPENINGS, ids=lambda part: getattr(part, "__name__", str(part))
)
def test_c4_each_denial_happens_and_says_what_is_known_of_it(house, terminal, happening, reason):
    verdict, facts = happening(house, terminal)
    assert verdict.reason is reason
    assert verdict.told == Particulars(**facts)
    here = Here(time_zone=IN_TOKYO, now=house.clock.now)
    for language in LANGUAGES:
        words = words_for(reason, language, verdict.told, here)
        said = words.what + words.next
        assert words.next
        for name in ("to", "number", "place", "store", "free_now"):
            assert str(facts.get(name, "")) in said, f"{name} is known and not said"


SAID = {
    early: "Please come back at 10:55, and scan it again.",
    at_another_device: "This ticket is for Booth b, number 2. Please go there, it is to the left.",
    nobody_paid: "Your reservation was released at 09:10, and its ticket with it. "
    "You can book anew on our page: 2 free now.",
    not_open_yet: "The store is closed now. It opens at 09:10: please scan again then.",
}


@pytest.mark.parametrize("happening", SAID, ids=lambda each: each.__name__)
def test_the_customer_reads_the_time_by_the_clock_of_the_store(house, terminal, happening):
    now = house.clock.now
    verdict, _ = happening(house, terminal)
    words = words_for(verdict.reason, "en", verdict.told, Here(time_zone=IN_TOKYO, now=now))
    assert f"{words.what} {words.next}".endswith(SAID[happening])


def test_a_terminal_knows_the_zone_of_its_store(terminal):
    (row,) = terminal.rows("profile")
    assert json.loads(row["body"])["time_zone"] == IN_TOKYO


def test_what_was_said_stands_in_the_ledger_and_beside_the_scan(house, terminal):
    verdict, facts = early(house, terminal)
    (line,) = [row for row in house.books.rows("ledger") if row["type"] == "scan.denied"]
    assert json.loads(line["body"])["opens_at"] == facts["opens_at"]
    scan = house.books.one("scans")
    assert scan["scan_id"] == verdict.scan
    assert json.loads(scan["told"])["opens_at"] == facts["opens_at"]


def test_a_scan_that_is_asked_about_again_gets_the_verdict_it_got(house, terminal):
    """It was read once: what has become true since then is for the next reading."""
    (device, _) = house.devices_of(terminal)
    token = house.book(device, in_seconds=SLOT_SECONDS)
    first = house.scan(terminal, device, token)
    assert isinstance(first, Refused)
    scan = house.books.one("scans")["scan_id"]
    house.clock.move(SLOT_SECONDS)
    house.announce(terminal, device)
    terminal.scan(device, token, name=scan)
    (request,) = terminal.asks()
    (again,) = house.ask(terminal, request)
    assert again == first.model_copy(update={"comm_id": request.comm_id})
    assert len(house.books.rows("scans")) == 1
    terminal.hear(again)
    house.carry(terminal)
    assert isinstance(house.scan(terminal, device, token), Right), "the next reading opens it"


def test_a_reader_that_reports_a_denied_scan_again_is_told_the_same(house, terminal):
    reader = house.confirmed("door")
    token = house.book(house.devices_of(terminal)[0], in_seconds=4 * SLOT_SECONDS)
    report = reader.do(asking.report, token)
    told, again = (one for _ in range(2) for one in house.ask(reader, report))
    assert isinstance(told, CustomerTold)
    assert (told.notice, told.reason) == (Notice.DENIED, DenialReason.TOO_EARLY)
    assert told.opens_at is not None
    assert again == told.model_copy(update={"command": again.command})


def test_a_forged_ticket_and_an_unknown_one_cost_the_same_questions(house, terminal):
    """Not by its words nor by what is looked up can one find out which tickets there are."""
    (device, _) = house.devices_of(terminal)
    known = read_token(house.book(device)).token
    other = type(known)(**{**vars_of(known), "ticket": "cd" * 8})
    asked_of_the_books = []
    denied(house, terminal, device, seal_token(other, STRANGER))
    for token in (
        seal_token(known, STRANGER),
        seal_token(other, STRANGER),
        house.keys.seal_token(other),
    ):
        questions: list[str] = []
        house.books.connection.set_trace_callback(questions.append)
        denied(house, terminal, device, token)
        house.books.connection.set_trace_callback(None)
        asked_of_the_books.append([question.split("\n")[0][:40] for question in questions])
    assert asked_of_the_books[0] == asked_of_the_books[1] == asked_of_the_books[2]
    _, *verdicts = [row["verdict"] for row in house.books.rows("scans")]
    assert verdicts == ["bad_signature", "bad_signature", "unknown_ticket"], "the books tell them"


def test_the_operator_says_where_a_device_stands_and_that_it_is_broken_each_by_itself(house):
    terminal = house.confirmed("a")
    (device,) = house.devices_of(terminal)
    tell = service.tell_of_device
    row = house.books.do(tell, service.DeviceTold(device=device, place="by the door"), "owner")
    assert (row["place"], row["is_out_of_order"]) == ("by the door", 0)
    broken = service.DeviceTold(device=device, is_out_of_order=True, reason="no picture")
    for _ in range(2):
        row = house.books.do(tell, broken, "owner")
        assert (row["place"], row["is_out_of_order"]) == ("by the door", 1)
    told = [row for row in house.books.rows("audit") if row["act"] == "device.told"]
    assert [row["subject"] for row in told] == [device, device], "what changes nothing is no act"
    assert "no picture" in told[-1]["reason"]
    with pytest.raises(NotFound):
        house.books.do(tell, service.DeviceTold(device="d-nobody"), "owner")


def test_a_device_that_is_out_of_order_is_not_sold(house):
    terminal = house.confirmed("a")
    (device,) = house.devices_of(terminal)
    offering = house.books.one("offerings")["offering_id"]
    told = service.DeviceTold(device=device, is_out_of_order=True)
    house.books.do(service.tell_of_device, told, "owner")
    assert not house.books.do(
        lambda books: list(books.offerings.devices(offering_id=offering, seen_since=NEVER))
    )
