"""What a terminal offers is registered first, and a choice only while it is on (E1, E2)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration
from cloud_controller.flows.offerings import front as on_the_page
from common.messages.base import ClaimTerms
from common.messages.offerings import OfferingOff, OfferingOn, OffReason
from common.messages.service import ServiceProfile
from common.rules.presence import Presence
from common.topics import Channel
from edge_agent.flows import offerings
from tests.fakes.house import HouseInHand, an_offer
from tests.fakes.terminal import TerminalInHand


def offered(house: HouseInHand) -> list[str]:
    return [shown.title for shown in house.books.do(on_the_page)]


@pytest.fixture
def bare(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal that has registered no offering yet."""
    terminal = house.confirmed("vr")
    house.books.connection.execute("DELETE FROM offered_devices")
    house.books.connection.execute("DELETE FROM offerings")
    return terminal


def test_e1_what_is_offered_is_registered_with_its_words_and_price(house, bare):
    (device,) = house.devices_of(bare)
    registered, _ = an_offer(device)
    house.take(bare, registered, Channel.EVENTS, 1)
    row = house.books.one("offerings")
    assert (row["title"], row["price_cents"], row["currency"]) == ("VR Arena", 1500, "JPY")
    assert offered(house) == [], "registered is not yet on offer"


def test_e1_registered_again_it_keeps_its_id_and_takes_the_new_words(house, bare):
    (device,) = house.devices_of(bare)
    registered, turned_on = an_offer(device)
    changed = registered.model_copy(update={"title": "VR Palace"})
    for seq, message in enumerate((registered, turned_on, changed), start=1):
        house.take(bare, message, Channel.EVENTS, seq)
    assert house.books.one("offerings")["offering_id"] == "o-2"
    assert offered(house) == ["VR Palace"]


def test_e2_it_is_a_choice_from_on_until_off(house, bare):
    (device,) = house.devices_of(bare)
    registered, turned_on = an_offer(device)
    turned_off = OfferingOff(key="vr", device=device, reason=OffReason.OUT_OF_ORDER)
    story = [
        (registered, []),
        (turned_on, ["VR Arena"]),
        (turned_off, []),
        (turned_on, ["VR Arena"]),
    ]
    for seq, (message, choices) in enumerate(story, start=1):
        house.take(bare, message, Channel.EVENTS, seq)
        assert offered(house) == choices


def test_e2_on_without_having_been_registered_offers_nothing(house, bare):
    (device,) = house.devices_of(bare)
    house.take(bare, OfferingOn(key="vr", device=device), Channel.EVENTS, 1)
    assert offered(house) == []


def test_e2_nobody_turns_on_the_device_of_another(house, bare):
    second = house.confirmed("tv")
    (device,) = house.devices_of(bare)
    before = house.books.rows("offered_devices")
    for seq, message in enumerate(an_offer(device), start=1):
        house.take(second, message, Channel.EVENTS, seq)
    assert house.books.rows("offered_devices") == before


def test_e2_the_terminal_registers_and_turns_on_what_its_profile_knows(house, bare):
    profile = bare.do(lambda journal: journal.rows.profile())
    known = ServiceProfile.model_validate_json(profile["body"])
    draft = {"key": "vr", "title": "VR Arena", "lengths_seconds": (1800,)}
    bare.do(offerings.offer, known, {"vr": draft, "unknown": draft})
    bare.do(offerings.withdraw, known.devices, {"vr": draft}, OffReason.STOPPING)
    assert bare.told_types() == ["offering.registered", "offering.on", "offering.off"]
    house.tell_all(bare)
    assert offered(house) == []


def test_e2_an_ended_presence_takes_it_off_and_a_new_one_brings_it_back(house, bare):
    (device,) = house.devices_of(bare)
    for seq, message in enumerate(an_offer(device), start=1):
        house.take(bare, message, Channel.EVENTS, seq)
    choices = []
    for presence in (Presence.GONE, Presence.HERE, Presence.LATE):
        house.books.do(registration.note_presence, {bare.who.terminal: presence})
        choices.append(offered(house))
    assert choices == [[], ["VR Arena"], ["VR Arena"]]


def test_e1_an_offering_is_registered_with_its_terms_and_takes_new_ones(house, bare):
    (device,) = house.devices_of(bare)
    registered, _ = an_offer(device)
    house.take(bare, registered, Channel.EVENTS, 1)
    easy = ClaimTerms()
    known = house.books.one("offerings")
    assert {name: known[name] for name in ClaimTerms.model_fields} == easy.model_dump()
    strict = ClaimTerms(
        lead_seconds=60,
        horizon_seconds=86_400,
        change_seconds=3_600,
        cancel_seconds=7_200,
        hold_seconds=120,
        grace_seconds=900,
        party_max=4,
        rotates_code=True,
    )
    house.take(bare, registered.model_copy(update=strict.model_dump()), Channel.EVENTS, 2)
    known = house.books.one("offerings")
    assert {name: known[name] for name in ClaimTerms.model_fields} == strict.model_dump()
