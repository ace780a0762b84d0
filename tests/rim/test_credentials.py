"""What a terminal proves itself by is renewed in time, only upwards, and no clock locks it out."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.certificates import Authority
from common.errors import CannotStart
from common.mqtt import LossReason
from common.rules.enrolment import Ladder
from common.system import SystemNames
from common.tls import CertificateIsUnusable, fingerprint_of
from edge_agent.enrolment import Asking, Credentials, enrol, tls_of
from edge_agent.enrolment.credentials import RenewalTerms
from edge_agent.enrolment.keys import TerminalKey
from edge_agent.enrolment.trust import CERTIFICATE_FILE, BrokerIsUnprotected
from edge_agent.flows import enrolment
from edge_agent.journal import SqliteJournal
from edge_agent.ports import Identity
from tests.fakes.store import MORNING_AT, ClockInHand
from tests.rim.enrolment_kit import (
    CODE,
    HERE,
    Pages,
    a_journal,
    a_key,
    an_answer,
    an_authority,
    serve,
)
from tests.waiting import until

DAY_SECONDS = 86_400
TERMS = RenewalTerms(look_seconds=0.01)
LOOKS_SECONDS = 0.3
"""Long enough for many looks."""


@dataclass(kw_only=True)
class Desk:
    """A terminal with its credentials, the pages it renews at, and its clock."""

    folder: Path
    who: Identity
    key: TerminalKey
    journal: SqliteJournal
    clock: ClockInHand
    authority: Authority
    pages: Pages

    def kept(self) -> Identity:
        who = self.journal.transact(enrolment.identity)
        assert who is not None
        return who

    def answers(self, **changed: Any) -> None:
        self.pages.answer = an_answer(self.authority, self.key, **changed)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return a terminal on the highest step, enrolled this morning."""
    clock = ClockInHand()
    authority = an_authority(tmp_path / "controller", clock)
    folder = tmp_path / "pc"
    key = a_key(folder)
    with serve(Pages(authority, an_answer(authority, key)), authority) as pages:
        pin = fingerprint_of(authority.pem)
        who = enrol(Asking(url=pages.url, code=CODE, hostname="pc", pin=pin), key)
        pages.heard.clear()
        journal = a_journal(folder)
        journal.transact(enrolment.keep_identity, who)
        yield Desk(
            folder=folder,
            who=who,
            key=key,
            journal=journal,
            clock=clock,
            authority=authority,
            pages=pages,
        )
        journal.close()


@asynccontextmanager
async def watching(desk: Desk) -> AsyncIterator[tuple[Credentials, list[Identity]]]:
    """Let the loop run; what it renews is in the list."""
    renewed: list[Identity] = []
    credentials = Credentials(
        desk.who,
        desk.folder,
        desk.journal,
        clock=desk.clock,
        names=SystemNames(),
        on_renewed=renewed.append,
        terms=TERMS,
    )
    loop = asyncio.get_running_loop().create_task(credentials.run(), name="credentials")
    try:
        yield credentials, renewed
    finally:
        assert not loop.done(), "the loop never ends by itself"
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


def fail(credentials: Credentials, times: int, reason: LossReason = LossReason.NETWORK) -> None:
    for _ in range(times):
        credentials.on_lost(reason)


async def test_a_certificate_is_renewed_when_two_thirds_of_its_life_are_over(desk: Desk):
    async with watching(desk) as (_, renewed):
        desk.clock.move(58 * DAY_SECONDS)
        await asyncio.sleep(LOOKS_SECONDS)
        assert not desk.pages.heard
        desk.answers()
        desk.clock.move(4 * DAY_SECONDS)
        await until(lambda: bool(renewed))
        await asyncio.sleep(LOOKS_SECONDS)
    assert len(desk.pages.heard) == len(renewed) == 1
    assert desk.kept() == renewed[0] != desk.who
    assert renewed[0].certificate != desk.who.certificate
    (path, said) = desk.pages.heard[0]
    assert path == "/api/v1/terminals/t-1/credentials"
    assert set(said) == {"epoch", "signature"}


async def test_a_clock_years_ahead_costs_one_renewal_a_day(desk: Desk):
    desk.clock.now = MORNING_AT + 20 * 365 * DAY_SECONDS * 1000
    async with watching(desk) as _:
        await until(lambda: bool(desk.pages.heard))
        await asyncio.sleep(LOOKS_SECONDS)
        desk.clock.move(DAY_SECONDS - 60)
        await asyncio.sleep(LOOKS_SECONDS)
        assert len(desk.pages.heard) == 1
        desk.clock.move(120)
        await until(lambda: len(desk.pages.heard) == 2)


@pytest.mark.parametrize("reason", [LossReason.NETWORK, LossReason.NOT_AUTHORISED])
async def test_a_terminal_that_nobody_hears_asks_for_what_is_new(desk: Desk, reason):
    async with watching(desk) as (credentials, renewed):
        fail(credentials, 9, reason)
        await asyncio.sleep(LOOKS_SECONDS)
        assert not desk.pages.heard
        desk.answers()
        fail(credentials, 1, reason)
        await until(lambda: bool(renewed))


async def test_five_minutes_unheard_are_enough_and_being_heard_starts_over(desk: Desk):
    async with watching(desk) as (credentials, _):
        fail(credentials, 1)
        desk.clock.move(200)
        credentials.on_connected()
        fail(credentials, 1)
        desk.clock.move(200)
        await asyncio.sleep(LOOKS_SECONDS)
        assert not desk.pages.heard
        desk.clock.move(200)
        await until(lambda: bool(desk.pages.heard))


async def test_losses_that_no_credentials_mend_ask_for_none(desk: Desk):
    async with watching(desk) as (credentials, _):
        fail(credentials, 99, LossReason.TAKEN_OVER)
        fail(credentials, 99, LossReason.ADMINISTRATIVE)
        desk.clock.move(3600)
        await asyncio.sleep(LOOKS_SECONDS)
    assert not desk.pages.heard


async def test_it_asks_at_most_once_in_ten_minutes(desk: Desk):
    desk.pages.status, desk.pages.answer = 403, {"code": "not_renewed", "detail": "Over."}
    async with watching(desk) as (credentials, renewed):
        fail(credentials, 50)
        await until(lambda: bool(desk.pages.heard))
        for _ in range(9):
            desk.clock.move(60)
            await asyncio.sleep(0.03)
        assert len(desk.pages.heard) == 1
        desk.clock.move(400)
        await until(lambda: len(desk.pages.heard) == 2)
    assert desk.kept() == desk.who
    assert not renewed


async def test_where_nobody_was_there_to_be_asked_it_asks_again_soon_and_then_less_often(
    desk: Desk,
):
    desk.pages.status = 503
    async with watching(desk) as (credentials, renewed):
        fail(credentials, 50)
        for count, seconds in enumerate((31, 61, 121), start=1):
            await until(partial(_has_heard, desk, count))
            desk.clock.move(seconds / 3)
            await asyncio.sleep(LOOKS_SECONDS)
            assert len(desk.pages.heard) == count
            desk.clock.move(seconds * 2 / 3)
        assert not renewed


def _has_heard(desk: Desk, count: int) -> bool:
    return len(desk.pages.heard) == count


async def test_the_ladder_goes_up_and_never_down(desk: Desk):
    low = replace(desk.who, ladder=Ladder.PASSWORD, certificate="")
    desk.journal._connection.execute("UPDATE identity SET ladder = 1, certificate = ''")
    up = replace(desk, who=low)
    async with watching(up) as (credentials, renewed):
        fail(credentials, 10)
        await until(lambda: bool(renewed))
    assert desk.kept().ladder == Ladder.CERTIFICATE
    before = list(desk.journal._connection.iterdump())
    broker = {"host": HERE, "port": 1883}
    for step in (0, 1):
        desk.answers(ladder=step, broker=broker)
        desk.pages.heard.clear()
        async with watching(replace(desk, who=desk.kept())) as (credentials, renewed):
            fail(credentials, 10)
            await until(lambda: bool(desk.pages.heard))
            await asyncio.sleep(LOOKS_SECONDS)
            assert not renewed
        assert list(desk.journal._connection.iterdump()) == before


async def test_nothing_is_asked_of_who_is_not_vouched_for_any_more(desk: Desk, tmp_path):
    other = an_authority(tmp_path / "other")
    with serve(Pages(other, an_answer(other, desk.key)), other) as false:
        moved = replace(desk, who=replace(desk.who, url=false.url))
        async with watching(moved) as (credentials, renewed):
            fail(credentials, 10)
            await asyncio.sleep(LOOKS_SECONDS)
        assert not false.heard
        assert not renewed


async def test_a_new_authority_is_believed_from_the_mouth_of_the_old_one(desk: Desk, tmp_path):
    after = an_authority(tmp_path / "after")
    desk.pages.answer = an_answer(after, desk.key)
    async with watching(desk) as (credentials, renewed):
        fail(credentials, 10)
        await until(lambda: bool(renewed))
    assert desk.kept().authority == desk.kept().pinned == after.pem


async def test_an_answer_that_changes_nothing_disturbs_nobody(desk: Desk):
    low = {"ladder": 1, "certificate": ""}
    desk.answers(**low)
    desk.journal._connection.execute("UPDATE identity SET ladder = 1, certificate = ''")
    as_before = replace(desk.who, ladder=Ladder.PASSWORD, certificate="")
    async with watching(replace(desk, who=as_before)) as (credentials, renewed):
        fail(credentials, 10)
        await until(lambda: bool(desk.pages.heard))
        await asyncio.sleep(LOOKS_SECONDS)
    assert not renewed


async def test_whoever_has_enrolled_anew_meanwhile_keeps_what_that_said(desk: Desk):
    anew = replace(desk.who, epoch="e1" * 8)
    desk.journal.transact(enrolment.keep_identity, anew)
    async with watching(desk) as (credentials, renewed):
        fail(credentials, 10)
        await until(lambda: bool(desk.pages.heard))
        await asyncio.sleep(LOOKS_SECONDS)
    assert desk.kept() == anew
    assert not renewed


@pytest.mark.alone
async def test_an_agent_that_ends_waits_for_no_answer(desk: Desk):
    desk.pages.lie = lambda _: time.sleep(3)
    async with watching(desk) as (credentials, _):
        fail(credentials, 10)
        await until(lambda: bool(desk.pages.heard))
        began = time.monotonic()
    assert time.monotonic() - began < 1


def test_each_step_speaks_as_it_should(desk: Desk):
    on_2 = tls_of(desk.who, desk.folder)
    assert on_2 is not None
    assert on_2.verify_mode is ssl.CERT_REQUIRED
    assert on_2.check_hostname
    shown = desk.folder / CERTIFICATE_FILE
    assert shown.read_text() == desk.who.certificate
    assert shown.stat().st_mode & 0o777 == 0o600
    on_1 = tls_of(replace(desk.who, ladder=Ladder.PASSWORD, certificate=""), desk.folder)
    assert on_1 is not None
    assert len(on_1.get_ca_certs()) == len(on_2.get_ca_certs()) == 1
    on_0 = replace(desk.who, ladder=Ladder.LOOPBACK, broker_host=HERE)
    assert tls_of(on_0, desk.folder) is None


@pytest.mark.parametrize("host", ["broker.example", "10.0.0.7", "0.0.0.0", "::2"])  # noqa: S104 - refused
def test_the_lowest_step_stays_within_this_machine(desk: Desk, host):
    who = replace(desk.who, ladder=Ladder.LOOPBACK, broker_host=host)
    with pytest.raises(BrokerIsUnprotected, match="ladder"):
        tls_of(who, desk.folder)


def test_a_certificate_for_another_key_is_one_sentence(desk: Desk):
    (desk.folder / "terminal-key").unlink()
    a_key(desk.folder)
    with pytest.raises(CertificateIsUnusable):
        tls_of(desk.who, desk.folder)


def test_a_certificate_that_cannot_be_kept_is_one_sentence(desk: Desk):
    (desk.folder / CERTIFICATE_FILE).mkdir()
    with pytest.raises(CannotStart, match=CERTIFICATE_FILE):
        tls_of(desk.who, desk.folder)


@pytest.mark.parametrize("years", [-50, 50])
def test_no_clock_locks_a_pinned_terminal_out(tmp_path, years):
    clock = ClockInHand(now=MORNING_AT + years * 365 * DAY_SECONDS * 1000)
    authority, key = an_authority(tmp_path / "controller", clock), a_key(tmp_path / "pc")
    with serve(Pages(authority, an_answer(authority, key)), authority) as pages:
        pin = fingerprint_of(authority.pem)
        who = enrol(Asking(url=pages.url, code=CODE, hostname="pc", pin=pin), key)
    assert who.ladder is Ladder.CERTIFICATE
