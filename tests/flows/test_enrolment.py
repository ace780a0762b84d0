"""A code is good once and for one key; an epoch fences the one before; nobody ever steps down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloud_controller.flows import enrolment, registration
from cloud_controller.flows.enrolment import Asking, Enrolled, Given, KeyIsKnown, NotRenewed
from cloud_controller.ports import Certified, CodeIsSpent, NotFound, RoleGiven
from common.ids import StoreId, TerminalId
from common.messages.registration import Acknowledged
from common.rules.enrolment import Ladder
from common.rules.registration import StandingEvent
from common.seals import new_signing_key, public_bytes, renewal_document, seal_document
from common.topics import BrokerRole
from edge_agent.flows import enrolment as own
from edge_agent.ports import LadderGoesDown
from tests.fakes.house import GIVEN, SALTED, STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand

KEY, OTHER_KEY = new_signing_key(b"k" * 32), new_signing_key(b"o" * 32)
LADDERS = list(Ladder)


class Certifier:
    """Certifies whom it is asked to, and counts."""

    def __init__(self, house: HouseInHand) -> None:
        self._house = house
        self.count = 0

    def __call__(self, terminal: TerminalId, public_key: str) -> Certified:
        self.count += 1
        expires_at = self._house.clock.now + 90 * 86_400_000
        pem = f"{terminal} {public_key[:4]} {self.count}"
        return Certified(pem=pem, serial=f"{self.count:x}", expires_at=expires_at)


def public(key: Any) -> str:
    return public_bytes(key).hex()


def a_code(house: HouseInHand, terminal: TerminalId | None = None) -> str:
    code: str = house.books.do(enrolment.make_code, STORE, "owner", terminal)
    return code


def enrol(house: HouseInHand, code: str, key: Any = KEY, given: Given = GIVEN) -> Any:
    asking = Asking(code=code, public_key=public(key), hostname="pc")
    return house.books.do(enrolment.enrol, asking, given)


def renew(house: HouseInHand, who: Enrolled, key: Any = KEY, **how: Any) -> str:
    epoch = how.pop("epoch", who.epoch)
    signature = seal_document(renewal_document(who.terminal, how.pop("signs", epoch)), key)
    ladder, certify = how.pop("ladder", Ladder.PASSWORD), how.pop("certify", None)
    told: str = house.books.do(enrolment.renew, who.terminal, epoch, signature, ladder, certify)
    return told


def acts(house: HouseInHand) -> list[str]:
    return [row["act"] for row in house.books.rows("audit")]


def test_a_code_is_good_once_and_for_one_key(house: HouseInHand):
    code = a_code(house)
    first, again = enrol(house, code), enrol(house, code)
    assert (again.terminal, again.epoch) == (first.terminal, first.epoch)
    with pytest.raises(CodeIsSpent):
        enrol(house, code, OTHER_KEY)
    assert len(house.books.rows("terminals")) == 1
    assert acts(house).count("terminal.enrolled") == 1


@pytest.mark.parametrize("seconds", [1, 2, 1e9])
def test_a_code_ends_also_for_the_key_that_used_it(house: HouseInHand, seconds):
    code = a_code(house)
    house.clock.move(899)
    enrol(house, code)
    house.clock.move(seconds)
    with pytest.raises(CodeIsSpent):
        enrol(house, code)


@pytest.mark.parametrize("code", ["", "WRONG", "XXXXXXXXX2", "'; DROP TABLE terminals"])
def test_an_unknown_code_enrols_nobody(house: HouseInHand, code: str):
    a_code(house)
    with pytest.raises(CodeIsSpent):
        enrol(house, code)
    assert not house.books.rows("terminals")


def test_a_code_may_be_typed_in_groups_and_small_letters(house: HouseInHand):
    code = a_code(house)
    assert enrol(house, f" {code[:5].lower()}-{code[5:].lower()} ").store == STORE


def test_neither_a_code_nor_a_secret_is_kept_anywhere(house: HouseInHand):
    code = a_code(house)
    enrol(house, code)
    everything = "\n".join(house.books.everything())
    assert code not in everything
    assert SALTED.secret not in everything
    given = [each.secret for each in house.books.said if isinstance(each, RoleGiven)]
    assert given == [SALTED.secret]


def test_a_code_is_for_a_store_and_a_terminal_of_it(house: HouseInHand):
    with pytest.raises(NotFound):
        house.books.do(enrolment.make_code, StoreId("elsewhere"), "owner")
    with pytest.raises(NotFound):
        a_code(house, TerminalId("t-none"))
    who = enrol(house, a_code(house))
    house.books.do(registration.decide, who.terminal, StandingEvent.RETIRE, "owner", "broken")
    with pytest.raises(NotFound):
        a_code(house, who.terminal)


def test_codes_that_nobody_can_use_are_forgotten_after_a_day(house: HouseInHand):
    a_code(house)
    house.clock.move(900 + 86_400)
    house.books.do(enrolment.forget_codes)
    assert len(house.books.rows("enrolment_codes")) == 1
    house.clock.move(1)
    house.books.do(enrolment.forget_codes)
    assert not house.books.rows("enrolment_codes")


def test_a_key_is_one_terminal_and_a_copied_pc_is_a_problem(house: HouseInHand):
    who = enrol(house, a_code(house))
    code = a_code(house)
    refused = enrol(house, code)
    assert isinstance(refused, KeyIsKnown)
    assert refused.facts == {"terminal": who.terminal}
    assert house.books.one("problems")["kind"] == "key_enrolled_twice"
    assert len(house.books.rows("terminals")) == 1
    assert enrol(house, code, OTHER_KEY).terminal != who.terminal


def test_enrolled_again_a_terminal_has_a_new_epoch_and_begins_again(house: HouseInHand):
    certify = Certifier(house)
    given = Given(salted=SALTED, ladder=Ladder.CERTIFICATE, certify=certify)
    before = enrol(house, a_code(house), given=given)
    house.clock.move(60)
    after = enrol(house, a_code(house, before.terminal), OTHER_KEY, given)
    assert after.terminal == before.terminal
    assert after.epoch != before.epoch
    row = house.books.one("terminals")
    assert (row["standing"], row["public_key"]) == ("claimed", public(OTHER_KEY))
    assert row["broker_role"] == BrokerRole.GATE
    revoked = {row["epoch"]: row["revoked_at"] for row in house.books.rows("certificates")}
    assert revoked == {before.epoch: house.clock.now, after.epoch: None}


def test_a_code_of_an_earlier_epoch_answers_nobody_any_more(house: HouseInHand):
    code = a_code(house)
    who = enrol(house, code)
    house.clock.move(1)
    enrol(house, a_code(house, who.terminal))
    with pytest.raises(CodeIsSpent):
        enrol(house, code)


def test_a_renewal_proves_epoch_and_key_and_is_nothing_without_them(house: HouseInHand):
    who = enrol(house, a_code(house))
    certify = Certifier(house)
    before = house.books.everything()
    for wrong in (
        {"key": OTHER_KEY},
        {"epoch": "ab" * 8},
        {"signs": "ab" * 8},
        {"who": replace(who, terminal=TerminalId("t-none"))},
    ):
        how: dict[str, Any] = {"who": who, "certify": certify, **wrong}
        with pytest.raises(NotRenewed):
            renew(house, how.pop("who"), **how)
    assert house.books.everything() == before
    assert certify.count == 0
    assert renew(house, who, certify=certify, ladder=Ladder.CERTIFICATE)
    assert house.books.one("certificates")["epoch"] == who.epoch
    assert acts(house)[-1] == "credentials.renewed"


def test_who_has_retired_or_enrolled_again_renews_nothing(house: HouseInHand):
    who = enrol(house, a_code(house))
    house.clock.move(1)
    anew = enrol(house, a_code(house, who.terminal))
    with pytest.raises(NotRenewed):
        renew(house, who)
    assert renew(house, anew) == ""
    house.books.do(registration.decide, who.terminal, StandingEvent.RETIRE, "owner", "broken")
    with pytest.raises(NotRenewed):
        renew(house, anew)


def test_the_books_remember_the_highest_step_of_each_terminal(house: HouseInHand):
    who = enrol(house, a_code(house))
    for step in (Ladder.CERTIFICATE, Ladder.PASSWORD):
        renew(house, who, ladder=step)
    assert house.books.one("terminals")["ladder"] == Ladder.CERTIFICATE


def test_what_is_kept_is_what_is_read(house: HouseInHand):
    terminal = house.enrol()
    who = replace(
        terminal.who,
        ladder=Ladder.CERTIFICATE,
        authority="an authority",
        certificate="a certificate",
        url="https://controller.example",
        pinned="an authority",
    )
    terminal.do(own.keep_identity, who)
    assert terminal.do(own.identity) == who
    terminal.restart()
    assert terminal.who == who


def test_a_new_epoch_counts_its_events_and_exchanges_from_one(house: HouseInHand):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    house.announce(terminal, device)
    say(terminal)
    terminal.do(own.keep_identity, replace(terminal.who, epoch="e9"))
    say(terminal)
    assert [seq for seq, _, _ in terminal.tells()] == [1]
    for table in ("registration", "profile", "desired", "exchanges"):
        assert not terminal.rows(table)


def say(terminal: TerminalInHand) -> None:
    terminal.do(lambda journal: journal.say(Acknowledged(epoch="e", up_to=1)))


def test_the_same_identity_again_keeps_what_it_was_told_and_said(house: HouseInHand):
    terminal = house.confirmed("vr")
    before = terminal.everything()
    terminal.do(own.keep_identity, terminal.who)
    assert terminal.everything() == before


@pytest.mark.parametrize("kept", LADDERS)
@pytest.mark.parametrize("asked", LADDERS)
@pytest.mark.parametrize("is_anew", [True, False])
def test_no_word_of_any_controller_takes_a_terminal_down(house: HouseInHand, kept, asked, is_anew):
    terminal = house.enrol()
    terminal.do(own.keep_identity, replace(terminal.who, ladder=kept))
    before = terminal.everything()
    epoch = "e9" if is_anew else terminal.who.epoch
    other = replace(terminal.who, ladder=asked, epoch=epoch)
    flow = own.keep_identity if is_anew else own.keep_renewed
    if asked < kept:
        with pytest.raises(LadderGoesDown, match="empty the state folder"):
            terminal.do(flow, other)
        assert terminal.everything() == before
    else:
        terminal.do(flow, other)
        assert terminal.do(own.identity).ladder is asked


@pytest.mark.parametrize("changed", [{"epoch": "e9"}, {"terminal": "t-9"}, {"secret": "00"}])
def test_a_renewal_for_who_it_no_longer_is_changes_nothing(house: HouseInHand, changed):
    terminal = house.enrol()
    before = terminal.everything()
    for_another = replace(terminal.who, **changed, broker_host="elsewhere")
    assert not terminal.do(own.keep_renewed, for_another)
    assert terminal.everything() == before


def test_a_renewal_is_no_reason_to_close_the_gate(house: HouseInHand):
    terminal = house.confirmed("vr")
    told = {name: terminal.rows(name) for name in ("registration", "profile", "exchanges")}
    moved = replace(terminal.who, broker_host="elsewhere", ladder=Ladder.PASSWORD)
    assert terminal.do(own.keep_renewed, moved)
    assert terminal.do(own.identity) == moved
    assert {name: terminal.rows(name) for name in told} == told
