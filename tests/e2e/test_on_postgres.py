"""The main job on PostgreSQL: real processes, a real server, which may go away meanwhile."""

from __future__ import annotations

import pytest

from cloud_controller.storage.postgres import Database
from tests.demo.photograph import as_png, photograph
from tests.demo.world import Refused, SlotTerms, Terminal, World, a_world
from tests.fakes import postgres

A_SHORT_SLOT = SlotTerms(lengths_seconds=(3,), grid_seconds=1, warn_before_seconds=(1,))


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """Give an empty database, and let every controller that starts now use it."""
    made = postgres.server().empty()
    monkeypatch.setenv("RUSUBAN_DATABASE__URL", made.url)
    monkeypatch.setenv("PGPASSWORD", postgres.PASSWORD)
    return made


def serve_a_customer(world: World, terminal: Terminal, offering: str) -> str:
    """Book the nearest slot, scan its ticket and wait until the use is over; return its link."""
    link = str(world.book(offering)["link"])
    world.wait_until_open(link)
    png = world.picture(f"/api/v1/tickets/{link}/qr.png")
    terminal.show(as_png(photograph(png, seed=3)), "ticket")
    world.wait_for_line(link, "session.ended")
    assert world.api("GET", f"/api/v1/tickets/{link}")["state"] == "completed"
    return link


def test_c2_a_customer_is_served_from_reservation_to_completion(database: Database):
    """C2, C3: by two controllers on one database: who books and who serves run apart."""
    with a_world(A_SHORT_SLOT, roles="management,service") as world:
        terminal = world.add_terminal()
        world.url = world.start_beside("reservation,web")
        offering = world.wait_until_on_offer(1)[0]["offering"]
        link = serve_a_customer(world, terminal, offering)
        assert not (world.folder / "controller" / "books.db").exists()
        for log in ("controller.log", "beside.log"):
            assert postgres.PASSWORD not in (world.folder / log).read_text("utf-8")
    state = f"SELECT state FROM reservations WHERE link = '{link}'"  # noqa: S608 - a link of ours
    assert postgres.rows(database, state) == [("completed",)]
    assert postgres.rows(database, "SELECT state FROM tickets") == [("spent",)]
    assert postgres.rows(database, "SELECT state, end_reason FROM sessions") == [
        ("ended", "time_up")
    ]


@pytest.mark.usefixtures("database")
def test_a_controller_outlives_its_database():
    """C2: while the server is away nothing can be booked, and whoever asks is told so."""
    with a_world(A_SHORT_SLOT) as world:
        terminal = world.add_terminal()
        offering = world.wait_until_on_offer(1)[0]["offering"]
        postgres.server().kill()
        try:
            with pytest.raises(Refused) as refused:
                world.api("GET", "/api/v1/offerings")
            assert refused.value.status == 503
        finally:
            postgres.server().start()
        serve_a_customer(world, terminal, offering)
        assert world.controller is not None
        assert world.controller.poll() is None
