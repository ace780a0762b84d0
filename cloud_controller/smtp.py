"""The line to a mail server: the only file that speaks SMTP, and that builds what it carries."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from cloud_controller.settings import MailSettings, MailTls
from common.errors import CannotStart, RusubanError

PASSWORD_BYTES_MAX: Final = 4_096
"""Bytes of the file with the password."""

SUBJECT_LENGTH_MAX: Final = 150
"""Characters of a subject: what a phone shows, and more."""

TOLD_MAX: Final = 200
"""Characters of why there is no line."""

FOR_GOOD: Final = 500
"""Codes from here on refuse for good; those below ask to try later."""


class MailServerIsAway(RusubanError):
    """No letter can be handed over now: {why}."""


class LetterIsRefused(RusubanError):
    """The mail server answers {reply} to this letter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosure:
    """A file that comes with a letter; one with a `cid` is shown in it."""

    name: str
    media_type: str
    body: bytes
    cid: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A letter as it is read, in words and in HTML."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    made_at: int
    language: str
    enclosures: tuple[Enclosure, ...] = ()


class MailServer:
    """A mail server that we may write to."""

    def __init__(self, settings: MailSettings) -> None:
        """Read the password and whom to trust; nothing is said yet.

        Raises:
            CannotStart: one of these files cannot be read.
        """
        self._settings = settings
        self._password = _password(settings.password_file)
        self._trusted = _trusting(settings)
        self.domain = settings.sender.partition("@")[2]

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Open a line to the server, for as many letters as there are.

        Raises:
            MailServerIsAway: it cannot be reached, hidden, or will not have us.
        """
        server = SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            timeout=self._settings.timeout_seconds,
            use_tls=self._settings.tls is MailTls.TLS,
            start_tls=self._settings.tls is MailTls.STARTTLS,
            tls_context=self._trusted,
            username=self._settings.user or None,
            password=self._password,
        )
        try:
            await server.connect()
        except (SMTPException, OSError, ValueError) as fault:
            server.close()
            raise MailServerIsAway(why=_told(fault)) from None
        try:
            yield Line(server, self._settings)
        finally:
            await _leave(server)


class Line:
    """An open line to a mail server."""

    def __init__(self, server: SMTP, settings: MailSettings) -> None:
        """Take the line."""
        self._server = server
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        """Hand a letter over; when this returns the server answers for it.

        Raises:
            LetterIsRefused: it takes this letter never, or not now; `is_final` says which.
            MailServerIsAway: the line broke, or the server takes nothing from us.
        """
        message = message_of(mail, self._settings)
        try:
            await self._server.send_message(
                message, sender=self._settings.sender, recipients=[mail.to]
            )
        except SMTPRecipientsRefused as fault:
            raise _refusal(fault.recipients[0].code) from None
        except SMTPSenderRefused as fault:
            raise MailServerIsAway(why=f"the sender is refused: {fault.code}") from None
        except SMTPResponseException as fault:
            raise _refusal(fault.code) from None
        except (SMTPException, OSError) as fault:
            raise MailServerIsAway(why=_told(fault)) from None


def is_final(refusal: LetterIsRefused) -> bool:
    """Say whether the server will never take this letter."""
    reply = refusal.facts["reply"]
    return isinstance(reply, int) and reply >= FOR_GOOD


def message_of(mail: Mail, settings: MailSettings) -> EmailMessage:
    """Return a letter as a message: text, HTML with its pictures, and what is enclosed.

    Nothing in it can end a header: addresses are checked, and words go through the library's policy
    after all that is no letter, digit or sign was taken out.
    """
    message = EmailMessage(policy=SMTP_LINES)
    message["From"] = Address(_in_one_line(settings.sender_name), addr_spec=settings.sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = _in_one_line(mail.subject)[:SUBJECT_LENGTH_MAX]
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.made_at // 1000, UTC))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers us
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    *_, page = message.iter_parts()
    for enclosure in mail.enclosures:
        main, _, sub = enclosure.media_type.partition("/")
        if enclosure.cid:
            page.add_related(
                enclosure.body,
                main,
                sub,
                cid=f"<{enclosure.cid}>",
                filename=enclosure.name,
                disposition="inline",
            )
        else:
            message.add_attachment(
                enclosure.body,
                main,
                sub,
                filename=enclosure.name,
                params=dict(enclosure.parameters),
            )
    message["Content-Language"] = mail.language  # last: what is enclosed moves such lines inwards
    return message


def _refusal(code: int) -> LetterIsRefused:
    return LetterIsRefused(reply=code)


def _told(fault: BaseException) -> str:
    """Return a fault in few words, and none of a server's own: they may repeat an address."""
    match fault:
        case SMTPResponseException():
            return f"{type(fault).__name__} {fault.code}"
        case SMTPConnectError():
            return f"{type(fault).__name__}: {fault}"[:TOLD_MAX]
        case _:
            return type(fault).__name__


async def _leave(server: SMTP) -> None:
    """Say goodbye; a server that does not listen any more is left all the same."""
    try:
        await server.quit()
    except (SMTPException, OSError):
        server.close()


def _in_one_line(words: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            return opened.read(PASSWORD_BYTES_MAX).decode().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotStart(why=f"the mail password {file}: {fault}") from None


def _trusting(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.tls is MailTls.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=settings.authority)
    except (OSError, ssl.SSLError) as fault:
        raise CannotStart(
            why=f"the mail server's authority {settings.authority}: {fault}"
        ) from None
