"""Devices between two customers, on a real journal and real books: made ready, or out of order."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller import bookings
from cloud_controller.flows import devices as known_of, problems
from cloud_controller.flows.service import DeviceTold as Word
from common.messages.devices import DevicesDesired, DeviceTold
from common.messages.rights import Right
from common.rules.devices import (
    CODE_TRIES_MAX,
    CODE_TRIES_SECONDS,
    Care,
    ConfirmBy,
    DeviceFault,
    NotConfirmed,
)
from common.rules.problems import ProblemKind
from common.rules.sessions import START_AGAIN_SECONDS, START_TRIES, EndReason
from common.rules.tickets import DenialReason
from edge_agent.flows import devices, sessions
from edge_agent.reconciler import Reconciler
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import a_program
from tests.flows.device_kit import FREE, IN_USE, OUT, PREPARING, TURNOVER, Booth
from tests.flows.test_reconciler import RunnerInHand


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a device that is emptied, reset, and confirmed by a cleaner's code."""
    return Booth(house, house.confirmed("a", "b"))


def test_a_device_is_available_again_after_every_step_of_its_turnover(booth: Booth):
    assert booth.state is FREE
    session = booth.start()
    assert booth.state is PREPARING
    booth.run(session)
    assert booth.state is IN_USE
    booth.house.clock.move(SLOT_SECONDS)
    booth.end(session)
    assert (booth.state, booth.in_the_books["state"]) == (TURNOVER, "turnover")
    (wipe,) = booth.to_do()
    assert (wipe.program, wipe.command) == ("racer", None)
    booth.done()
    (reset,) = booth.to_do()
    assert (reset.command, booth.state) == ("clean", TURNOVER)
    assert reset.run != wipe.run
    booth.done()
    assert (booth.to_do(), booth.state, booth.now.step) == ([], TURNOVER, "confirm")
    assert booth.enter(booth.new_code()) is None
    assert (booth.state, booth.in_the_books["state"]) == (FREE, "available")
    told = [row for row in booth.house.books.rows("ledger") if row["type"] == "device.told"]
    assert [row["reservation_id"] for row in told] == ["r-1"] * 2, "in its ticket's timeline"


def test_without_anything_to_do_it_is_available_at_once(booth: Booth):
    booth.care = Care()
    booth.use()
    assert booth.state is FREE


def test_a_program_that_never_came_up_leaves_nothing_to_be_cleaned(booth: Booth):
    session = booth.start()
    for _ in range(START_TRIES):
        booth.terminal.do(sessions.note_refused, session, EndReason.PROGRAM_FAILED)
        booth.house.clock.move(START_AGAIN_SECONDS)
    booth.tell()
    assert booth.state is TURNOVER
    booth.done()
    booth.done()
    assert booth.state is FREE


def test_a_step_that_was_cut_off_is_asked_for_again_under_its_own_id(booth: Booth):
    booth.use()
    before = booth.to_do()
    booth.terminal.restart()
    booth.review()
    assert booth.to_do() == before
    assert not booth.terminal.do(devices.note_done, booth.served, "u-another", None)
    booth.done()
    assert booth.terminal.do(devices.note_done, booth.served, before[0].run, None) is False
    assert booth.now.step == "reset"


def test_a_pc_that_was_started_anew_gives_a_step_its_whole_time_again(booth: Booth):
    booth.more = {"wipe_seconds": 100.0}
    booth.use()
    booth.house.clock.move(90)
    booth.terminal.restart(boot_id="boot-2")
    booth.review()
    booth.overdue(90)
    assert booth.state is TURNOVER
    booth.overdue(10)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.STEP_OVERDUE)


@pytest.mark.parametrize("steps_done", [0, 1])
def test_a_step_that_fails_puts_the_device_out_of_order(booth: Booth, steps_done: int):
    booth.use()
    for _ in range(steps_done):
        booth.done()
    booth.done("it ended with 3")
    fault = (DeviceFault.WIPE_FAILED, DeviceFault.RESET_FAILED)[steps_done]
    assert (booth.state, booth.now.fault, booth.now.detail) == (OUT, fault, "it ended with 3")
    known = booth.in_the_books
    assert (known["is_out_of_order"], known["state"], known["fault"]) == (1, OUT, fault)
    assert booth.problems() == {booth.device: ProblemKind.DEVICE_OUT_OF_ORDER}
    assert booth.to_do() == []


def test_what_is_not_confirmed_in_its_time_is_out_of_order(booth: Booth):
    booth.use()
    booth.done()
    booth.done()
    booth.overdue(3_599)
    assert booth.state is TURNOVER
    booth.overdue(1)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.CONFIRMATION_OVERDUE)


def test_coming_claims_of_a_device_that_fails_become_problems_with_proposals(booth: Booth):
    booth.house.book(booth.device, in_seconds=2 * SLOT_SECONDS)
    booth.use()
    booth.done("no such file")
    (claim,) = [
        row for row in booth.house.books.rows("problems") if row["kind"] != "device_out_of_order"
    ]
    assert claim["kind"] == ProblemKind.RESERVATION_WITHOUT_DEVICE
    assert f'{{"do": "move", "device": "{booth.other}"' in claim["proposals"]
    booth.tell()
    booth.house.books.do(bookings.call_for_devices)
    assert booth.house.books.rows("problems")[-1]["times"] == 1, "nobody is called twice"


def test_its_problems_are_solved_when_it_is_back_and_verified(booth: Booth):
    later = booth.house.book(booth.device, in_seconds=2 * SLOT_SECONDS)
    booth.use()
    booth.done("no such file")
    booth.house.clock.move(SLOT_SECONDS)
    assert booth.denied(later) is DenialReason.DEVICE_OUT_OF_ORDER
    booth.order(is_out=False)
    assert booth.state is TURNOVER
    assert booth.denied(later) is DenialReason.DEVICE_IN_TURNOVER
    assert booth.device in booth.problems()
    booth.done()
    booth.done()
    booth.house.books.do(problems.solve_reservations)
    assert (booth.state, booth.problems()) == (FREE, {})
    assert isinstance(booth.house.scan(booth.terminal, booth.device, later), Right)


def test_what_fails_again_when_it_is_verified_is_out_of_order_again(booth: Booth):
    booth.use()
    booth.done("no such file")
    booth.order(is_out=False)
    booth.done("no such file")
    assert (booth.state, booth.in_the_books["is_out_of_order"]) == (OUT, 1)


def test_an_operator_who_has_seen_it_skips_the_turnover(booth: Booth):
    booth.use()
    booth.order(is_out=False, skips=True)
    assert (booth.state, booth.to_do()) == (FREE, [])
    acts = [row["act"] for row in booth.house.books.rows("audit")]
    assert "device.turnover_skipped" in acts


def test_a_device_is_not_taken_from_whoever_uses_it(booth: Booth):
    session = booth.start()
    booth.run(session)
    booth.order(is_out=True)
    assert booth.state is IN_USE
    booth.end(session)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.OPERATOR)
    assert booth.problems() == {}, "who has said so himself need not be called"


def test_a_program_that_does_not_stay_up_puts_its_device_out_of_order(booth: Booth):
    session = booth.start()
    booth.terminal.do(devices.note_broken, session)
    booth.terminal.do(sessions.note_refused, session, EndReason.PROGRAM_FAILED)
    booth.end(session)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.PROGRAM_BROKEN)
    assert booth.now.detail == "game fails too often"
    booth.order(is_out=False)
    assert [each.device for each in booth.terminal.do(devices.to_mend, booth.served)] == [
        booth.device
    ]
    booth.terminal.do(devices.note_broken, session)
    assert booth.state is TURNOVER, "what the runner says is of before it was put right"
    booth.terminal.do(devices.note_mended, booth.device)
    assert booth.terminal.do(devices.to_mend, booth.served) == []


def test_a_program_that_the_runner_calls_broken_takes_its_device_out_of_use(booth: Booth):
    """C6: its customer is gone by then, and the next ones are proposed other devices."""
    session = booth.start()
    booth.run(session)
    at = booth.house.clock.now
    broken = a_program(session, "ended", started_at=at, ended_at=at, is_broken=True)
    Reconciler(booth.terminal.journal, RunnerInHand()).on_seen(broken)
    booth.tell()
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.PROGRAM_BROKEN)
    assert booth.problems() == {booth.device: ProblemKind.DEVICE_OUT_OF_ORDER}


def test_a_word_that_was_said_before_the_operators_last_one_does_not_undo_it(booth: Booth):
    booth.use()
    booth.done("no such file")
    late = booth.terminal.tells()
    booth.order(is_out=False)
    assert late == []
    word = Word(device=booth.device, is_out_of_order=False)
    booth.house.books.do(lambda books: bookings.tell_of_device(books, word, "op"))
    booth.house.books.heard()
    booth.done("no such file")  # it has not heard yet what was said last
    assert booth.in_the_books["is_out_of_order"] == 0
    booth.house.books.do(known_of.tell_untold)
    booth.hear()
    assert booth.state is TURNOVER


def test_an_operators_word_is_heard_once_however_often_it_comes(booth: Booth):
    booth.order(is_out=True)
    assert booth.state is OUT
    told = DevicesDesired.model_validate_json(_wanted(booth))
    booth.order(is_out=False)
    booth.terminal.do(devices.take_desired, booth.served, told)
    assert booth.state is TURNOVER, "an older word changes nothing"


def _wanted(booth: Booth) -> str:
    with_order = []

    def keep(books: Any) -> None:
        known_of.tell(books, booth.terminal.who.terminal)
        with_order.extend(books.said)

    booth.house.books.do(keep)
    booth.house.books.heard()
    return str(with_order[-1].message.model_dump_json())


def test_each_try_at_a_code_counts_and_whoever_guesses_waits(booth: Booth):
    booth.use()
    assert booth.enter("123456") is NotConfirmed.NOT_ASKED
    booth.done()
    booth.done()
    assert booth.enter("123456") is NotConfirmed.NO_CODE
    code = booth.new_code()
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(CODE_TRIES_MAX):
        assert booth.enter(wrong) is NotConfirmed.WRONG_CODE
    assert booth.enter(code) is NotConfirmed.TOO_MANY_TRIES
    booth.terminal.restart()
    assert booth.enter(code) is NotConfirmed.TOO_MANY_TRIES
    booth.house.clock.move(CODE_TRIES_SECONDS)
    assert booth.enter(code) is None
    assert code not in "".join(booth.terminal.everything()), "it is kept nowhere"


def test_another_code_counts_instead_and_one_that_is_forgotten_does_not(booth: Booth):
    booth.use()
    booth.done()
    booth.done()
    first = booth.new_code()
    second = booth.new_code()
    if first != second:
        assert booth.enter(first) is NotConfirmed.WRONG_CODE
    booth.house.books.do(known_of.forget_cleaner_code, STORE, "op")
    booth.house.books.do(known_of.tell_untold)
    booth.hear()
    assert booth.enter(second) is NotConfirmed.NO_CODE


def test_a_sensor_is_asked_again_until_it_finds_the_device_clean(booth: Booth):
    booth.care = Care(confirm_by=ConfirmBy.SENSOR)
    booth.more = {"sensor": "is-clean", "sensor_each_seconds": 10.0}
    booth.use()
    (first,) = booth.to_do()
    assert first.command == "is-clean"
    booth.done("it ended with 1")
    assert (booth.to_do(), booth.state) == ([], TURNOVER)
    booth.house.clock.move(10)
    (second,) = booth.to_do()
    assert second.run != first.run
    booth.done()
    assert booth.state is FREE


def test_a_pc_that_enrols_again_begins_with_devices_of_which_nothing_was_told(booth: Booth):
    """Its new journal says nothing of a turnover that the old one was in, nor that it is over."""
    booth.use()
    assert booth.in_the_books["state"] == "turnover"
    booth.house.enrol(again=booth.terminal.who.terminal)
    known = booth.in_the_books
    assert (known["state"], known["fault"], known["heard_order"]) == ("", "", 0)


def test_no_terminal_settles_what_the_operator_has_to(booth: Booth):
    booth.use()
    booth.done("no such file")
    assert booth.problems()[booth.device] == ProblemKind.DEVICE_OUT_OF_ORDER
    ready = DeviceTold(device=booth.device, state=FREE, at=booth.house.clock.now)
    booth.terminal.do(lambda journal: journal.say(ready))
    booth.tell()
    assert booth.in_the_books["is_out_of_order"] == 1
    assert booth.problems()[booth.device] == ProblemKind.DEVICE_OUT_OF_ORDER
