"""What the protocol keeps is bounded: hundreds of exchanges leave as many rows as ten (B9)."""

from __future__ import annotations

from tests.prove.rights_rows import FEW, a_store, grown, variant_is_caught

MANY = 300


def test_b9_hundreds_of_exchanges_leave_as_many_protocol_rows_as_ten():
    with a_store() as store:
        few = store.rows_after(FEW)
        many = store.rows_after(MANY)
        used = store.house.states()["sessions"]
    assert list(grown(few, many)) == []
    assert sum(few.values()) < 15
    assert set(used) == {"ended"}
    assert len(used) > MANY / 10, "they were not all refused"


def test_rows_that_are_kept_for_each_exchange_are_noticed():
    assert variant_is_caught()
