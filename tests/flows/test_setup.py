"""What is set up is kept version by version, and any of them can be said again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from cloud_controller import bookings
from cloud_controller.bookings import Word
from cloud_controller.flows import help as calls, offerings, payments, registration, setup
from cloud_controller.flows.registration import StoreSaid
from cloud_controller.flows.service import DeviceTold, tell_of_device
from cloud_controller.ports import Actor, NotAllowed, NotFound
from common.ids import StoreId
from common.messages.offerings import OfferingSaid
from common.messages.service import OfferingDraft, Program, Requirements, ServiceProfile
from common.rules.payments import Prices
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours
from common.rules.setup import VERSIONS_MAX, SetupKind, first_hour, is_set_up
from tests.fakes.house import STORE, HouseInHand
from tests.fakes.store import a_new_store
from tests.fakes.terminal import TerminalInHand

ENGINES: Final = ["sqlite", "postgres"]
MIKA: Final = Word(actor="Mika", reason="as agreed")
SAID: Final = OfferingSaid(title="VR Palace", price_cents=2000, lengths_seconds=(3600,))
HOURS: Final = OpeningHours.model_validate({"week": {"fri": ["10:00-14:00"]}})


def stands(house: HouseInHand, kind: SetupKind, subject: str) -> dict[str, Any]:
    found: dict[str, Any] = house.books.do(bookings.stands_as, kind, subject)
    return found


def told(house: HouseInHand, kind: SetupKind, subject: str) -> list[tuple[int, str]]:
    found = house.books.do(setup.versions, kind, subject)
    return [(each.number, each.actor) for each in reversed(found)]


def keep(house: HouseInHand, kind: SetupKind, subject: str, said: Mapping[str, Any]) -> None:
    house.books.do(bookings.keep_document, kind, subject, said, MIKA)


def subjects(house: HouseInHand) -> dict[SetupKind, tuple[str, dict[str, Any]]]:
    """Return a subject of each kind, with another word on it than the one that stands."""
    offering = house.books.one("offerings")["offering_id"]
    device = house.books.rows("devices")[0]["device_id"]
    helper = house.books.do(calls.add, "Yuki", [STORE], "tests").helper
    house.books.do(registration.add_store, a_new_store(StoreId("ueno")))
    house.books.do(bookings.sow_program, Program(program="game"))
    store = stands(house, SetupKind.STORE, STORE)
    return {
        SetupKind.STORE: (STORE, {**store, "title": "Shinjuku West", "directions": "Exit 4"}),
        SetupKind.HOURS: (STORE, {"hours": HOURS.model_dump(mode="json")}),
        SetupKind.OFFERING: (
            offering,
            {"told_by": "operator", **SAID.model_dump(mode="json")},
        ),
        SetupKind.PRICES: (offering, Prices(cents_per_hour=900).model_dump(mode="json")),
        SetupKind.PROGRAM: (
            "game",
            Program(
                program="game",
                requires=Requirements(cores_min=2),
                offering=OfferingDraft(key="g", title="Game"),
            ).model_dump(mode="json"),
        ),
        SetupKind.DEVICE: (device, {"place": "to the left"}),
        SetupKind.HELPER: (helper, {"name": "Yuki S.", "stores": [STORE, "ueno"]}),
    }


def test_whatever_is_changed_can_be_undone_as_a_version_of_its_own(
    house: HouseInHand, two_booths: TerminalInHand
):
    assert house.devices_of(two_booths)
    for kind, (subject, said) in subjects(house).items():
        before = stands(house, kind, subject)
        keep(house, kind, subject, said)
        after = stands(house, kind, subject)
        assert after != before, kind
        assert {name: after[name] for name in said if name != "hours"} == {
            name: said[name] for name in said if name != "hours"
        }
        numbers = [number for number, _ in told(house, kind, subject)]
        assert numbers == [1, 2], kind
        house.books.do(bookings.undo, kind, subject, 1, MIKA)
        assert stands(house, kind, subject) == before, kind
        latest = house.books.do(setup.versions, kind, subject)[0]
        assert latest.number >= 3
        assert latest.document == before
        assert latest.actor == MIKA.actor
    acts = house.books.rows("audit")
    for act in ("store.kept", "store.hours", "offering.say", "prices.set", "program.kept"):
        assert [row["actor"] for row in acts if row["act"] == act].count("Mika") == 2, act
    for act in ("device.told", "helper.kept"):
        assert [row["actor"] for row in acts if row["act"] == act] == ["Mika", "Mika"]


def test_what_changes_nothing_is_no_version(house: HouseInHand):
    store = stands(house, SetupKind.STORE, STORE)
    for _ in range(2):
        keep(house, SetupKind.STORE, STORE, store)
        keep(house, SetupKind.STORE, STORE, {**store, "title": "West"})
    assert [number for number, _ in told(house, SetupKind.STORE, STORE)] == [1, 2, 3, 4]


def test_only_so_many_versions_are_kept_and_their_numbers_go_on(house: HouseInHand):
    for number in range(VERSIONS_MAX + 3):
        hours = OpeningHours.model_validate({"week": {"fri": [f"10:00-{11 + number % 2}:00"]}})
        house.books.do(bookings.keep_hours, STORE, hours, "Mika", "")
    kept = told(house, SetupKind.HOURS, STORE)
    assert len(kept) == VERSIONS_MAX
    assert kept[-1][0] == VERSIONS_MAX + 4
    with pytest.raises(NotFound):
        house.books.do(bookings.undo, SetupKind.HOURS, STORE, 1, MIKA)


def test_an_undo_is_checked_as_anything_that_is_said(
    house: HouseInHand, two_booths: TerminalInHand
):
    assert house.devices_of(two_booths)
    store = stands(house, SetupKind.STORE, STORE)
    with pytest.raises(NotAllowed):
        keep(house, SetupKind.STORE, STORE, {**store, "time_zone": "Europe/Paris"})
    helper = house.books.do(calls.add, "Yuki", [STORE], "tests").helper
    keep(house, SetupKind.HELPER, helper, {"name": "Yu", "stores": [STORE]})
    house.books.do(calls.remove, helper, "tests")
    with pytest.raises(NotFound):
        house.books.do(bookings.undo, SetupKind.HELPER, helper, 1, MIKA)
    with pytest.raises(NotAllowed):
        house.books.do(setup.check_latest, SetupKind.STORE, STORE, 7)


def test_a_store_that_nobody_uses_yet_can_still_be_moved_to_its_zone(house: HouseInHand):
    said = StoreSaid(
        title="Paris",
        time_zone="Europe/Paris",
        directions="",
        policy=Policy.MANUAL,
        rules=Requirements(),
    )
    row = house.books.do(registration.keep_store, STORE, said, "Mika")
    assert (row["time_zone"], row["policy"]) == ("Europe/Paris", "manual")


def test_a_person_s_word_on_a_program_survives_the_settings_file(house: HouseInHand):
    def asks(cores: int) -> Program:
        return Program(program="game", requires=Requirements(cores_min=cores))

    sow = bookings.sow_program
    for cores in (1, 2):  # until a person speaks, the file is followed
        house.books.do(sow, asks(cores))
        assert stands(house, SetupKind.PROGRAM, "game")["requires"]["cores_min"] == cores
    house.books.do(bookings.keep_program, asks(4), "Mika")
    for cores in (2, 8):
        house.books.do(sow, asks(cores))
        assert stands(house, SetupKind.PROGRAM, "game")["requires"]["cores_min"] == 4
    assert told(house, SetupKind.PROGRAM, "game") == [
        (1, Actor.SETTINGS),
        (2, Actor.SETTINGS),
        (3, "Mika"),
    ]


def test_a_store_keeps_what_was_said_when_its_settings_are_read_again(house: HouseInHand):
    house.books.do(bookings.keep_hours, STORE, HOURS, "Mika", "")
    house.books.do(registration.add_store, a_new_store(STORE))
    assert stands(house, SetupKind.HOURS, STORE)["hours"] == {"week": {"fri": ["10:00-14:00"]}}


def test_a_terminal_is_told_at_once_of_a_program_that_is_another(
    house: HouseInHand, two_booths: TerminalInHand
):
    house.clock.move(1)
    draft = OfferingDraft(key="new", title="A new one")
    house.books.do(bookings.keep_program, Program(program="game", offering=draft), "Mika")
    (profile,) = house.books.heard()
    assert isinstance(profile, ServiceProfile)
    assert {each.offering and each.offering.key for each in profile.devices} == {"new"}
    two_booths.hear(profile)
    house.books.do(bookings.keep_program, Program(program="game", offering=draft), "Mika")
    assert not house.books.heard(), "nothing has changed"


def test_the_first_hour_is_read_from_the_books(house: HouseInHand):
    facts = house.books.do(setup.first_hour_of, StoreId("nowhere"))
    assert not facts.has_store
    facts = house.books.do(setup.first_hour_of, STORE)
    assert (facts.has_store, facts.says_hours, facts.enrolled) == (True, False, 0)
    house.books.do(bookings.keep_hours, STORE, None, "Mika", "always open")
    assert house.books.do(setup.first_hour_of, STORE).says_hours
    terminal = house.enrol()
    facts = house.books.do(setup.first_hour_of, STORE)
    assert (facts.enrolled, facts.confirmed) == (1, 0)
    (waiting,) = house.books.do(setup.waiting_terminals, STORE)
    assert waiting["terminal_id"] == terminal.who.terminal
    house.confirmed("a", "b")
    facts = house.books.do(setup.first_hour_of, STORE)
    assert (facts.enrolled, facts.confirmed, facts.devices, facts.on_offer) == (2, 1, 2, 2)
    assert len(house.books.do(setup.devices, STORE)) == 2
    offering = house.books.one("offerings")["offering_id"]
    house.books.do(payments.set_prices, offering, Prices(cents_per_hour=900), "Mika")
    house.book()
    facts = house.books.do(setup.first_hour_of, STORE)
    assert is_set_up(facts), first_hour(facts)


def test_words_that_a_terminal_said_are_what_an_operator_s_are_undone_to(
    house: HouseInHand, two_booths: TerminalInHand
):
    assert house.devices_of(two_booths)
    row = house.books.one("offerings")
    before = stands(house, SetupKind.OFFERING, row["offering_id"])
    assert before["told_by"] == "terminal"
    house.books.do(offerings.say, STORE, row["key"], SAID, "Mika")
    house.books.do(bookings.undo, SetupKind.OFFERING, row["offering_id"], 1, MIKA)
    assert stands(house, SetupKind.OFFERING, row["offering_id"]) == before


def test_out_of_order_is_an_act_and_no_version(house: HouseInHand, two_booths: TerminalInHand):
    (device, _) = house.devices_of(two_booths)
    house.books.do(tell_of_device, DeviceTold(device=device, is_out_of_order=True), "Mika")
    assert told(house, SetupKind.DEVICE, device) == []
