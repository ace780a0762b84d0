"""Letters reach a real mail server: once, or again under the same name; and nothing hangs on it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from cloud_controller.flows import letters, reservations
from cloud_controller.ports import Problem, Transaction
from cloud_controller.settings import MailTls
from cloud_controller.smtp import Mail, message_of
from common.errors import CannotStart
from common.rules.letters import OF_PROBLEMS, LetterKind
from common.rules.problems import ProblemKind
from common.seals import ROTATES, read_token
from tests.fakes.store import HOUR_MS, MORNING_AT, StoreKit, store_kit
from tests.rim.mail_kit import (
    PASSWORD,
    URL,
    USER,
    Mailbox,
    certified,
    change,
    free_port,
    lets_in,
    mail_server,
    order_for,
    postman,
    problems,
    rows,
    settings_for,
)

KILLED = Path(__file__).parents[1] / "programs" / "postman.py"


async def booked(store: StoreKit, folder: Path, *, mail: str = "taro@mail.example") -> str:
    """Book a slot by mail and have it confirmed by a letter; return the ticket's link."""
    link = await store.book(await store.open(), MORNING_AT + HOUR_MS)
    order = order_for(folder, link, mail)
    change(folder, "UPDATE stores SET directions = '駅から三分。'")
    change(folder, "UPDATE tickets SET short_code = 'K7M2PQ9XTA'")
    await queued(store, LetterKind.CONFIRMED, order=order, to=mail)
    return link


async def queued(store: StoreKit, kind: LetterKind, **how: Any) -> None:
    how = {"to": "taro@mail.example", "language": "ja", **how}
    await store.books.transact(letters.queue, kind, **how)


async def a_problem(store: StoreKit) -> str:
    """Raise a problem, and return its id."""

    def raised(books: Transaction) -> str:
        books.raise_problem(Problem(kind=ProblemKind.PACKAGES_STALE, subject="lists", why="Old."))
        return str(next(iter(books.problems.latest(most=1)))["problem_id"])

    return str(await store.books.transact(raised))


def part(message: EmailMessage, media_type: str) -> Any:
    """Return the content of the first part of this kind."""
    found = next(each for each in message.walk() if each.get_content_type() == media_type)
    return found.get_payload(decode=True)


async def test_c2_a_letter_brings_the_ticket_its_code_its_calendar_entry_and_its_print(
    tmp_path: Path,
):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        with mail_server(mailbox) as port:
            link = await booked(store, tmp_path)
            await postman(store, settings_for(port)).look()
        token = (await store.books.read(reservations.ticket, link))["token"]
    (message,) = mailbox.taken
    assert message["To"] == "taro@mail.example"
    assert message["Subject"].startswith("ご予約を承りました")
    text, html = part(message, "text/plain").decode(), part(message, "text/html").decode()
    for words in (f"{URL}/t/{link}", "K7M2P Q9XTA", "駅から三分。", "10:00", "10:30", "ブース 1"):
        assert words in text
        assert words in html
    picture = Image.open(io.BytesIO(part(message, "image/png"))).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [token]
    (entry,) = icalendar.Calendar.from_ical(part(message, "text/calendar")).walk("VEVENT")
    assert entry["URL"] == f"{URL}/t/{link}"
    print_ = pypdfium2.PdfDocument(part(message, "application/pdf"))[0].render(scale=2).to_pil()
    assert [code.text for code in zxingcpp.read_barcodes(print_)] == [token]
    (cid,) = [each["Content-ID"] for each in message.walk() if each["Content-ID"]]
    assert f'src="cid:{cid.strip("<>")}"' in html
    assert [row["state"] for row in rows(tmp_path)] == ["sent"]


async def test_c1_a_letter_sends_whoever_has_a_code_that_changes_to_its_page(tmp_path: Path):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        with mail_server(mailbox) as port:
            link = await booked(store, tmp_path)
            token = (await store.books.read(reservations.ticket, link))["token"]
            rotating = replace(read_token(token).token, flags=ROTATES)
            text = store.keys.seal_token(rotating)
            change(tmp_path, f"UPDATE tickets SET token = '{text}'")  # noqa: S608 - our own token
            await postman(store, settings_for(port)).look()
    (message,) = mailbox.taken
    for kind in ("text/plain", "text/html"):
        assert "このチケットのコードは自動で変わります。" in part(message, kind).decode()
    assert "image/png" not in {each.get_content_type() for each in message.walk()}
    print_ = pypdfium2.PdfDocument(part(message, "application/pdf"))[0].render(scale=2).to_pil()
    assert not zxingcpp.read_barcodes(print_)


async def test_a_server_that_is_away_is_tried_again_until_it_is_back(tmp_path: Path):
    mailbox, port = Mailbox(), free_port()
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        ours = postman(store, settings_for(port))
        await ours.look()
        await ours.look()
        (row,) = rows(tmp_path)
        assert (row["state"], row["attempts"]) == ("queued", 1)
        store.clock.move(60)
        with mail_server(mailbox, port=port):
            await ours.look()
        assert len(mailbox.taken) == 1
        (row,) = rows(tmp_path)
        assert (row["state"], row["attempts"]) == ("sent", 2)
        assert row["message_id"] == mailbox.taken[0]["Message-ID"]


@pytest.mark.parametrize("where", ["answers", "rcpt_answers"])
async def test_what_is_put_off_by_a_4xx_comes_later_and_once(tmp_path: Path, where: str):
    mailbox = Mailbox()
    setattr(mailbox, where, ["451 come back later", "452 later still"])
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        with mail_server(mailbox) as port:
            ours = postman(store, settings_for(port))
            for _ in range(4):
                await ours.look()
                store.clock.move(600)
        assert len(mailbox.taken) == 1
        (row,) = rows(tmp_path)
        assert (row["state"], row["attempts"]) == ("sent", 3)
        assert problems(tmp_path) == []


@pytest.mark.parametrize("where", ["answers", "rcpt_answers"])
async def test_what_is_refused_by_a_5xx_is_not_said_again_and_keeps_nobody_waiting(
    tmp_path: Path, where: str
):
    mailbox = Mailbox()
    setattr(mailbox, where, ["550 <taro@mail.example> is nobody here"])
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        store.clock.move(1)
        await queued(store, LetterKind.REFUNDED, facts={"cents": 500, "currency": "JPY"})
        with mail_server(mailbox) as port:
            ours = postman(store, settings_for(port))
            for _ in range(3):
                await ours.look()
                store.clock.move(600)
        first, second = rows(tmp_path)
        assert (first["state"], first["refusal"], second["state"]) == ("failed", "550", "sent")
        assert problems(tmp_path) == [("letter_refused", first["letter_id"])]
        assert len(mailbox.taken) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # it cannot tell TLS from the first byte
@pytest.mark.parametrize("tls", [MailTls.TLS, MailTls.STARTTLS])
async def test_over_tls_a_letter_goes_only_to_who_was_certified_with_name_and_password(
    tmp_path: Path, tls: MailTls
):
    mailbox = Mailbox()
    trusted, shown = certified(tmp_path)
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    how: dict[str, Any] = {"authenticator": lets_in, "auth_required": True}
    how |= (
        {"ssl_context": shown, "auth_require_tls": False}
        if tls is MailTls.TLS
        else {"tls_context": shown, "require_starttls": True}
    )
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        with mail_server(mailbox, **how) as port:
            known = {"tls": tls, "user": USER, "password_file": password}
            stranger = postman(store, settings_for(port, **known))
            await stranger.look()
            assert mailbox.taken == []
            store.clock.move(60)
            await postman(store, settings_for(port, authority=trusted, **known)).look()
            assert len(mailbox.taken) == 1
            store.clock.move(60)
            await queued(store, LetterKind.RECEIPT)
            password.write_text("another")
            await postman(store, settings_for(port, authority=trusted, **known)).look()
        assert len(mailbox.taken) == 1
        assert [row["state"] for row in rows(tmp_path)] == ["sent", "queued"]


async def test_a_server_without_starttls_is_told_nothing(tmp_path: Path):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        with mail_server(mailbox) as port:
            await postman(store, settings_for(port, tls=MailTls.STARTTLS)).look()
        assert mailbox.taken == []
        assert [row["state"] for row in rows(tmp_path)] == ["queued"]


async def test_killed_between_sending_and_noting_it_comes_twice_under_one_name(tmp_path: Path):
    running: list[subprocess.Popen[bytes]] = []
    mailbox = Mailbox(on_taken=lambda: os.kill(running[-1].pid, signal.SIGKILL))
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
    with mail_server(mailbox) as port:
        for now, kill in ((MORNING_AT, True), (MORNING_AT + 60_000, False)):
            if not kill:
                mailbox.on_taken = lambda: None
            command = [sys.executable, str(KILLED), str(tmp_path), str(port), str(now)]
            code = await asyncio.to_thread(_run, command, running)
            assert code == (-signal.SIGKILL if kill else 0)
    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"]
    (row,) = rows(tmp_path)
    assert (row["state"], row["attempts"]) == ("sent", 2)


async def test_a_server_that_never_answers_holds_up_nothing_for_long(tmp_path: Path):
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        with closing(_silent()) as door:
            settings = settings_for(door.getsockname()[1], timeout_seconds=1)
            async with asyncio.timeout(10):
                await postman(store, settings).look()
        (row,) = rows(tmp_path)
        assert (row["state"], row["attempts"]) == ("queued", 1)


async def test_without_a_mail_server_letters_are_set_aside_and_not_sent_when_there_is_one(
    tmp_path: Path,
):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        await postman(store, None).look()
        assert [row["state"] for row in rows(tmp_path)] == ["not_configured"]
        with mail_server(mailbox) as port:
            await postman(store, settings_for(port)).look()
        assert mailbox.taken == []


async def test_a_ticket_that_opens_nothing_any_more_is_not_sent(tmp_path: Path):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        link = await booked(store, tmp_path)
        await store.books.transact(reservations.cancel, link)
        with mail_server(mailbox) as port:
            await postman(store, settings_for(port)).look()
        assert mailbox.taken == []
        assert [row["state"] for row in rows(tmp_path)] == ["withdrawn"]


async def test_a_ticket_given_to_somebody_else_is_not_sent_to_whom_had_it(tmp_path: Path):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        await booked(store, tmp_path)
        change(tmp_path, "UPDATE reservations SET link = 'the-next-holder-s'")
        with mail_server(mailbox) as port:
            await postman(store, settings_for(port)).look()
        assert mailbox.taken == []


@pytest.mark.parametrize("language", ["ja", "en", "tlh"])
@pytest.mark.parametrize("kind", LetterKind)
async def test_every_letter_can_be_written_in_every_language(
    tmp_path: Path, kind: LetterKind, language: str
):
    mailbox = Mailbox()
    async with store_kit(tmp_path) as store:
        link = await store.book(await store.open(), MORNING_AT + HOUR_MS)
        order = order_for(tmp_path, link, "taro@mail.example")
        facts = {
            "cents": 1500,
            "currency": "JPY",
            "was_starts_at": MORNING_AT,
            "until_at": MORNING_AT + HOUR_MS,
            "path": "/w/abc",
        }
        if kind in OF_PROBLEMS:
            facts["problems"] = [await a_problem(store)]
        await queued(store, kind, order=order, language=language, facts=facts)
        if kind is LetterKind.CANCELLED:
            await store.books.transact(reservations.cancel, link)
        with mail_server(mailbox) as port:
            await postman(store, settings_for(port)).look()
    (message,) = mailbox.taken
    text = part(message, "text/plain").decode()
    assert message["Content-Language"] == (language if language != "tlh" else "en")
    assert "{" not in message["Subject"] + text
    if kind is LetterKind.CANCELLED:
        (entry,) = icalendar.Calendar.from_ical(part(message, "text/calendar")).walk("VEVENT")
        assert entry["STATUS"] == "CANCELLED"


@pytest.mark.parametrize(
    "nasty",
    ["a\r\nBcc: x@y.example", "a\nb", "a\x00b", "\u202ecod.exe", "x" * 2000, "=?utf-8?q?x?="],
)
def test_no_words_of_anybody_end_a_header(nasty: str):
    mail = Mail(
        to="a@b.example",
        subject=nasty,
        text=nasty,
        html=nasty,
        message_id="<l-1@play.example>",
        made_at=MORNING_AT,
        language="ja",
    )
    message = message_of(mail, settings_for(1, sender_name=nasty[:100]))
    head = message.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[:1] not in {" ", "\t"}]
    assert len(names) == len(set(names))
    assert not {name for name in names if name.lower() in {"bcc", "cc"}}


def test_a_password_that_cannot_be_read_is_one_sentence(tmp_path: Path):
    settings = settings_for(1, user="a", password_file=tmp_path / "nothing")
    with pytest.raises(CannotStart, match="the mail password"):
        postman(None, settings)  # type: ignore[arg-type] # it comes to no store


def _run(command: list[str], running: list[subprocess.Popen[bytes]]) -> int:
    running.append(subprocess.Popen(command))
    return running[-1].wait(20)


def _silent() -> Any:
    """Return a door that takes callers and never says a word."""
    door = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        try:
            while True:
                _kept.append(door.accept()[0])
        except OSError:
            return

    threading.Thread(target=take, daemon=True).start()
    return door


_kept: list[Any] = []
