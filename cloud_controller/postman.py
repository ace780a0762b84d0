"""Letters go out: what is due is written from the books of now, handed over, and noted.

What was handed over and not noted, because we were killed in between, is handed over once more
under the same Message-ID, by which mail programs know it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from cloud_controller.flows import letters
from cloud_controller.flows.letters import Letter
from cloud_controller.ports import Books, Clock
from cloud_controller.settings import MailSettings
from cloud_controller.smtp import (
    Enclosure,
    LetterIsRefused,
    Line,
    Mail,
    MailServer,
    MailServerIsAway,
    is_final,
)
from cloud_controller.web.letters import Enclosed, LetterWriter, Written

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a letter is due: another process may have queued it."""

BATCH_MAX: Final = 20
"""Letters on one line to the server: fewer than servers bear at once."""

FORGET_SECONDS: Final = 3_600.0
"""How often old letters are looked through for what is to be forgotten."""

KEPT_DAYS: Final = 30
"""How long a letter's address and words are kept where no settings say."""

_DAY_SECONDS = 86_400


class Postman:
    """One loop that sends what is due; without a mail server it sets letters aside."""

    def __init__(
        self,
        books: Books,
        clock: Clock,
        *,
        server: MailServer | None,
        writer: LetterWriter,
        kept_days: int = KEPT_DAYS,
    ) -> None:
        """Take the books, the line out, and who writes; `run` is the loop."""
        self._books = books
        self._clock = clock
        self._server = server
        self._writer = writer
        self._kept_seconds = kept_days * _DAY_SECONDS
        self._forget_at = 0.0
        self._log = structlog.get_logger("postman")

    async def run(self) -> None:
        """Send what is due, for ever; a fault is logged and the work tried again."""
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - letters go on whatever one round met
                self._log.exception("letters could not be looked after")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do once what is due."""
        now = self._clock.steady_seconds()
        if now >= self._forget_at:
            self._forget_at = now + FORGET_SECONDS
            await self._books.transact(letters.forget, self._kept_seconds)
        if not await self._books.read(letters.is_due):
            return
        if self._server is None:
            await self._books.transact(letters.set_aside)
            return
        await self._send(
            self._server, await self._books.transact(letters.take, BATCH_MAX, self._server.domain)
        )

    async def _send(self, server: MailServer, taken: list[Letter]) -> None:
        """Hand over what was taken; what is left when the line breaks is put off."""
        left = list(taken)
        try:
            async with server.line() as line:
                while left:
                    await self._hand_over(line, left[0])
                    left.pop(0)
        except MailServerIsAway as fault:
            why = str(fault.facts["why"])
            self._log.warning("mail server away", why=why, letters=len(left))
            for letter in left:
                await self._books.transact(letters.note_failed, letter, why, is_final=False)

    async def _hand_over(self, line: Line, letter: Letter) -> None:
        try:
            written = await self._books.read(self._writer.write, letter)
        except Exception:  # noqa: BLE001 - those behind it go on
            self._log.exception("a letter could not be written", letter=letter.letter)
            await self._books.transact(letters.note_failed, letter, "not written", is_final=False)
            return
        if written is None:
            await self._books.transact(letters.withdraw, letter.letter)
            return
        try:
            await line.send(_mail(letter, written))
        except LetterIsRefused as fault:
            refusal, final = str(fault.facts["reply"]), is_final(fault)
            self._log.warning("letter refused", letter=letter.letter, reply=refusal, final=final)
            await self._books.transact(letters.note_failed, letter, refusal, is_final=final)
            return
        await self._books.transact(letters.note_sent, letter.letter)


def postman_for(
    mail: MailSettings | None, books: Books, clock: Clock, public_url: Callable[[], str]
) -> Postman:
    """Return the postman of these settings; `public_url` is asked when a letter is written.

    Raises:
        CannotStart: a file that the settings name cannot be read.
    """
    writer = LetterWriter(public_url)
    if mail is None:
        return Postman(books, clock, server=None, writer=writer)
    return Postman(books, clock, server=MailServer(mail), writer=writer, kept_days=mail.kept_days)


def _mail(letter: Letter, written: Written) -> Mail:
    return Mail(
        to=letter.to,
        subject=written.subject,
        text=written.text,
        html=written.html,
        message_id=letter.message_id,
        made_at=letter.made_at,
        language=written.language,
        enclosures=tuple(_enclosure(each) for each in written.enclosed),
    )


def _enclosure(enclosed: Enclosed) -> Enclosure:
    parameters = {"method": enclosed.method} if enclosed.method else {}
    return Enclosure(
        name=enclosed.name,
        media_type=enclosed.media_type,
        body=enclosed.body,
        cid=enclosed.cid,
        parameters=parameters,
    )
