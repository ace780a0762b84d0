"""The controller's roles may run as processes of their own on one database."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.main import EXIT_CANNOT_START
from tests.demo.photograph import as_png, photograph
from tests.demo.world import DidNotHappen, Refused, SlotTerms, Terminal, World
from tests.e2e.customer import kill
from tests.e2e.worlds import a_world

A_SHORT_SLOT = SlotTerms(lengths_seconds=(3,), grid_seconds=1, warn_before_seconds=(1,))
ALL_BUT_SERVICE = "management,reservation,web"


def serve_a_customer(world: World, terminal: Terminal, offering: str) -> None:
    """Book the nearest slot, scan its ticket and wait until the use is over."""
    link = world.book(offering)["link"]
    world.wait_until_open(link)
    png = world.picture(f"/api/v1/tickets/{link}/qr.png")
    terminal.show(as_png(photograph(png, seed=3)), "ticket")
    world.wait_for_line(link, "session.ended")
    assert world.api("GET", f"/api/v1/tickets/{link}")["state"] == "completed"


def confirmed(world: World, count: int) -> list[dict[str, Any]]:
    """Return the terminals once so many of them are confirmed."""

    def look() -> list[dict[str, Any]] | None:
        known = world.operator("GET", "/api/v1/terminals")["terminals"]
        found = [each for each in known if each["standing"] == "confirmed"]
        return found if len(found) == count else None

    return list(world.wait_for(f"{count} confirmed terminals", look))


def offered(world: World) -> int:
    """Return how many devices are on offer."""
    found = world.api("GET", "/api/v1/offerings")["offerings"]
    return sum(each["devices_on"] for each in found)


def test_a_customer_is_served_by_roles_that_run_apart():
    """C1: management and service in one process, reservation and web in another."""
    with a_world(A_SHORT_SLOT, roles="management,service") as world:
        terminal = world.add_terminal()
        with pytest.raises(Refused) as refused:
            world.api("GET", "/api/v1/offerings")
        assert refused.value.status == 404
        world.url = world.start_beside("reservation,web")
        offering = world.wait_until_on_offer(1)[0]["offering"]
        serve_a_customer(world, terminal, offering)


def test_a_customer_is_served_where_service_information_comes_from_a_process_of_its_own():
    """A6: the service server asks the registry what is registered, and is no part of it."""
    with a_world(A_SHORT_SLOT, roles=ALL_BUT_SERVICE) as world:
        world.start_beside("service")
        terminal = world.add_terminal()
        serve_a_customer(world, terminal, world.wait_until_on_offer(1)[0]["offering"])


def test_without_the_service_server_a_confirmed_terminal_waits_and_is_served_when_it_is_back():
    """A6: what is given already stays good; what is new is given by nobody else."""
    with a_world(A_SHORT_SLOT, roles=ALL_BUT_SERVICE) as world:
        world.start_beside("service")
        first = world.add_terminal()
        offering = world.wait_until_on_offer(1)[0]["offering"]
        kill([world.others[-1].pid])
        world.add_terminal()
        confirmed(world, 2)
        serve_a_customer(world, first, offering)
        assert offered(world) == 1
        world.start_beside("service")
        world.wait_until_on_offer(2)


def test_a_service_server_that_is_not_told_where_the_broker_is_does_not_start():
    with a_world(A_SHORT_SLOT) as world:
        world.broker_port = 0
        with pytest.raises(DidNotHappen, match=r"broker\.port") as failed:
            world.start_beside("service")
        assert failed.value.code == EXIT_CANNOT_START
