"""The broker over TLS: it proves itself, and lets in those whom its ladder asks, no others."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from cloud_controller.broker import AccountRole, BrokerSettings, EmbeddedBroker, remove_account
from cloud_controller.certificates import TERMINAL_LIFE, Authority
from common.mqtt import LossReason, Outcome
from common.rules.enrolment import Ladder
from common.system import SystemClock, SystemNames
from common.tls import trusting
from tests.rim.broker_kit import CONTROLLER, Office, Papers, Person, office
from tests.rim.test_broker import EVERYTHING_UP, reach, topics_down
from tests.waiting import until

FLOOD = 5_000
PAYLOAD_BYTES_MAX = 60 * 1024

OVER_TLS = pytest.mark.parametrize(
    "ladder", [Ladder.PASSWORD, Ladder.CERTIFICATE], ids=lambda ladder: ladder.name.lower()
)


class LongAgo(SystemClock):
    """Shows what the time was when certificates were made that have just expired."""

    @override
    def now_ms(self) -> int:
        return super().now_ms() - round(TERMINAL_LIFE.total_seconds() + 60) * 1_000


def knock(
    desk: Office, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession | None, str] | None:
    """Come with a certificate and go; return the session and what was shown, None if refused."""
    here = (desk.broker.own_host, desk.broker.port)
    with (
        socket.create_connection(here, timeout=5) as bare,
        context.wrap_socket(bare, server_hostname=here[0], session=session) as opened,
    ):
        try:
            opened.sendall(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00")
            let_in = opened.recv(1) == b"\x20"
        except OSError:
            return None
        shown = opened.getpeercert()
        assert shown is not None
        return (opened.session, str(shown["serialNumber"])) if let_in else None


async def is_let_in(desk: Office, context: ssl.SSLContext) -> bool:
    return await asyncio.to_thread(knock, desk, context) is not None


async def until_refused(desk: Office, context: ssl.SSLContext) -> None:
    async with asyncio.timeout(5):
        while await is_let_in(desk, context):
            pass


async def take_back(desk: Office, *serials: str) -> None:
    """Revoke these certificates and no others."""
    assert desk.papers.authority.take_back(dict.fromkeys(serials, SystemClock().now_ms()))
    await desk.broker.reload()


@OVER_TLS
async def test_words_go_there_and_back(tmp_path, ladder):
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER, filters=EVERYTHING_UP) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as terminal,
    ):
        assert await terminal.says("rusuban/v1/t-1/service/up/events", b"up") is Outcome.OK
        await until(lambda: controller.heard() == [b"up"])
        await reach(controller, "t-1")
        await until(lambda: terminal.heard() == [b"service", b"gate"])


@OVER_TLS
async def test_a_flood_both_ways_loses_nothing_and_keeps_its_order(tmp_path, ladder, seed):
    dice = random.Random(seed)
    flood = [dice.randbytes(int(PAYLOAD_BYTES_MAX ** dice.random())) for _ in range(FLOOD)]
    flood[0] = dice.randbytes(PAYLOAD_BYTES_MAX)
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER, filters=EVERYTHING_UP) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as terminal,
    ):
        async with asyncio.TaskGroup() as group:
            for person, topic in (
                (terminal, "rusuban/v1/t-1/service/up/events"),
                (controller, "rusuban/v1/t-1/service/down/desired"),
            ):
                group.create_task(says_all(person, topic, flood), name=topic)
        await until(lambda: len(controller.messages) == len(terminal.messages) == FLOOD, seconds=25)
        assert controller.heard() == terminal.heard() == flood
        assert controller.losses == terminal.losses == []


async def says_all(person: Person, topic: str, payloads: Sequence[bytes]) -> None:
    for payload in payloads:
        while person.link.publish(topic, payload, 1) is None:  # noqa: ASYNC110 - a window calls nobody
            await asyncio.sleep(0.001)


@OVER_TLS
async def test_nobody_speaks_in_the_clear(tmp_path, ladder):
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1", tls=None) as terminal,
    ):
        assert terminal.sessions == []
        assert set(terminal.losses) == {LossReason.NETWORK}, "however often it has tried"


async def test_an_older_tls_is_not_spoken(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with office(tmp_path, ladder=Ladder.PASSWORD) as desk:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await asyncio.to_thread(knock, desk, context)


async def test_a_password_is_still_asked_for_over_tls(tmp_path):
    async with (
        office(tmp_path, ladder=Ladder.PASSWORD, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1", password="a guess") as guesser,  # noqa: S106 - a wrong one
    ):
        assert guesser.losses == [LossReason.NOT_AUTHORISED]


async def test_a_broker_of_another_authority_is_told_nothing(tmp_path):
    other = Authority(tmp_path / "other", SystemClock(), SystemNames())
    async with (
        office(tmp_path, ladder=Ladder.PASSWORD, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1", tls=trusting(other.pem)) as terminal,
    ):
        assert terminal.sessions == []
        assert "CERTIFICATE_VERIFY_FAILED" in str(terminal.faults[0])


async def test_a_broker_called_by_a_name_it_was_not_certified_for_is_told_nothing(tmp_path):
    async with (
        office(tmp_path, ladder=Ladder.PASSWORD, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1", host="localhost") as terminal,
    ):
        assert terminal.sessions == []
        assert "Hostname mismatch" in str(terminal.faults[0])


async def test_a_certificate_is_asked_for(tmp_path):
    async with office(tmp_path, ladder=Ladder.CERTIFICATE, t_1=AccountRole.SERVICE) as desk:
        assert not await is_let_in(desk, trusting(desk.papers.authority.pem))
        assert await is_let_in(desk, desk.papers.context("t-1"))


async def test_only_a_live_certificate_of_our_own_for_one_who_calls_opens(tmp_path):
    async with office(tmp_path, ladder=Ladder.CERTIFICATE, t_1=AccountRole.SERVICE) as desk:
        papers = desk.papers
        expired = Authority(tmp_path / "keys", LongAgo(), SystemNames())
        another = Authority(tmp_path / "other", SystemClock(), SystemNames())
        the_brokers = (papers.files.certificate, papers.files.key)
        for files in (
            papers.certified("t-1", by=expired),
            papers.certified("t-1", by=another),
            the_brokers,
        ):
            context = trusting(papers.authority.pem, certificate=files[0], key=files[1])
            assert not await is_let_in(desk, context)


async def test_the_controllers_own_certificate_opens_its_account(tmp_path):
    async with office(tmp_path, ladder=Ladder.CERTIFICATE) as desk:
        own = desk.papers.authority.certify_self(CONTROLLER)
        tls = trusting(desk.papers.authority.pem, certificate=own.certificate, key=own.key)
        async with Person(desk, CONTROLLER, tls=tls) as controller:
            order = remove_account("t-1")
            assert await controller.says(order.topic, order.payload) is not Outcome.NOT_AUTHORISED


async def test_a_certificate_speaks_as_nobody_else_whatever_it_says(tmp_path):
    async with (
        office(
            tmp_path,
            ladder=Ladder.CERTIFICATE,
            t_1=AccountRole.SERVICE,
            t_2=AccountRole.SERVICE,
        ) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-2", filters=topics_down("t-2")) as robbed,
    ):
        filters, own = topics_down("t-2"), desk.papers.context("t-1")
        async with Person(desk, "t-2", filters=filters, tls=own) as thief:  # t-2 by name and secret
            assert await thief.says("rusuban/v1/t-2/service/up/events") is Outcome.NOT_AUTHORISED
            assert (
                await thief.says("rusuban/v1/t-1/service/up/events") is not Outcome.NOT_AUTHORISED
            )
            await reach(controller, "t-2")
            await until(lambda: robbed.heard() == [b"service", b"gate"])
            assert thief.heard() == []
            assert robbed.losses == []


async def test_a_removed_account_with_a_good_certificate_hears_and_says_nothing(tmp_path):
    async with (
        office(tmp_path, ladder=Ladder.CERTIFICATE, t_1=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as removed,
    ):
        await controller.orders(remove_account("t-1"))
        await removed.is_there(times=2)
        await reach(controller, "t-1")
        for branch in ("gate/up/specification", "service/up/events"):
            assert await removed.says(f"rusuban/v1/t-1/{branch}") is Outcome.NOT_AUTHORISED
        assert removed.heard() == []


async def test_a_revoked_certificate_is_refused_and_everybody_else_comes_back(tmp_path):
    async with (
        office(
            tmp_path,
            ladder=Ladder.CERTIFICATE,
            t_1=AccountRole.SERVICE,
            t_2=AccountRole.SERVICE,
        ) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1") as revoked,
        Person(desk, "t-2") as other,
    ):
        watched = desk.papers.context("t-9")
        await take_back(desk, desk.papers.serials["t-1"], desk.papers.serials["t-9"])
        await until_refused(desk, watched)
        await until(lambda: len(revoked.losses) >= 3)
        assert revoked.sessions == [False]
        await until(lambda: len(other.sessions) == len(controller.sessions) == 2)
        assert other.sessions == [False, True], "the broker has kept what waits for it"
        assert await other.says("rusuban/v1/t-2/service/up/events") is not Outcome.NOT_AUTHORISED
        assert (desk.faults, desk.broker.restarts) == ([], 0)


async def test_who_is_away_while_it_reads_anew_comes_back_to_it(tmp_path):
    """Waiting sessions are what Debian's broker dies of when it reads anew without a restart."""
    async with office(tmp_path, ladder=Ladder.CERTIFICATE, t_1=AccountRole.SERVICE) as desk:
        for number in range(5):
            async with Person(desk, "t-1") as terminal:
                assert terminal.sessions == [number > 0]
            await desk.broker.reload()
        assert (desk.faults, desk.broker.restarts) == ([], 0)


async def test_what_is_revoked_in_the_same_second_is_revoked_too(tmp_path):
    async with office(tmp_path, ladder=Ladder.CERTIFICATE) as desk:
        serials = []
        for name in ("t-1", "t-2", "t-3"):
            context = desk.papers.context(name)
            assert await is_let_in(desk, context)
            serials.append(desk.papers.serials[name])
            await take_back(desk, *serials)
            await until_refused(desk, context)


async def test_a_ticket_of_tls_does_not_get_a_revoked_certificate_in(tmp_path):
    async with office(tmp_path, ladder=Ladder.CERTIFICATE) as desk:
        context, watched = desk.papers.context("t-1"), desk.papers.context("t-9")
        first = await asyncio.to_thread(knock, desk, context)
        assert first is not None
        assert first[0] is not None
        assert first[0].has_ticket
        assert await asyncio.to_thread(knock, desk, context, first[0]) is not None
        await take_back(desk, desk.papers.serials["t-1"], desk.papers.serials["t-9"])
        await until_refused(desk, watched)
        assert await asyncio.to_thread(knock, desk, context, first[0]) is None


async def test_a_renewed_certificate_is_shown_and_everybody_comes_back(tmp_path):
    async with (
        office(tmp_path, ladder=Ladder.CERTIFICATE, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1") as terminal,
    ):
        context = desk.papers.context("t-2")
        before = await asyncio.to_thread(knock, desk, context)
        assert before is not None
        assert desk.papers.authority.server_files(["127.0.0.1", "rusuban.example"]).is_new
        await desk.broker.reload()
        async with asyncio.timeout(5):
            while (now := await asyncio.to_thread(knock, desk, context)) and now[1] == before[1]:
                pass
        assert now is not None
        await until(lambda: terminal.sessions == [False, True])
        assert await terminal.says("rusuban/v1/t-1/service/up/events") is not Outcome.NOT_AUTHORISED
        assert desk.broker.restarts == 0


async def test_one_that_has_just_started_survives_a_reload(tmp_path):
    for number in range(5):
        async with office(tmp_path / str(number), ladder=Ladder.CERTIFICATE) as desk:
            await desk.broker.reload()
            assert await is_let_in(desk, desk.papers.context("t-1"))
            assert desk.broker.restarts == 0


async def test_a_broker_on_every_address_is_reached_by_its_controller_on_its_own(tmp_path):
    papers = Papers(tmp_path, Ladder.PASSWORD)
    settings = BrokerSettings(
        folder=tmp_path / "broker",
        host="0.0.0.0",  # noqa: S104 - what a store's controller has
        ladder=Ladder.PASSWORD,
        tls=papers.files,
    )
    broker = EmbeddedBroker(settings, accounts=nobody, report=print)
    await broker.start()
    desk = Office(broker=broker, accounts=[], papers=papers)
    try:
        assert broker.own_host == "127.0.0.1"
        async with Person(desk, "t-1") as unknown:
            assert unknown.losses == [LossReason.NOT_AUTHORISED]  # so TLS is spoken, and MQTT
    finally:
        await broker.stop()


async def nobody():
    return []


def test_the_brokers_files_are_for_our_eyes_only(tmp_path: Path):
    files = Papers(tmp_path, Ladder.CERTIFICATE).files
    for file in (files.certificate, files.key, files.authority, files.revoked):
        assert file.stat().st_mode & 0o077 == 0
