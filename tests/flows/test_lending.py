"""A ticket whose reservation another controller keeps opens a device here, once (C1)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import reservations, rights, sessions
from cloud_controller.flows.rights import peers
from cloud_controller.ports import NotAllowed, NotFound
from common.messages.reservations import GiveBack, IssueAsked, TicketAsked, UseAsked
from common.messages.rights import Refused, Right
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.rules.tickets import DenialReason
from common.seals import new_signing_key, read_token, seal_token
from tests.fakes.house import SLOT_SECONDS
from tests.fakes.keeper import begin, device_of, end, fail, look_after, scan
from tests.fakes.terminal import TerminalInHand

WHOLE_STORY = [
    "reservation.confirmed",
    "ticket.lent",
    "right.issued",
    "session.starting",
    "session.running",
    "session.ended",
    "reservation.completed",
]


@pytest.fixture(name="terminal")
def _terminal(two_booths: TerminalInHand) -> TerminalInHand:
    """Return the terminal whose store is sold elsewhere."""
    return two_booths


def test_c1_a_ticket_of_another_controller_opens_runs_and_completes_on_both_sides(keeper, terminal):
    """C1: reserved there, scanned here, completed there; each side's books say the same."""
    link = keeper.book()
    session = begin(keeper, terminal, device_of(keeper, link), keeper.token(link))
    keeper.carry()
    assert keeper.stands(link) == ("in_use", "spent")
    assert keeper.ticket(link)["session_state"] == "running"
    end(keeper, terminal, session)
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")
    assert keeper.mirror() == ("used", "completed", "spent")
    assert [line for line in keeper.story(link) if line != "stop.instructed"] == WHOLE_STORY
    row = keeper.ticket(link)
    assert (row["session_state"], row["delivered_seconds"]) == ("ended", SLOT_SECONDS)
    assert keeper.house.books.one("reservations")["price_cents"] == 0


def test_c1_nothing_is_said_to_the_reader_before_the_other_side_has_answered(
    house, keeper, terminal
):
    link = keeper.book()
    device = device_of(keeper, link)
    house.announce(terminal, device)
    terminal.scan(device, keeper.token(link))
    (request,) = terminal.asks()
    assert house.ask(terminal, request) == []
    (again,) = terminal.ask_again()
    assert house.ask(terminal, again) == [], "asked again it waits on"
    assert len(house.books.rows("borrowed_tickets")) == 1
    keeper.answer_questions()
    (right,) = house.books.heard()
    assert isinstance(right, Right)
    assert house.ask(terminal, again) == [right], "and later it is the same right"
    assert keeper.stands(link) == ("confirmed", "reserved")


def test_c1_what_is_cancelled_there_is_refused_here(keeper, terminal):
    """C1: cancel at the server, scan at the store: refused, with the customer's own reason."""
    link = keeper.book()
    token = keeper.token(link)
    device = device_of(keeper, link)
    keeper.cancel(link)
    answer = scan(keeper, terminal, device, token)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.CANCELLED
    assert keeper.house.books.rows("sessions") == []


def test_c1_what_is_in_use_here_cannot_be_given_up_there(keeper, terminal):
    link = keeper.book()
    scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    with pytest.raises(NotAllowed):
        keeper.cancel(link)
    assert keeper.stands(link) == ("confirmed", "reserved")


@pytest.mark.parametrize("lost", ["question", "answer"])
def test_c1_without_an_answer_the_customer_is_told_to_try_again_and_nothing_is_lost(
    keeper, terminal, lost
):
    """C1: the server is down at the scan: `busy_try_again`, and the next scan opens."""
    link = keeper.book()
    token, device = keeper.token(link), device_of(keeper, link)
    keeper.loses = lambda what: what == f"mark-used {lost}"
    answer = scan(keeper, terminal, device, token)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.BUSY_TRY_AGAIN
    assert keeper.house.books.one("borrowed_tickets")["state"] == "returning"
    keeper.loses = lambda _: False
    session = begin(keeper, terminal, device, token)
    end(keeper, terminal, session)
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")


def test_c1_what_was_taken_and_never_answered_goes_back_by_itself(keeper, terminal):
    link = keeper.book()
    keeper.loses = lambda what: what == "mark-used answer"
    scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    assert keeper.stands(link) == ("confirmed", "reserved")
    keeper.settle()
    assert keeper.stands(link) == ("confirmed", "issued")
    keeper.cancel(link)
    assert keeper.stands(link) == ("cancelled", "void")


def test_c1_a_return_that_overtakes_its_question_takes_that_back_too(keeper, terminal):
    link = keeper.book()
    keeper.loses = lambda what: what == "mark-used question"
    token = keeper.token(link)
    scan(keeper, terminal, device_of(keeper, link), token)
    (row,) = keeper.house.books.rows("borrowed_tickets")
    keeper.settle()
    late = UseAsked(
        claim=row["claim"], token=token, device=row["device_id"], terminal=row["terminal_id"]
    )
    found = keeper.do(rights.lend, keeper.peer, late)
    assert found.ticket is None
    assert keeper.stands(link) == ("confirmed", "issued")


def test_c1_what_is_refused_here_goes_back_at_once(keeper, terminal):
    """C1: lent, and then the store itself says no: the ticket is good again there."""
    link = keeper.book()
    keeper.house.books.connection.execute("UPDATE devices SET is_out_of_order = 1")
    answer = scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.DEVICE_OUT_OF_ORDER
    assert keeper.mirror() == ("returning", "expired", "void")
    keeper.settle()
    assert keeper.stands(link) == ("confirmed", "issued")
    keeper.house.books.connection.execute("UPDATE devices SET is_out_of_order = 0")
    begin(keeper, terminal, device_of(keeper, link), keeper.token(link))


def test_the_server_judges_the_hour_and_says_when_to_come_back(keeper, terminal):
    link = keeper.book(slots_ahead=4)
    answer = scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.TOO_EARLY
    assert answer.opens_at == keeper.ticket(link)["starts_at"] - 300_000
    assert keeper.stands(link) == ("confirmed", "issued")


def test_any_device_is_moved_where_all_that_is_sold_is_known(keeper, terminal):
    """C1: a ticket for any device opens the other one, unless that is sold: the server says so."""
    here, there = keeper.house.devices_of(terminal)
    link = keeper.book()
    assert device_of(keeper, link) == here
    begin(keeper, terminal, there, keeper.token(link))
    assert device_of(keeper, link) == there
    taken = keeper.book()
    assert device_of(keeper, taken) == here
    answer = scan(keeper, terminal, there, keeper.token(taken))
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.RESERVED_FOR_ANOTHER


def test_a_failed_start_goes_back_and_its_time_is_kept_on_another_device(keeper, terminal):
    """C1: which device is free only the server knows; the customer is sent there, and it opens."""
    here, there = keeper.house.devices_of(terminal)
    link = keeper.book(device=here)
    answer = scan(keeper, terminal, here, keeper.token(link))
    assert isinstance(answer, Right)
    fail(keeper, terminal, answer.document["session"])
    assert look_after(keeper.house) == []
    keeper.settle()
    (told,) = [each for each in keeper.house.books.heard() if isinstance(each, CustomerTold)]
    assert (told.notice, told.to) == (Notice.GO_TO_DEVICE, "Booth b")
    assert device_of(keeper, link) == there
    assert keeper.stands(link) == ("confirmed", "issued")
    assert "session.failed" in keeper.story(link)
    session = begin(keeper, terminal, there, keeper.token(link))
    end(keeper, terminal, session)
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")


def test_what_never_ran_is_paid_back_where_it_was_paid(keeper, terminal):
    """C1: every device fails and the time is over: undelivered there, and the money too."""
    here, there = keeper.house.devices_of(terminal)
    link = keeper.book(device=here)
    keeper.book(device=there)
    answer = scan(keeper, terminal, here, keeper.token(link))
    assert isinstance(answer, Right)
    fail(keeper, terminal, answer.document["session"])
    keeper.settle()
    (told,) = [each for each in keeper.house.books.heard() if isinstance(each, CustomerTold)]
    assert told.notice == Notice.NO_DEVICE_FREE
    keeper.clock.move(SLOT_SECONDS)
    keeper.do(reservations.lapse)
    keeper.do(sessions.give_up_undelivered)
    assert keeper.stands(link) == ("cancelled", "void")
    assert keeper.ticket(link)["compensated_cents"] == 1500
    keeper.house.books.do(sessions.give_up_undelivered)
    assert keeper.house.books.rows("compensations") == []


def forged(token: str) -> str:
    return seal_token(read_token(token).token, new_signing_key(bytes([9] * 32)))


@pytest.mark.parametrize("spoil", [forged, lambda token: token[::-1]], ids=["forged", "made up"])
def test_nobody_is_asked_about_what_no_key_of_ours_or_theirs_has_signed(keeper, terminal, spoil):
    link = keeper.book()
    answer = scan(keeper, terminal, device_of(keeper, link), spoil(keeper.token(link)))
    assert isinstance(answer, Refused)
    assert answer.reason in {DenialReason.BAD_SIGNATURE, DenialReason.UNKNOWN_TICKET}
    assert keeper.house.books.rows("borrowed_tickets") == []


def test_a_peer_learns_nothing_of_the_stores_of_another(keeper, terminal):
    """C1: to another controller a ticket is as if it were not, and it cannot take or cancel it."""
    link = keeper.book()
    keeper.do(peers.add_peer, "osaka", "ab" * 32, "tests")
    device = device_of(keeper, link)
    token, who = keeper.token(link), terminal.who.terminal
    asked = UseAsked(claim=1, token=token, device=device, terminal=who)
    for found in (
        keeper.do(rights.lend, "osaka", asked),
        keeper.do(rights.verify, "osaka", TicketAsked(token=token)),
    ):
        assert found.ticket is None
        assert found.denied.reason == DenialReason.UNKNOWN_TICKET
    keeper.do(rights.take_back, "osaka", GiveBack(claim=9, ticket=keeper.ticket(link)["ticket_id"]))
    assert keeper.books.rows("lent_tickets") == []
    keeper.peer = "osaka"
    with pytest.raises(NotFound):
        keeper.give_up(keeper.ticket(link)["reservation_id"])


def test_an_entrance_learns_which_device_a_ticket_is_for(house, keeper, terminal):
    """C1: read where no device is, a ticket of the server's is sent on to its device."""
    from common.messages.rights import ReportScan, TakeScan  # noqa: PLC0415 - here alone

    reader = house.confirmed("c")
    link = keeper.book(device=house.devices_of(terminal)[0])
    report = ReportScan(
        scan="x-1", token=keeper.token(link), read_at=house.clock.now, clock_is_trusted=True
    )
    assert house.ask(reader, report) == []
    assert house.ask(reader, report) == []
    keeper.answer_questions()
    (take,) = house.books.heard()
    assert isinstance(take, TakeScan)
    assert take.device == device_of(keeper, link)
    keeper.cancel(link)
    late = report.model_copy(update={"scan": "x-2"})
    house.ask(reader, late)
    keeper.answer_questions()
    (told,) = house.books.heard()
    assert (told.notice, told.reason) == (Notice.DENIED, DenialReason.CANCELLED)
    house.ask(reader, report.model_copy(update={"scan": "x-3"}))
    keeper.loses = lambda _: True
    keeper.answer_questions()
    (told,) = house.books.heard()
    assert told.reason == DenialReason.BUSY_TRY_AGAIN


def test_a_borrowed_ticket_is_held_by_no_terminal(house, keeper, terminal):
    link = keeper.book(slots_ahead=1)
    house.clock.move(SLOT_SECONDS - 200)
    scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    house.hold(terminal)
    assert house.books.rows("held_tickets") == []


def test_c1_a_key_books_once_through_the_port(keeper):
    offering = keeper.books.one("offerings")["offering_id"]
    asked = IssueAsked(
        key="k" * 16,
        offering=offering,
        starts_at=keeper.clock.now,
        length_seconds=SLOT_SECONDS,
    )
    first = keeper.issue(asked)
    assert keeper.issue(asked) == first
    assert len(keeper.books.rows("reservations")) == 1


def test_c1_a_code_that_changes_is_looked_at_by_who_keeps_the_ticket(keeper, terminal):
    keeper.books.connection.execute("UPDATE offerings SET rotates_code = 1")
    link = keeper.book()
    device = device_of(keeper, link)
    picture = keeper.books.do(reservations.text_to_show, keeper.token(link))
    assert len(picture) == 154
    keeper.house.clock.move(120)
    for text in (picture, keeper.token(link)):
        refused = scan(keeper, terminal, device, text)
        assert isinstance(refused, Refused)
        assert refused.reason == DenialReason.REVOKED
    fresh = keeper.books.do(reservations.text_to_show, keeper.token(link))
    session = begin(keeper, terminal, device, fresh)
    assert keeper.house.books.one("tickets")["token"] == keeper.token(link)
    keeper.carry()
    end(keeper, terminal, session)
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")
