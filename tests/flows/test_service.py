"""Service information is given to the confirmed, made from what is registered, and only then."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cloud_controller.flows import registration, service
from cloud_controller.flows.service import DEVICES_KEPT_MAX, Explanation
from cloud_controller.ports import NotFound, Received
from common.codec import message_from
from common.ids import TerminalId
from common.messages.base import DEVICES_MAX, TEXT_LENGTH_MAX, Message
from common.messages.service import (
    OfferingDraft,
    Program,
    Requirements,
    ServiceProfile,
    ServiceRefused,
    ServiceRequest,
)
from common.messages.specification import Specification
from common.rules.registration import Policy, Standing, StandingEvent
from common.topics import PROFILE_ASKED
from tests.fakes.books import BooksInHand
from tests.fakes.house import HouseInHand, a_specification
from tests.fakes.terminal import TerminalInHand
from tests.flows.conftest import MakeHouse

GIB = 2**30
OURS = a_specification("vr")
CHANGED = a_specification("vr", memory_bytes=64 * GIB)
OLD_EPOCH = "0" * 16

WAYS = {
    "just enrolled": (),
    "claimed again": ("specify", StandingEvent.CONFIRM, "enrol"),
    Standing.PENDING: ("specify",),
    Standing.REJECTED: ("specify", StandingEvent.REJECT),
    Standing.CONFIRMED: ("specify", StandingEvent.CONFIRM),
    Standing.SUSPENDED: ("specify", StandingEvent.CONFIRM, StandingEvent.SUSPEND),
    Standing.RETIRED: ("specify", StandingEvent.CONFIRM, StandingEvent.RETIRE),
}
"""How a terminal comes into each standing."""


class Asking:
    """One terminal of a store whose operator confirms, and what it says to the flows."""

    def __init__(self, house: HouseInHand) -> None:
        self.house = house
        self.terminal: TerminalInHand = house.enrol()

    @property
    def name(self) -> TerminalId:
        return self.terminal.who.terminal

    def go(self, *steps: str, specification: Specification = OURS) -> None:
        """Take steps of the registration, by the words of its table."""
        for step in steps:
            if step == "specify":
                self.house.books.do(registration.specify, self.says(specification))
            elif step == "enrol":
                self.terminal = self.house.enrol(again=self.name)
            else:
                event = StandingEvent(step)
                self.house.books.do(registration.decide, self.name, event, "tests", "because")
        self.house.books.said.clear()

    def becomes(self, specification: Specification) -> None:
        """Say to be this, and be confirmed for it."""
        self.go("specify", StandingEvent.CONFIRM, specification=specification)

    def says(self, message: Message) -> Received:
        return self.house.received(self.terminal, message)

    def asks(self, digest: str = OURS.gate_digest, *, epoch: str | None = None) -> Message:
        """Ask for service information and return the answer."""
        said = Received(
            terminal=self.name,
            epoch=self.terminal.who.epoch if epoch is None else epoch,
            seq=0,
            corr="c-1",
            message=ServiceRequest(gate_digest=digest),
        )
        return self.asked(said)

    def asked(self, said: Received) -> Message:
        self.house.books.do(service.give, said)
        (answer,) = self.house.books.heard()
        return answer

    def given(self, digest: str = OURS.gate_digest) -> ServiceProfile:
        profile = self.asks(digest)
        assert isinstance(profile, ServiceProfile), profile
        return profile

    def refused(self, digest: str = OURS.gate_digest) -> str:
        """Ask, see that it is refused and that nothing was written for it; return the reason."""
        before = self.house.books.everything()
        refusal = self.asks(digest)
        assert isinstance(refusal, ServiceRefused), refusal
        assert self.house.books.everything() == before
        return refusal.reason

    def explained(self) -> Explanation:
        """Ask why, and see that nothing was written for it."""
        before = self.house.books.everything()
        explanation: Explanation = self.house.books.do(service.explain, self.name)
        assert self.house.books.everything() == before
        return explanation


@pytest.fixture
def asking(make_house: MakeHouse) -> Asking:
    return Asking(make_house(Policy.MANUAL))


def told(asking: Asking, program: str = "game", **said: Any) -> None:
    """Tell the controller about a program."""
    asking.house.books.do(service.keep_program, Program(program=program, **said))


def devices(asking: Asking) -> list[tuple[str, int]]:
    return [(row["key"], row["number"]) for row in asking.house.books.rows("devices")]


def test_a6_a_confirmed_terminal_is_given_what_its_registered_specification_allows(asking: Asking):
    asking.becomes(OURS)
    profile = asking.given()
    assert profile.gate_digest == OURS.gate_digest
    assert [(device.key, device.number, device.program) for device in profile.devices] == [
        ("vr", 1, "game")
    ]
    assert [program.program for program in profile.programs] == ["game"]
    kept = asking.house.books.one("profiles")
    assert kept["body"] == profile.model_dump_json()
    assert kept["profile_digest"] == profile.profile_digest


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("digest", [OURS.gate_digest, CHANGED.gate_digest], ids=["own", "other"])
@pytest.mark.parametrize("epoch", [None, OLD_EPOCH], ids=["own", "old"])
def test_a7_only_the_confirmed_terminal_that_is_what_was_confirmed_is_given_anything(
    asking: Asking, way: str, digest: str, epoch: str | None
):
    asking.go(*WAYS[way])
    before = asking.house.books.everything()
    answer = asking.asks(digest, epoch=epoch)
    if way == Standing.CONFIRMED and digest == OURS.gate_digest and epoch is None:
        assert isinstance(answer, ServiceProfile)
    else:
        assert answer == ServiceRefused(reason="not_registered")
        assert asking.house.books.everything() == before
        assert not asking.house.books.rows("devices")


def test_every_standing_is_in_the_table_above():
    assert set(WAYS) == {*Standing, "just enrolled", "claimed again"} - {Standing.CLAIMED}


def test_a_terminal_that_nobody_knows_is_given_nothing(asking: Asking):
    asking.becomes(OURS)
    stranger = asking.says(ServiceRequest(gate_digest=OURS.gate_digest))
    answer = asking.asked(
        Received(
            terminal=TerminalId("t-99"),
            epoch=stranger.epoch,
            seq=0,
            corr="",
            message=stranger.message,
        )
    )
    assert answer == ServiceRefused(reason="not_registered")


def test_a8_what_was_confirmed_before_a_change_is_worth_nothing_after_it(asking: Asking):
    asking.becomes(OURS)
    asking.go("specify", specification=CHANGED)
    assert asking.refused(OURS.gate_digest) == "not_registered"
    assert asking.refused(CHANGED.gate_digest) == "not_registered"
    asking.go(StandingEvent.CONFIRM)
    assert asking.refused(OURS.gate_digest) == "not_registered"
    assert asking.given(CHANGED.gate_digest).gate_digest == CHANGED.gate_digest


def test_a_confirmation_for_another_specification_than_the_registered_one_opens_nothing(
    asking: Asking,
):
    asking.becomes(OURS)
    asking.house.books.connection.execute(
        "UPDATE terminals SET gate_digest = ?", (CHANGED.gate_digest,)
    )
    assert asking.refused(CHANGED.gate_digest) == "not_registered"
    assert asking.refused(OURS.gate_digest) == "not_registered"


def test_the_same_specification_gives_the_same_bytes_also_after_a_restart(asking: Asking):
    told(asking, modules=("physics",), offering=OfferingDraft(key="vr", title="VR"))
    asking.becomes(OURS)
    first = asking.given()
    again = asking.given()
    house = asking.house
    house.books.close()
    file = house.folder / "books.sqlite"
    house.books = BooksInHand(file, clock=house.clock, names=house.names, keys=house.keys)
    house.clock.move(86_400)
    restarted = asking.given()
    assert len({each.model_dump_json() for each in (first, again, restarted)}) == 1


def test_a_device_keeps_its_number_when_it_goes_and_comes_back(asking: Asking):
    both, one = a_specification("a", "b"), a_specification("b")
    asking.becomes(both)
    before = asking.given(both.gate_digest).devices
    asking.becomes(one)
    assert asking.given(one.gate_digest).devices == before[1:]
    asking.becomes(both)
    assert asking.given(both.gate_digest).devices == before
    assert devices(asking) == [("a", 1), ("b", 2)]


def test_only_what_is_given_is_numbered(asking: Asking):
    told(asking, requires=Requirements(memory_bytes_min=16 * GIB))
    asking.becomes(OURS)
    assert asking.given().devices == ()
    assert devices(asking) == []
    told(asking)
    assert len(asking.given().devices) == 1
    assert devices(asking) == [("vr", 1)]


def test_a_program_told_anew_changes_the_next_profile_and_told_again_changes_nothing(
    asking: Asking,
):
    asking.becomes(OURS)
    before = asking.given()
    told(asking, modules=("physics",))
    after = asking.given()
    assert after.profile_digest != before.profile_digest
    kept = asking.house.books.rows("programs")
    asking.house.clock.move(60)
    told(asking, modules=("physics",))
    assert asking.house.books.rows("programs") == kept
    assert asking.given() == after


def test_what_the_request_says_besides_is_not_heard(asking: Asking):
    asking.becomes(OURS)
    plain = asking.given()
    more = {
        "gate_digest": OURS.gate_digest,
        "specification": a_specification("mine", "yours").model_dump(mode="json"),
        "devices": [{"key": "mine", "title": "Mine", "program": "game"}],
        "store": "another",
    }
    assert asking.asked(asking.says(message_from(PROFILE_ASKED, more))) == plain


def test_a_terminal_that_ever_named_too_many_devices_is_given_no_more(asking: Asking):
    names = (f"d-{number}" for number in itertools.count())
    changes = [
        a_specification(*itertools.islice(names, DEVICES_MAX))
        for _ in range(DEVICES_KEPT_MAX // DEVICES_MAX)
    ]
    for specification in changes:
        asking.becomes(specification)
        asking.given(specification.gate_digest)
    more = a_specification(next(names))
    asking.becomes(more)
    assert asking.refused(more.gate_digest) == "too_many_devices"
    asking.becomes(changes[0])
    assert len(asking.given(changes[0].gate_digest).devices) == DEVICES_MAX


def test_a_store_without_a_number_left_gives_no_new_device(asking: Asking):
    asking.becomes(OURS)
    asking.given()
    asking.house.books.connection.execute("UPDATE devices SET number = 65535")
    more = a_specification("vr", "one-more")
    asking.becomes(more)
    assert asking.refused(more.gate_digest) == "too_many_devices"


def test_a_profile_that_fits_no_message_is_refused_and_nothing_of_it_kept(asking: Asking):
    long = OfferingDraft(key="vr", title="VR", content="x" * TEXT_LENGTH_MAX)
    told(asking, offering=long)
    full = a_specification(*(f"d-{number}" for number in range(DEVICES_MAX)))
    asking.becomes(full)
    assert asking.refused(full.gate_digest) == "profile_too_large"
    assert devices(asking) == []


def test_the_service_flow_reads_the_registration_through_its_port_which_only_reads(
    asking: Asking,
):
    asking.becomes(OURS)
    books = asking.house.books
    statements: list[str] = []
    books.connection.set_trace_callback(statements.append)
    registered = books._transaction.registry.registered(asking.name)
    books.connection.set_trace_callback(None)
    assert registered is not None
    assert registered.specification == OURS
    assert [each.split()[0] for each in statements] == ["SELECT"]
    assert books._transaction.registry.registered(TerminalId("t-99")) is None


def test_a_refusal_writes_nothing(asking: Asking):
    statements: list[str] = []
    asking.house.books.connection.set_trace_callback(statements.append)
    assert isinstance(asking.asks(), ServiceRefused)
    asking.house.books.connection.set_trace_callback(None)
    written = [each for each in statements if "INSERT" in each or "UPDATE" in each]
    assert statements
    assert written == []


def test_what_confirming_would_allow_is_explained_before_anybody_confirms(asking: Asking):
    told(asking, requires=Requirements(memory_bytes_min=16 * GIB))
    told(asking, "cinema")
    asking.go("specify")
    explanation = asking.explained()
    assert (explanation.standing, explanation.hostname) == (Standing.PENDING, "pc-1")
    assert [(each.program, each.is_in, each.why) for each in explanation.programs] == [
        ("cinema", False, ("its file is not on this PC",)),
        ("game", False, ("it has 8.0 GiB of memory, 16.0 are asked for",)),
    ]
    assert [(found.key, programs) for found, programs in explanation.devices] == [("vr", ())]
    told(asking)
    assert [programs for _, programs in asking.explained().devices] == [("game",)]


def test_what_is_explained_is_what_is_given(asking: Asking):
    asking.becomes(OURS)
    explanation, profile = asking.explained(), asking.given()
    assert [each.program for each in explanation.programs if each.is_in] == [
        each.program for each in profile.programs
    ]
    assert [(found.key, programs) for found, programs in explanation.devices] == [
        (device.key, device.programs) for device in profile.devices
    ]


def test_the_difference_to_what_was_confirmed_is_explained(asking: Asking):
    asking.becomes(OURS)
    assert asking.explained().differences == ()
    asking.go("specify", specification=CHANGED)
    assert [each.field for each in asking.explained().differences] == ["machine.memory_bytes"]


def test_what_the_rules_of_the_store_miss_is_explained(asking: Asking):
    asking.house.books.connection.execute(
        "UPDATE stores SET rules = ?", (Requirements(needs_gpu=True).model_dump_json(),)
    )
    asking.go("specify")
    assert asking.explained().unmet == ("whether it has a GPU is unknown",)


def test_a_terminal_that_has_not_said_what_it_is_is_explained_as_far_as_it_is_known(
    asking: Asking,
):
    explanation = asking.explained()
    assert (explanation.standing, explanation.specification) == (Standing.CLAIMED, None)
    assert explanation.programs == ()


def test_nobody_explains_a_terminal_that_is_not_there(asking: Asking):
    with pytest.raises(NotFound):
        asking.house.books.do(service.explain, TerminalId("t-99"))


def test_the_method_of_the_topic_is_the_type_of_the_question():
    assert ServiceRequest.type == PROFILE_ASKED
