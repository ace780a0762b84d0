"""What the console reads of devices and days is the same on both engines, and names nobody."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows import board
from cloud_controller.web.live.stamps import stamp_of
from common.rules.devices import RESERVED, DeviceState
from common.rules.reservations import Range
from tests.fakes.house import STORE, HouseInHand

ENGINES: Final = ["sqlite", "postgres"]
DAY_MS: Final = 86_400_000


def test_a_device_and_its_day_are_told_by_codes_and_their_stamp_moves_with_them(house: HouseInHand):
    house.confirmed("one", "two")
    before = [house.books.do(stamp_of, topic) for topic in ("console:*", f"console:{STORE}")]
    token = house.book()
    after = [house.books.do(stamp_of, topic) for topic in ("console:*", f"console:{STORE}")]
    assert all(one != other for one, other in zip(before, after, strict=True))
    first, second = house.books.do(board.devices_now, STORE)
    assert (first.state, second.state) == (RESERVED, DeviceState.AVAILABLE)
    assert len(first.next_code) <= board.CODE_LETTERS
    assert token not in [first.row[name] for name in first.row.keys()]  # noqa: SIM118 - a row is no mapping
    (store,) = house.books.do(lambda books: list(books.console.stores()))
    window = Range(starts_at=house.clock.now, ends_at=house.clock.now + DAY_MS)
    day = house.books.do(board.day_of, store, window)
    assert [len(day.claims.get(row["device_id"], ())) for row in day.devices] == [1, 0]
    assert day.open == [window]
