"""A device between its customers, on real parts: made ready, broken, repaired and verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.demo.terminal import Terminal
from tests.demo.world import World
from tests.e2e.customer import SHORT, book_at, offering_of, picture_of, programs, scan
from tests.e2e.worlds import a_world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with two booths of one terminal, whose program is emptied and reset."""
    with a_world(SHORT) as made:
        terminal = made.new_terminal(devices=2)
        folder = terminal.folder
        catalogue = folder / "catalogue.toml"
        tidy = f"test ! -e {folder}/broken && echo once >> {folder}/tidied"
        catalogue.write_text(
            catalogue.read_text("utf-8")
            + f'wipe = ["{folder}/profile"]\nreset = "tidy"\n'
            + f'[commands.tidy]\nargv = ["/bin/sh", "-c", "{tidy}"]\n',
            "utf-8",
        )
        (folder / "profile").mkdir()
        made.enrol(terminal, made.new_code())
        made.start_agent(terminal)
        made.wait_until_on_offer(2)
        made.wait_for("the runner", (folder / "runner.sock").exists)
        yield made


def devices(world: World) -> list[dict[str, Any]]:
    return list(world.operator("GET", "/api/v1/devices")["devices"])


def wait_until(world: World, state: str) -> dict[str, Any]:
    """Return the first booth once it stands there."""

    def stands() -> dict[str, Any] | None:
        first = devices(world)[0]
        return first if first["state"] == state else None

    return dict(world.wait_for(f"booth 1 to be {state}", stands))


def use(world: World, terminal: Terminal) -> None:
    """Let a customer come to the first booth, leave something behind, and go."""
    device = devices(world)[0]["device"]
    link = world.book(offering_of(world, terminal), device=device)["link"]
    world.wait_until_open(link)
    assert scan(world, terminal, picture_of(world, link))["opens"]
    world.wait_for_line(link, "session.running")
    (terminal.folder / "profile" / "save").write_text("somebody was here")
    assert programs(world, terminal)
    world.wait_for_line(link, "session.ended")


def problems(world: World) -> dict[str, dict[str, Any]]:
    """Return what somebody has to look at, by its kind."""
    found = world.operator("GET", "/api/v1/problems")["problems"]
    return {each["kind"]: each for each in found if each["solved_at"] is None}


def test_c6_a_device_is_made_ready_and_one_that_cannot_be_is_closed_until_it_is(world: World):
    """End, turnover, available; a reset that fails, out of order; repaired, verified, available."""
    (terminal,) = world.terminals
    folder = terminal.folder
    use(world, terminal)
    world.wait_for("the reset", (folder / "tidied").exists)
    wait_until(world, "available")
    assert list((folder / "profile").iterdir()) == []

    booth, other = devices(world)
    later = datetime.now(UTC) + timedelta(hours=1)
    coming = book_at(world, offering_of(world, terminal), later)
    assert coming["device"]["device"] == booth["device"]
    (folder / "broken").touch()
    use(world, terminal)
    broken = wait_until(world, "out_of_order")
    assert (broken["fault"], broken["detail"]) == ("reset_failed", "tidy ended with 1")
    assert devices(world)[1]["state"] == "available"
    met = problems(world)
    assert met["device_out_of_order"]["evidence"]["device"] == booth["device"]
    lost = met["reservation_without_device"]
    assert lost["evidence"]["link"] == coming["link"]
    proposed = lost["proposals"][0]
    assert (proposed["do"], proposed["device"]) == ("move", other["device"])

    (folder / "broken").unlink()
    word = {"out_of_order": False, "reason": "a new fuse"}
    world.operator("POST", f"/api/v1/devices/{booth['device']}", word)
    wait_until(world, "available")
    world.wait_for("the problems to be solved", lambda: not problems(world))
    assert (folder / "tidied").read_text() == "once\nonce\n"
    assert "out_of_order" not in world.ask_controller("devices", "list")
