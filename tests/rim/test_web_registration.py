"""The operator sees what a terminal is, decides on it, and is shown what must be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import problems as problem_flow
from cloud_controller.ports import Received
from cloud_controller.web.registration import ASKED_WHY
from common.ids import TerminalId
from common.messages.problems import ProblemTold
from common.messages.specification import Gpu, MachineFound, Specification
from common.rules.devices import is_cleaner_code
from common.rules.problems import ProblemKind
from common.words import PROBLEM_WORDS
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer, Opened, a_specification
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

API = "/api/v1"
GIB = 2**30
STORE = {"store": SHINJUKU, "title": "Shinjuku", "time_zone": "Asia/Tokyo"}
SMALL = MachineFound(memory_bytes=4 * GIB, gpus=())
LARGE = MachineFound(memory_bytes=16 * GIB, gpus=(Gpu(name="10de:2684"),))


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A terminal that is enrolled and nothing else."""

    terminal: TerminalId
    epoch: str


async def test_the_operator_changes_a_terminal_s_standing_as_its_table_allows(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        wanted = {"event": "suspend", "reason": "the door is broken"}
        suspended = await say(kit, opened, wanted)
        assert suspended.json["standing"] == "suspended"
        listed = (await kit.told(f"{API}/terminals")).json["terminals"]
        assert [terminal["reason"] for terminal in listed] == ["the door is broken"]
        assert_problem(await say(kit, opened, wanted), 409, "not_allowed")
        assert (await say(kit, opened, {"event": "resume"})).json["standing"] == "confirmed"
        retired = await say(kit, opened, {"event": "retire", "reason": "sold"})
        assert retired.json["standing"] == "retired"
        nobody = await kit.told(f"{API}/terminals/t-nobody/standing", wanted)
        assert_problem(nobody, 404, "not_found")


@pytest.mark.parametrize("event", ["enrol", "specify", "", "CONFIRM"])
async def test_what_is_no_word_of_an_operator_is_not_taken_from_one(tmp_path: Path, event: str):
    async with web_kit(tmp_path) as kit:
        refused = await say(kit, await kit.store.open(), {"event": event, "reason": "because"})
        assert_problem(refused, 422, "invalid_body")


@pytest.mark.parametrize("event", sorted(ASKED_WHY))
@pytest.mark.parametrize("reason", [None, "", "  \t"])
async def test_nobody_is_shut_out_without_a_reason(tmp_path: Path, event: str, reason: str | None):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        said = {"event": event} if reason is None else {"event": event, "reason": reason}
        refused = await say(kit, opened, said)
        assert_problem(refused, 422, "invalid_body")
        assert refused.json["detail"].startswith("reason: ")
        assert (await seen(kit, opened))["standing"] == "confirmed"


async def test_what_has_changed_since_it_was_looked_at_is_not_confirmed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        small, large = a_specification(Offer(), SMALL), a_specification(Offer(), LARGE)
        waiting = await claimed(kit)
        await specify(kit, waiting, small)
        looked_at = (await seen(kit, waiting))["gate_digest"]
        assert looked_at == small.gate_digest
        await specify(kit, waiting, large)
        confirm = {"event": "confirm", "gate_digest": looked_at}
        refused = await say(kit, waiting, confirm)
        assert_problem(refused, 409, "not_allowed")
        assert "has changed since it was looked at" in refused.json["detail"]
        confirmed = await say(kit, waiting, confirm | {"gate_digest": large.gate_digest})
        assert confirmed.json["standing"] == "confirmed"


@pytest.mark.parametrize("name", ["t-no", "..%2f..", "%00", "' OR 1=1 --", "x" * 4000, "%ff"])
async def test_a_terminal_that_is_none_is_not_shown(tmp_path: Path, name: str):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert_problem(await kit.told(f"{API}/terminals/{name}"), 404, "not_found")


async def test_a_terminal_that_has_said_nothing_yet_is_shown_with_nothing_known_of_it(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        shown = await seen(kit, await claimed(kit))
        assert shown["standing"] == "claimed"
        assert shown["since"] == shown["enrolled_at"] == "2026-10-23T00:00:00Z"
        for unknown in ("gate_digest", "specification", "specified_at", "confirmed_at"):
            assert shown[unknown] is None
        assert shown["allows"] == {"programs": [], "devices": []}
        assert [line["act"] for line in shown["audit"]] == ["terminal.enrolled"]


async def test_a_changed_terminal_is_shown_side_by_side_with_what_was_confirmed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        who = await claimed(kit)
        await specify(kit, who, a_specification(Offer(), SMALL))
        first = await seen(kit, who)
        assert (first["standing"], first["differences"]) == ("pending", [])
        await say(kit, who, {"event": "confirm", "reason": "seen by me"})
        kit.store.clock.move(60)
        await specify(kit, who, a_specification(Offer(), LARGE))
        shown = await seen(kit, who)
        assert shown["standing"] == "pending"
        assert shown["since"] == shown["specified_at"] == "2026-10-23T00:01:00Z"
        assert shown["confirmed_at"] == "2026-10-23T00:00:00Z"
        assert shown["specification"]["machine"]["memory_bytes"] == 16 * GIB
        changed = {each["field"]: each for each in shown["differences"]}
        assert set(changed) == {"gpus.10de:2684", "machine.memory_bytes"}
        assert all(each["is_watched"] for each in changed.values())
        assert changed["machine.memory_bytes"]["before"].startswith("4.0 GiB")
        acts = [(line["actor"], line["act"], line["reason"]) for line in shown["audit"]]
        assert ("operator", "registration.confirmed", "seen by me") in acts
        assert acts[0][:2] == ("policy", "registration.pending")


async def test_a_store_with_rules_confirms_what_meets_them_and_shows_what_does_not(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        rules = {"memory_bytes_min": 8 * GIB, "needs_gpu": True}
        added = await kit.told(f"{API}/stores", STORE | {"policy": "rules", "rules": rules})
        assert added.status == 200
        small, large = await claimed(kit), await claimed(kit)
        await specify(kit, small, a_specification(Offer(), SMALL))
        await specify(kit, large, a_specification(Offer(), LARGE))
        assert (await seen(kit, large))["standing"] == "confirmed"
        shown = await seen(kit, small)
        assert (shown["standing"], shown["policy"]) == ("pending", "rules")
        assert len(shown["unmet"]) == 2
        assert all(sentence in shown["reason"] for sentence in shown["unmet"])


@pytest.mark.parametrize(
    "wanted",
    [
        {"policy": "rules"},
        {"policy": "manual", "rules": {}},
        {"rules": {"needs_gpu": True}},
        {"policy": "rules", "rules": {"needs_luck": True}},
        {"policy": "rules", "rules": {"cores_min": -1}},
        {"policy": "none"},
    ],
)
async def test_rules_and_their_policy_come_together_or_not_at_all(
    tmp_path: Path, wanted: dict[str, Any]
):
    async with web_kit(tmp_path) as kit:
        assert_problem(await kit.told(f"{API}/stores", STORE | wanted), 422, "invalid_body")
        assert (await kit.get(f"{API}/stores")).json == {"stores": []}


async def test_what_a_program_asks_of_a_pc_says_whether_a_terminal_would_carry_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        who = await claimed(kit)
        await specify(kit, who, a_specification(Offer(devices=1), SMALL))
        before = (await seen(kit, who))["allows"]
        assert [(each["program"], each["is_in"]) for each in before["programs"]] == [("game", True)]
        assert [each["programs"] for each in before["devices"]] == [["game"]]
        program = {"program": "game", "requires": {"needs_gpu": True}}
        kept = await keep(kit, "game", program)
        assert kept.status == 200
        assert (await kit.told(f"{API}/programs")).json == {"programs": [kept.json]}
        after = (await seen(kit, who))["allows"]
        assert [each["is_in"] for each in after["programs"]] == [False]
        assert after["programs"][0]["why"]
        assert [each["programs"] for each in after["devices"]] == [[]]


async def test_a_program_is_kept_under_its_own_name_only(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for program in ({"program": "other"}, {}, {"program": "game", "argv": ["/bin/sh"]}):
            refused = await keep(kit, "game", program)
            assert_problem(refused, 422, "invalid_body")
        assert (await kit.told(f"{API}/programs")).json == {"programs": []}


async def test_what_was_sold_on_a_suspended_terminal_is_a_problem_until_it_resumes(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        first, second = (
            await kit.store.open(Offer(devices=1)),
            await kit.store.open(Offer(devices=1)),
        )
        await kit.store.book(first, MORNING_AT + HOUR_MS)
        holder = await holder_of_the_reservation(kit, first, second)
        other = second if holder is first else first
        await say(kit, holder, {"event": "suspend", "reason": "smoke"})
        (problem,) = await problems(kit)
        assert problem["kind"] == "reservation_without_device"
        assert (problem["terminal"], problem["solved_at"]) == (holder.terminal, None)
        assert problem["reservation"]
        assert [each["do"] for each in problem["proposals"]] == ["move", "refund"]
        assert problem["proposals"][0]["device"] in other.devices
        assert "rusuban_problems_open 1.0" in (await kit.told("/metrics")).text
        kit.store.clock.move(60)
        await say(kit, holder, {"event": "resume"})
        (problem,) = await problems(kit)
        assert problem["solved_at"] == "2026-10-23T00:01:00Z"
        assert "rusuban_problems_open 0.0" in (await kit.told("/metrics")).text


async def test_what_was_sold_is_no_problem_any_more_when_it_is_given_up_or_over(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        await kit.store.book(opened, MORNING_AT + 2 * HOUR_MS)
        await say(kit, opened, {"event": "suspend", "reason": "smoke"})
        assert await open_after_tidying(kit) == 2
        await kit.post(f"{API}/tickets/{link}/cancel")
        assert await open_after_tidying(kit) == 1
        kit.store.clock.move(3 * 3600)
        assert await open_after_tidying(kit) == 0


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_problem_is_told_in_the_operator_s_language(tmp_path: Path, language: str):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        await specify(kit, await claimed(kit), a_specification(Offer()))
        headers = {"Accept-Language": language}
        (problem,) = (await kit.told(f"{API}/problems", headers=headers)).json["problems"]
        words = PROBLEM_WORDS[language][ProblemKind.REGISTRATION_WAITING]
        assert (problem["what"], problem["next"]) == (words.what, words.next)


async def test_problems_that_are_open_come_first_and_what_is_solved_follows(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_manual_store(kit)
        first, second = await claimed(kit), await claimed(kit)
        for who in (second, first):
            await specify(kit, who, a_specification(Offer()))
            kit.store.clock.move(1)
        await say(kit, first, {"event": "confirm"})
        told = [(each["terminal"], each["solved_at"] is None) for each in await problems(kit)]
        assert told == [(second.terminal, True), (first.terminal, False)]


async def test_an_operator_settles_what_nothing_settles_by_itself(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        told = ProblemTold(kind="stale_confirmation", at=kit.store.clock.now, detail="of it")
        await kit.store.books.transact(problem_flow.note_problem, said(opened, told))
        (problem,) = await problems(kit)
        for reason in ({}, {"reason": " "}):
            assert_problem(await settle(kit, problem["problem"], reason), 422, "invalid_body")
        assert_problem(await settle(kit, "p-nobody", {"reason": "why not"}), 404, "not_found")
        for _ in range(2):
            settled = await settle(kit, problem["problem"], {"reason": "an old cable"})
            assert settled.json["solved_at"] == "2026-10-23T00:00:00Z"
        acts = [line for line in (await seen(kit, opened))["audit"] if line["reason"]]
        assert acts[0] == {
            "at": "2026-10-23T00:00:00Z",
            "actor": "operator",
            "act": "problem.stale_confirmation.solved",
            "reason": "an old cable",
        }
        assert [line["act"] for line in acts].count(acts[0]["act"]) == 1
        await kit.store.books.transact(problem_flow.note_problem, said(opened, told))
        assert [each["solved_at"] is None for each in await problems(kit)] == [True, False]


async def test_what_a_terminal_says_of_a_problem_stays_text(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        detail = '"><script>alert(1)</script>\u202e'
        told = ProblemTold(kind="service_too_early", at=kit.store.clock.now, detail=detail)
        for _ in range(2):
            await kit.store.books.transact(problem_flow.note_problem, said(opened, told))
        answered = await kit.told(f"{API}/problems")
        assert answered.headers["Content-Type"].startswith("application/json")
        (problem,) = answered.json["problems"]
        assert problem["evidence"]["detail"] == detail
        assert problem["times"] == 2


async def a_manual_store(kit: WebKit) -> None:
    """Make the store known; its operator confirms."""
    assert (await kit.told(f"{API}/stores", STORE)).status == 200


async def claimed(kit: WebKit) -> Claimed:
    """Enrol a terminal that has not said yet what it is."""
    made = (await kit.told(f"{API}/enrolment-codes", {"store": SHINJUKU})).json
    key = kit.store.names.hex_digits(64)
    asked = {"code": made["code"], "public_key": key, "hostname": "pc-1"}
    who = (await kit.post(f"{API}/enrolments", json=asked)).json
    return Claimed(terminal=TerminalId(who["terminal"]), epoch=who["epoch"])


async def specify(kit: WebKit, who: Opened | Claimed, specification: Specification) -> None:
    await kit.store.specify(who.terminal, who.epoch, specification)


async def say(kit: WebKit, who: Opened | Claimed, wanted: dict[str, Any]) -> Answered:
    return await kit.told(f"{API}/terminals/{who.terminal}/standing", wanted)


async def seen(kit: WebKit, who: Opened | Claimed) -> dict[str, Any]:
    shown = await kit.told(f"{API}/terminals/{who.terminal}")
    assert shown.status == 200
    told: dict[str, Any] = shown.json
    return told


async def keep(kit: WebKit, program: str, wanted: dict[str, Any]) -> Answered:
    return await kit.told(f"{API}/programs/{program}", wanted, method="PUT")


async def settle(kit: WebKit, problem: str, wanted: dict[str, Any]) -> Answered:
    return await kit.told(f"{API}/problems/{problem}/solve", wanted)


async def problems(kit: WebKit) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await kit.told(f"{API}/problems")).json["problems"]
    return told


async def open_after_tidying(kit: WebKit) -> int:
    """Return how many problems are open, once it was looked which have gone by themselves."""
    await kit.store.books.transact(problem_flow.solve_reservations)
    return sum(each["solved_at"] is None for each in await problems(kit))


async def holder_of_the_reservation(kit: WebKit, *opened: Opened) -> Opened:
    """Return the terminal whose device was sold."""
    sold = await kit.store.books.read(
        lambda books: {
            who.terminal: list(
                books.registration.coming_reservations(terminal_id=who.terminal, now=0, most=9)
            )
            for who in opened
        }
    )
    return next(who for who in opened if sold[who.terminal])


def said(who: Opened | Claimed, message: ProblemTold) -> Received:
    return Received(terminal=who.terminal, epoch=who.epoch, seq=1, corr="c", message=message)


async def test_the_operator_says_where_a_device_stands_and_that_it_is_out_of_order(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        path = f"{API}/devices/{opened.devices[0]}"
        told = await kit.told(path, {"place": "to the left"})
        assert (told.json["place"], told.json["out_of_order"]) == ("to the left", False)
        broken = await kit.told(path, {"out_of_order": True, "reason": "no picture"})
        assert (broken.json["place"], broken.json["out_of_order"]) == ("to the left", True)
        assert_problem(await kit.told(f"{API}/devices/d-nobody", {"place": ""}), 404, "not_found")
        assert_problem(await kit.told(path, {"place": "x" * 201}), 422, "invalid_body")


async def test_the_operator_sees_where_devices_stand_and_skips_what_is_not_needed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        device = opened.devices[0]
        shown, *others = (await kit.told(f"{API}/devices")).json["devices"]
        assert (shown["device"], shown["state"], shown["fault"]) == (device, "available", "")
        await kit.told(f"{API}/devices/{device}", {"out_of_order": True, "reason": "no picture"})
        board = await kit.told(f"{API}/devices?store={shown['store']}")
        states = [each["state"] for each in board.json["devices"]]
        assert states == ["out_of_order", *("available" for _ in others)]
        skipped = await kit.told(f"{API}/devices/{device}", {"skip_turnover": True})
        assert skipped.json["out_of_order"] is False
        after = await kit.told(f"{API}/devices?after={device}")
        assert after.json["devices"] == others
        assert_problem(await kit.told(f"{API}/devices?after=d-nobody"), 404, "not_found")


async def test_a_cleaners_code_is_told_once_and_can_be_taken_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        path = f"{API}/stores/{SHINJUKU}/cleaner-code"
        made = await kit.told(path, {})
        assert is_cleaner_code(made.json["code"])
        gone = await kit.told(path, method="DELETE")
        assert gone.json == {"store": SHINJUKU}
        assert_problem(await kit.told(path, method="DELETE"), 404, "not_found")
        assert_problem(await kit.told(f"{API}/stores/nowhere/cleaner-code", {}), 404, "not_found")
