"""A turnover that a photo confirms, on a real journal and on the books of both engines."""

from __future__ import annotations

import pytest

from cloud_controller.flows import photos, registration
from cloud_controller.ports import NotFound
from common.ids import StoreId
from common.rules.devices import Care, ConfirmBy
from tests.fakes.house import STORE, HouseInHand
from tests.fakes.store import a_new_store
from tests.flows.device_kit import FREE, JPEG, TURNOVER, Booth, hear, photograph, task_of

ENGINES = ["sqlite", "postgres"]


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a device whose turnover is confirmed by a photo and nothing else."""
    return Booth(house, house.confirmed("a", "b"), care=Care(confirm_by=ConfirmBy.PHOTO))


def test_a_photo_confirms_the_turnover_that_waits_for_it_once_and_is_kept_for_a_month(booth: Booth):
    session = booth.use()
    assert (booth.state, booth.now.step, booth.now.takes_code) == (TURNOVER, "confirm", False)
    assert task_of(booth)["session_id"] == session
    (wanted,) = photograph(booth)
    assert photograph(booth) == [], "a second photo says nothing"
    hear(booth, wanted)
    assert (booth.state, booth.in_the_books["state"]) == (FREE, "available")
    assert booth.in_the_books["confirmed_session"] == session
    (line,) = [
        row for row in booth.house.books.rows("ledger") if row["type"] == "turnover.photographed"
    ]
    assert (line["session_id"], line["reservation_id"]) == (session, "r-1")
    (task,) = booth.house.books.rows("photo_tasks")
    assert (task["is_open"], task["digest"] in line["body"]) == (0, True)
    assert booth.house.books.do(photos.photo, booth.device, task["task_id"]) == JPEG
    booth.house.clock.move(photos.PHOTOS_KEPT_SECONDS + 1)
    booth.house.books.do(photos.forget_old)
    assert booth.house.books.rows("photo_tasks") == []


def test_a_stores_cleaners_see_its_tasks_and_nobody_elses(booth: Booth):
    booth.use()
    books = booth.house.books
    books.do(registration.add_store, a_new_store(StoreId("ueno")))
    ours, theirs = books.do(photos.make_link, STORE, "op"), books.do(photos.make_link, "ueno", "op")
    assert [row["device_id"] for row in books.do(photos.tasks, ours)] == [booth.device]
    assert books.do(photos.tasks, theirs) == []
    assert ours not in str(books.rows("cleaner_links")), "it is known by its digest alone"
    for link in (theirs, "nobody"):
        with pytest.raises(NotFound):
            photograph(booth, link)
    new = books.do(photos.make_link, STORE, "op")
    with pytest.raises(NotFound):
        photograph(booth, ours)
    assert photograph(booth, new)
    books.do(photos.forget_link, STORE, "op")
    with pytest.raises(NotFound):
        books.do(photos.tasks, new)
