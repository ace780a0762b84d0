"""A customer is served on every step of the security ladder, and no step leads down."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.demo.world import SCRIPTS, World
from tests.e2e.customer import SHORT, begin, settles
from tests.e2e.worlds import a_world

STARTS_SECONDS_MAX = 20.0

CLIMB_SECONDS_MAX = 90.0
"""A terminal tries several times before it takes a refusal for a step of the ladder."""


@pytest.mark.parametrize("ladder", [0, 1, 2])
def test_a_customer_is_served_on_every_step_of_the_ladder(ladder: int):
    """C6, on each step: with TLS the pages, the enrolment and the broker all speak it."""
    with a_world(SHORT, ladder=ladder) as world:
        terminal = world.add_terminal()
        settles(world, begin(world, terminal))
        assert world.url.startswith("https://" if ladder else "http://")
        assert ("certfile" in broker_settings(world)) is bool(ladder)
        assert ("require_certificate true" in broker_settings(world)) is (ladder == 2)
        (row,) = world.books("SELECT ladder FROM terminals")
        assert row["ladder"] == ladder


def test_a_terminal_climbs_the_ladder_by_itself_and_nothing_leads_down():
    """One that cannot come in any more renews over HTTPS, and has a certificate then."""
    with a_world(SHORT, ladder=1) as world:
        terminal = world.add_terminal()
        settles(world, begin(world, terminal))
        restart_controller(world, ladder=2)
        world.wait_for("its certificate", lambda: certificates(world), seconds=CLIMB_SECONDS_MAX)
        settles(world, begin(world, terminal))
        refused = restart_controller(world, ladder=1)
        assert "never go down" in refused


def test_many_that_leave_one_after_the_other_send_the_others_away_only_once():
    """Revoking restarts the broker: it must not look as if somebody had stolen a name."""
    with a_world(SHORT, ladder=2) as world:
        terminal = world.add_terminal()
        settles(world, begin(world, terminal))
        before = world.processes("mosquitto.conf")
        leavers = [enrolled(world) for _ in range(4)]
        for leaver in leavers:
            path = f"/api/v1/terminals/{leaver}/standing"
            world.operator("POST", path, {"event": "retire", "reason": "sold"})
            world.wait_for("another broker", lambda: world.processes("mosquitto.conf") != before)
        after = world.wait_for("the broker", lambda: world.processes("mosquitto.conf"))
        settles(world, begin(world, terminal))
        assert world.processes("mosquitto.conf") == after
        kinds = {each["kind"] for each in world.operator("GET", "/api/v1/problems")["problems"]}
        assert "identity_taken_over" not in kinds


def enrolled(world: World) -> str:
    """Enrol a terminal that never comes, and return its id."""
    about = {"code": world.new_code(), "public_key": os.urandom(32).hex(), "hostname": "away"}
    return str(world.api("POST", "/api/v1/enrolments", about)["terminal"])


def certificates(world: World) -> list[str]:
    """Return the serials of what was certified for terminals."""
    return [row["serial"] for row in world.books("SELECT serial FROM certificates")]


def broker_settings(world: World) -> str:
    """Return what the broker was told."""
    return (world.folder / "controller" / "broker" / "mosquitto.conf").read_text("utf-8")


def restart_controller(world: World, *, ladder: int) -> str:
    """End the controller and start it on another step; return what a refusal says."""
    assert world.controller is not None
    world.controller.terminate()
    assert world.controller.wait(STARTS_SECONDS_MAX) == 0
    kept, world.ladder = world.ladder, ladder
    if ladder > kept:
        world.start_controller()
        return ""
    settings = world.folder / "controller.toml"
    text = settings.read_text("utf-8").replace(f"ladder = {kept}", f"ladder = {ladder}")
    settings.write_text(text, "utf-8")
    command = [str(SCRIPTS / "cloud-controller"), "serve", "--settings", str(settings)]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=STARTS_SECONDS_MAX
    )
    assert ended.returncode == 2
    return ended.stderr
