"""An owner's first hour: from an empty database to the first sold slot, by the keyboard alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from typing_extensions import override

from tests.demo.world import SlotTerms, Terminal, World, a_world
from tests.e2e.keyboard import Keyboard, a_desk, come_in
from tests.e2e.phones import phones


@dataclass(kw_only=True)
class EmptyWorld(World):
    """A world whose controller knows no store yet."""

    @override
    def _controller_settings(self) -> str:
        return super()._controller_settings().partition("[[stores]]")[0]


def test_an_owner_comes_from_an_empty_database_to_the_first_sold_slot():
    terms = SlotTerms(lengths_seconds=(60,), grid_seconds=60)
    with (
        a_world(terms, kind=EmptyWorld) as world,
        phones() as crowd,
        a_desk(crowd.browser) as owner,
    ):
        come_in(world, owner)
        owner.page.goto(f"{world.url}/operator/setup")
        owner.is_for_everybody()
        _make_the_store(owner)
        _let_a_terminal_in(world, owner)
        _say_the_price(owner)
        with crowd.phone() as phone:
            phone.goto(world.url)
            phone.get_by_role("button", name=re.compile("Use it now|until")).first.click()
            phone.get_by_text("booth", exact=False).first.wait_for()
        owner.waits_for("/operator/setup", "Each change can be undone")
        assert not crowd.faults


def _make_the_store(owner: Keyboard) -> None:
    owner.press("Make the store")
    owner.write("title", "Akihabara")
    owner.write("store", "akihabara")
    owner.write("time_zone", "Asia/Tokyo")
    owner.press("Make this store")
    owner.press("Set-up")
    owner.press("Say the hours")
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        owner.write(day, "0:00-24:00")
    owner.press("Save")


def _let_a_terminal_in(world: World, owner: Keyboard) -> None:
    """Enrol a PC by the command of the page, and confirm it."""
    owner.press("Set-up")
    owner.press("Make a code")
    owner.is_for_everybody()
    command = owner.page.locator("pre code").text_content() or ""
    (code,) = re.findall(r"--code (\S+)", command)
    terminal: Terminal = world.new_terminal()
    world.enrol(terminal, code)
    world.start_agent(terminal)
    owner.waits_for("/operator/setup", "Look at it")
    owner.press("Look at it")
    owner.waits_for(urlsplit(owner.page.url).path, "Confirm")
    owner.is_for_everybody()
    owner.press("Confirm")


def _say_the_price(owner: Keyboard) -> None:
    """Change what the terminal's own settings say of the price, once it is on offer."""
    owner.waits_for("/operator/setup", "Customers can book now")
    owner.press("Change · Its price")
    owner.is_for_everybody()
    owner.write("reason", "the first evening")
    owner.press("Save")
