"""A program starts with its modules, holds a seat while it runs, and gives it back at its end."""

from __future__ import annotations

import pytest

from cloud_controller.flows import rights
from cloud_controller.flows.rights.seats import LEASE_TOLERANCE_MS
from common.rules.modules import Basis, OverLimit, StartRefusal, StartVerdict
from common.rules.sessions import EndReason
from edge_agent.flows import offerings, rights as asking, sessions
from edge_agent.flows.rights.runs import ANSWER_WITHIN_SECONDS
from edge_agent.modules.wanted import ProgramNeeds
from tests.fakes.house import HouseInHand
from tests.flows.module_kit import PHYSICS, logged, own, publish, used
from tests.flows.starts_kit import DIGEST, LEASE_SECONDS, Booth, licensed


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a booth whose program needs a module with one seat, counted by runs."""
    licensed(house)
    made = Booth(house, "a", "b", "c")
    made.disk.put(PHYSICS)
    made.hear_the_offer()
    return made


def test_a_start_waits_for_its_seat_and_costs_one_round_trip_where_it_was_prepared(booth):
    booth.starts.look()
    booth.house.carry(booth.terminal)
    due = booth.scanned()
    booth.terminal.asks()
    assert booth.starts.judge(due).verdict is StartVerdict.WAIT
    (request,) = booth.terminal.asks()
    assert request.type == "rights.request"
    (right,) = booth.house.ask(booth.terminal, request)
    booth.terminal.hear(right)
    assert booth.starts.judge(due).verdict is StartVerdict.GO
    assert used(booth.house) == 1


def test_a_seat_comes_back_when_the_program_has_ended_and_not_with_the_slot(booth):
    due = booth.run()
    assert booth.tell().count("module.run_ended") == 0
    assert used(booth.house) == 1
    booth.end(due)
    assert booth.tell().count("module.run_ended") == 1
    assert used(booth.house) == 0
    assert "module.run_ended" not in booth.tell()


def test_without_a_seat_a_program_is_refused_and_its_customer_served_when_one_is_back(booth):
    first = booth.run(booth.devices[0])
    second = booth.scanned(booth.devices[1])
    assert booth.judged(second) is StartVerdict.REFUSE
    assert booth.starts.judge(second).why is StartRefusal.NO_SEAT
    booth.end(first)
    booth.tell()
    booth.terminal.do(sessions.note_refused, second.session, EndReason.START_TIMEOUT)
    booth.tell()
    again = booth.scanned(booth.devices[2])
    assert booth.judged(again) is StartVerdict.GO
    assert used(booth.house) == 1


def test_without_a_seat_a_program_runs_and_is_reported_once_where_the_licence_says_so(house):
    licensed(house, OverLimit.RUN_AND_REPORT)
    booth = Booth(house, "a", "b")
    booth.disk.put(PHYSICS)
    booth.hear_the_offer()
    booth.run(booth.devices[0])
    second = booth.run(booth.devices[1])
    told = booth.tell() + booth.tell()
    assert told.count("module.over_limit") == 1
    (line,) = logged(house, "run_over_limit")
    assert (line["module"], line["client"]) == (PHYSICS, booth.terminal.who.terminal)
    booth.end(second)
    assert "module.run_ended" not in booth.tell(), "it held no seat"
    assert used(house) == 1


@pytest.mark.parametrize("over_limit", OverLimit)
def test_without_the_line_the_licence_says_what_becomes_of_a_start(house, over_limit):
    licensed(house, over_limit)
    booth = Booth(house)
    booth.disk.put(PHYSICS)
    booth.hear_the_offer()
    due = booth.scanned()
    booth.line_is_up = False
    is_refused = over_limit is OverLimit.REFUSE
    assert booth.starts.judge(due).verdict is StartVerdict(("go", "refuse")[is_refused])
    assert ("module.over_limit" in booth.terminal.told_types()) is not is_refused


def test_an_answer_that_comes_too_late_gives_its_seat_back(booth):
    due = booth.scanned()
    booth.starts.judge(due)
    booth.house.clock.move(ANSWER_WITHIN_SECONDS)
    booth.terminal.asked.clear()
    booth.starts.look()
    assert booth.starts.judge(due).verdict is StartVerdict.REFUSE
    booth.terminal.do(sessions.note_refused, due.session, EndReason.START_TIMEOUT)
    booth.tell()
    booth.tell()
    assert used(booth.house) == 0


def test_a_right_that_was_issued_to_who_has_given_up_comes_back(booth):
    booth.starts.look()
    booth.house.carry(booth.terminal)
    due = booth.scanned()
    booth.terminal.asks()
    booth.starts.judge(due)
    (request,) = booth.terminal.asks()
    booth.house.ask(booth.terminal, request)
    assert used(booth.house) == 1, "issued, and its answer is lost"
    booth.house.clock.move(ANSWER_WITHIN_SECONDS)
    booth.starts.look()
    booth.terminal.do(sessions.note_refused, due.session, EndReason.START_TIMEOUT)
    booth.tell()
    booth.tell()
    assert used(booth.house) == 0


def test_killed_between_the_runs_end_and_its_report_the_agent_reports_it_all_the_same(booth):
    due = booth.run()
    booth.tell()
    booth.end(due)
    booth.kill()
    assert used(booth.house) == 1
    assert booth.tell().count("module.run_ended") == 1
    assert used(booth.house) == 0


def test_killed_after_the_report_was_kept_and_before_it_was_sent_it_is_sent_once(booth):
    due = booth.run()
    booth.tell()
    booth.end(due)
    booth.starts.look()
    booth.kill()
    assert booth.tell().count("module.run_ended") == 1
    assert used(booth.house) == 0


def test_killed_at_each_step_of_a_start_there_is_one_seat_and_one_start(booth):
    due = booth.scanned()
    verdict = StartVerdict.WAIT
    for _ in range(6):
        verdict = booth.starts.judge(due).verdict
        booth.kill()
        for message in booth.terminal.ask_again()[:1]:
            for answer in booth.house.ask(booth.terminal, message):
                booth.terminal.hear(answer)
        booth.kill()
    assert verdict is StartVerdict.GO
    assert used(booth.house) == 1
    assert booth.run_rows() == [(due.session, "held")]


def test_a_pc_that_crashed_gives_no_seat_back_before_the_leases_end(booth):
    booth.run()
    booth.tell()
    house = booth.house
    house.clock.move(LEASE_SECONDS)
    house.clock.now += LEASE_TOLERANCE_MS
    house.books.do(rights.free_leases)
    assert used(house) == 1
    house.clock.now += 1
    house.books.do(rights.free_leases)
    assert used(house) == 0


def test_what_a_crash_has_interrupted_waits_until_it_is_known_whether_its_seat_lasts(booth):
    due = booth.run()
    booth.tell()
    booth.line_is_up = False
    booth.kill(boot_id="boot-2")
    assert not booth.starts.may_resume(due.session)
    booth.line_is_up = True
    booth.starts.look()
    booth.house.carry(booth.terminal)
    assert booth.starts.may_resume(due.session)
    assert used(booth.house) == 1


def test_a_lease_is_renewed_at_its_half_and_takes_no_second_seat(booth):
    booth.run()
    for _ in range(5):
        booth.house.clock.move(LEASE_SECONDS / 2)
        booth.tell()
        assert used(booth.house) == 1
    assert booth.run_rows()[0][1] == "held"
    leases = [row for row in booth.house.books.rows("rights") if row["kind"].startswith("run:")]
    assert len(leases) == 6
    assert sum(row["freed_at"] is None for row in leases) == 1


def test_a_program_that_runs_and_was_never_asked_for_is_asked_for_and_gives_its_seat_back(booth):
    due = booth.run()
    booth.terminal.do(lambda journal: journal.rows.forget_runs())  # as a new enrolment does
    booth.tell()
    booth.tell()
    assert booth.run_rows() == [(due.session, "held")]
    assert used(booth.house) == 1
    booth.end(due)
    booth.tell()
    assert used(booth.house) == 0


def test_a_program_whose_lease_is_over_is_ended_where_the_licence_refuses(booth):
    due = booth.run()
    booth.line_is_up = False
    booth.terminal.asked.clear()
    booth.house.clock.move(LEASE_SECONDS - 1)
    booth.starts.look()
    assert not booth.ended
    booth.house.clock.move(1)
    booth.starts.look()
    assert booth.ended
    assert booth.terminal.do(sessions.to_stop) == [
        sessions.ToStop(session=due.session, reason=EndReason.REVOKED)
    ]


def test_a_program_whose_lease_is_over_goes_on_and_is_reported_where_the_licence_allows(house):
    licensed(house, OverLimit.RUN_AND_REPORT)
    booth = Booth(house)
    booth.disk.put(PHYSICS)
    booth.hear_the_offer()
    booth.run()
    booth.line_is_up = False
    booth.house.clock.move(LEASE_SECONDS)
    booth.starts.look()
    booth.starts.look()
    assert not booth.ended
    assert booth.terminal.told_types().count("module.over_limit") == 1


def test_a_device_is_shut_until_what_its_program_needs_is_here(house):
    booth = Booth(house)
    booth.needs = ProgramNeeds(package="kart", modules=(PHYSICS,))
    booth.starts.look()
    (device,) = booth.devices
    assert booth.offered == [device]
    token = house.book(device)
    house.announce(booth.terminal, device)
    booth.terminal.scan(device, token)
    assert booth.terminal.shown[-1].reason == "device_out_of_order"
    assert not any(each.type == "rights.request" for each in booth.terminal.asks())
    (profile,) = [row["body"] for row in booth.terminal.rows("profile")]
    assert device in profile
    booth.disk.put("kart", kind="program")
    booth.disk.put(PHYSICS)
    booth.starts.look()
    assert booth.offered == [device, device]
    booth.terminal.scan(device, token)
    assert any(each.type == "rights.request" for each in booth.terminal.asks())


def test_what_a_programs_package_requires_is_needed_as_if_the_catalogue_named_it(booth):
    publish(booth.house, "kart", kind="program", requires=[PHYSICS])
    booth.needs = ProgramNeeds(package="kart")
    booth.disk.put("kart", kind="program")
    booth.hear_the_offer("kart")
    booth.starts.on_installed()
    booth.run()
    assert used(booth.house) == 1
    booth.disk.here.pop(PHYSICS)
    assert booth.starts.judge(booth.scanned(booth.devices[1])).why is StartRefusal.NOT_HERE


def test_after_a_new_start_of_the_pc_nothing_is_ended_before_the_time_is_known(house):
    sha256 = publish(house, PHYSICS, basis=Basis.INSTALLED)
    own(house)
    booth = Booth(house)
    booth.disk.put(PHYSICS)
    booth.hear_the_offer()
    wish = asking.SeatWish(module=PHYSICS, version="1.0", sha256=sha256)
    booth.terminal.do(asking.want_seat, wish)
    booth.terminal.do(asking.look_at_seats, booth.terminal.who)
    house.carry(booth.terminal)
    booth.terminal.do(asking.take_time, house.clock.now)
    due = booth.run()
    booth.starts.look()
    booth.kill(boot_id="boot-2")
    booth.starts.look()
    assert not booth.ended
    assert not booth.starts.may_resume(due.session)
    booth.terminal.do(asking.take_time, house.clock.now)
    assert booth.starts.may_resume(due.session)
    booth.terminal.do(asking.take_time, house.clock.now + 86_400_000)
    booth.starts.look()
    assert booth.ended


def test_the_offering_of_a_device_that_lacks_a_module_is_off(booth):
    draft = {"key": "vr", "title": "VR", "lengths_seconds": [60]}
    device = booth.terminal.a_scan(booth.devices[0], "").device
    drafts = {device.key: draft}
    booth.disk.here.clear()
    booth.starts.look()
    booth.terminal.do(offerings.put_on, [device], drafts)
    assert booth.terminal.told_types()[-1] == "offering.off"
    booth.disk.put(PHYSICS)
    booth.starts.look()
    booth.terminal.do(offerings.put_on, [device], drafts)
    assert booth.terminal.told_types()[-1] == "offering.on"


def test_a_module_from_elsewhere_needs_no_seat_of_ours(booth, tmp_path):
    booth.disk.here.clear()
    booth.elsewhere[PHYSICS] = tmp_path
    due = booth.scanned()
    assert booth.starts.judge(due).verdict is StartVerdict.GO
    assert used(booth.house) == 0


def test_d5_use_is_told_at_a_programs_start_and_daily_from_wherever_a_module_is(booth, tmp_path):
    booth.elsewhere["optics"] = tmp_path
    booth.run()
    booth.tell()
    booth.kill()
    for _ in range(3):
        booth.house.clock.move(3_600)
        booth.tell()
    lines = [(row["module"], row["digest"]) for row in logged(booth.house, "used")]
    assert sorted(lines) == [("optics", ""), (PHYSICS, DIGEST)]
    booth.house.clock.move(86_400)
    booth.tell()
    assert len(logged(booth.house, "used")) == 4
    (row,) = [row for row in booth.house.books.rows("user_log") if row["module"] == PHYSICS]
    assert (row["client"], row["reports"]) == (booth.terminal.who.terminal, 2)


def test_whoever_installed_it_hears_whether_it_runs(booth):
    booth.seen(booth.scanned(), "running")
    booth.seen(booth.scanned(booth.devices[1]), "failed", end_reason=EndReason.PROGRAM_FAILED)
    assert booth.disk.said == [f"praise {PHYSICS}", f"complain {PHYSICS}"]
