"""The controller's roles may run as processes of their own on one database."""

from __future__ import annotations

import pytest

from tests.demo.photograph import as_png, photograph
from tests.demo.world import Refused, SlotTerms, a_world

A_SHORT_SLOT = SlotTerms(lengths_seconds=(3,), grid_seconds=1, warn_before_seconds=(1,))


def test_a_customer_is_served_by_roles_that_run_apart():
    """C1: management and service in one process, reservation and web in another."""
    with a_world(A_SHORT_SLOT, roles="management,service") as world:
        terminal = world.add_terminal()
        with pytest.raises(Refused) as refused:
            world.api("GET", "/api/v1/offerings")
        assert refused.value.status == 404
        world.url = world.start_beside("reservation,web")
        offering = world.wait_until_on_offer(1)[0]["offering"]
        link = world.book(offering)["link"]
        world.wait_until_open(link)
        png = world.picture(f"/api/v1/tickets/{link}/qr.png")
        terminal.show(as_png(photograph(png, seed=3)), "ticket")
        world.wait_for_line(link, "session.ended")
        assert world.api("GET", f"/api/v1/tickets/{link}")["state"] == "completed"
