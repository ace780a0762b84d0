"""A photo that a terminal waits for: told again, after the operator's word, and not for ever."""

from __future__ import annotations

import pytest

from cloud_controller import bookings
from cloud_controller.flows import devices as known_of, photos
from cloud_controller.ports import NotFound
from common.messages.devices import DevicesDesired
from common.rules.devices import Care, ConfirmBy, DeviceFault
from common.rules.problems import ProblemKind
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.device_kit import FREE, OUT, TURNOVER, Booth, hear, photograph, task_of


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a device whose turnover is confirmed by a photo and nothing else."""
    return Booth(house, house.confirmed("a", "b"), care=Care(confirm_by=ConfirmBy.PHOTO))


def test_a_terminal_that_has_not_heard_of_the_photo_is_told_again_until_it_has(booth: Booth):
    booth.use()
    photograph(booth)
    booth.terminal.restart(boot_id="boot-2")
    booth.review()
    said = booth.house.tell_all(booth.terminal)
    assert any(isinstance(told, DevicesDesired) for told in said), "it waits still, and is told"
    booth.house.books.do(known_of.tell_untold)
    booth.hear()
    assert booth.state is FREE
    booth.house.books.do(known_of.tell_untold)
    assert booth.house.books.heard() == []


def test_an_operator_comes_before_a_photo(booth: Booth):
    booth.use()
    (wanted,) = photograph(booth)
    booth.order(is_out=True)
    hear(booth, wanted)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.OPERATOR)


def test_what_is_not_photographed_in_its_time_is_out_of_order_and_asked_for_no_more(booth: Booth):
    booth.use()
    link = task_of(booth)["link"]
    booth.overdue(3_600)
    assert (booth.state, booth.now.fault) == (OUT, DeviceFault.CONFIRMATION_OVERDUE)
    assert booth.house.books.rows("photo_tasks") == []
    with pytest.raises(NotFound):
        booth.house.books.do(photos.tasks, link)


def test_a_late_turnover_names_the_photo_that_is_waited_for(booth: Booth):
    booth.house.book(booth.device, in_seconds=SLOT_SECONDS)
    booth.use()
    booth.house.clock.move(60)
    booth.house.books.do(bookings.call_for_devices)
    rows = booth.house.books.rows("problems")
    (late,) = [row for row in rows if row["kind"] == ProblemKind.TURNOVER_OVERDUE]
    assert task_of(booth)["task_id"] in late["evidence"]


def test_a_photo_says_nothing_of_the_next_turnover(booth: Booth, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photos, "PHOTOS_MAX", 1)
    booth.use()
    (wanted,) = photograph(booth)
    hear(booth, wanted)
    booth.use()
    hear(booth, wanted)
    assert booth.state is TURNOVER
    photograph(booth)
    (task,) = booth.house.books.rows("photo_tasks")
    assert task["is_open"], "a device keeps so many, the latest"
