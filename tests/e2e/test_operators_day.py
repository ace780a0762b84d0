"""An operator's day: three things go wrong in a real store, and he settles each by the keyboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

from tests.demo.settings import SCREEN
from tests.demo.world import SlotTerms, Terminal, World
from tests.e2e.keyboard import Keyboard, a_desk, come_in
from tests.e2e.phones import Phones, phones
from tests.e2e.worlds import a_world

SHARED = SlotTerms(lengths_seconds=(600,), grid_seconds=600)
WAITS = "A terminal waits for your word."
LOST = "A reservation has lost its device."
CALLS = "Somebody at a device has called for help."
PROBLEMS = "/operator/problems"
TRIES_MAX = 20


def test_an_operator_sees_three_problems_come_and_settles_each():
    with (
        a_world(SHARED, policy="manual", screen=SCREEN) as world,
        phones() as crowd,
        a_desk(crowd.browser) as operator,
    ):
        come_in(world, operator)
        first = _a_terminal(world)
        operator.waits_for(PROBLEMS, WAITS)
        _is_let_in(operator)
        booked = _is_booked(world)
        operator.page.goto(world.url + PROBLEMS)
        operator.shows("Nothing needs you.")
        _a_terminal(world)
        operator.shows(WAITS)
        operator.is_for_everybody()
        _is_let_in(operator)
        world.wait_until_on_offer(2)
        _asks_for_help(world, crowd, first)
        operator.page.goto(world.url + PROBLEMS)
        operator.shows(CALLS)
        _is_answered(operator)
        _breaks(world, operator, booked)
        assert world.api("GET", f"/api/v1/tickets/{booked['link']}")["device"]["number"] == 2
        operator.page.goto(world.url + PROBLEMS)
        operator.shows("Nothing needs you.")
        assert not crowd.faults


def _a_terminal(world: World) -> Terminal:
    """Enrol a terminal of one device, and start it; it waits for the operator."""
    terminal = world.new_terminal(offering="shared")
    world.enrol(terminal, world.new_code())
    world.start_agent(terminal)
    return terminal


def _is_let_in(operator: Keyboard) -> None:
    """From the problem to the terminal, and confirm it; the problem is over by that."""
    operator.press(WAITS)
    operator.press("Look at the terminal and decide")
    operator.press("Confirm")
    operator.page.goto(operator.page.url.partition("/operator")[0] + PROBLEMS)
    expect(operator.page.get_by_text(WAITS)).to_have_count(0)


def _is_booked(world: World) -> dict[str, Any]:
    """Book the first terminal's device for later."""
    (offering,) = world.wait_until_on_offer(1)
    starts_at = datetime.now(UTC).replace(microsecond=0, second=0) + timedelta(hours=2)
    wish = {
        "offering": offering["offering"],
        "length_seconds": 600,
        "starts_at": starts_at.replace(minute=starts_at.minute // 10 * 10).isoformat(),
    }
    key = {"Idempotency-Key": "a-booking-for-later"}
    return dict(world.api("POST", "/api/v1/reservations", wish, headers=key))


def _asks_for_help(world: World, crowd: Phones, terminal: Terminal) -> None:
    """Call for help at the screen of a terminal, as a customer does."""
    with crowd.phone() as screen:
        screen.goto(world.wait_for_log(terminal.log, "screen")["address"])
        screen.get_by_role("button", name="Call for help").click()
        screen.get_by_role("button", name="Something does not work").click()
        expect(screen.locator("#note")).to_contain_text("has your call", timeout=10_000)


def _is_answered(operator: Keyboard) -> None:
    """Settle the call with a word about what was done."""
    operator.press(CALLS)
    operator.is_for_everybody()
    operator.unfold("Settled")
    operator.write("reason", "Called them: the headset was off.")
    operator.press("It is settled")
    operator.shows("It is settled.")


def _breaks(world: World, operator: Keyboard, booked: dict[str, Any]) -> None:
    """Put the booked device out of order: its claim is a problem, and moves to the other one."""
    operator.page.goto(f"{world.url}/operator")
    operator.is_for_everybody()
    operator.unfold("More · Booth 1")
    operator.press("Put out of order")
    operator.page.goto(world.url + PROBLEMS)
    operator.shows(LOST)
    operator.press(LOST)
    for _ in range(TRIES_MAX):
        operator.press("Move to")
        if not re.search("try again in a moment", operator.page.inner_text("main")):
            break
        operator.page.wait_for_timeout(200)
    operator.shows("It has been moved to the other device.")
    assert booked["device"]["number"] == 1
