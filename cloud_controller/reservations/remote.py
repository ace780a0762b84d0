"""The reservation port over HTTPS with certificates on both sides: a server on another machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from cloud_controller.bundle import Bundle
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken
from common.errors import RusubanError
from common.files import replace
from common.messages.reservations import (
    GiveBack,
    GivenBack,
    IssueAsked,
    Report,
    Reported,
    ReservationAsked,
    ReservationKept,
    StoreHeard,
    StoreSaid,
    TicketAsked,
    TicketFound,
    UseAsked,
)
from common.tls import trusting

PATH: Final = "/api/v1/peers/reservations/"

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0
"""How long the server may take to be reached, and to answer to the end."""

CONNECTIONS_MAX: Final = 8
"""Connections at once; what more is said waits for one of them."""

KEPT_SECONDS: Final = 60.0
"""How long a silent connection is kept, so that a scan waits for no handshake."""

ANSWER_BYTES_MAX: Final = 65_536

OK: Final = 200

Answer = TypeVar("Answer", bound=BaseModel)


class ReservationsAway(RusubanError):
    """Who keeps our reservations does not answer: {why}."""


class ReservationsRefuse(RusubanError):
    """Who keeps our reservations refuses with {status}: {refusal}."""


class RemoteReservations:
    """Asks a reservation server elsewhere; see `reservation_port.Reservations`."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        """Prepare to call the server; `async with` opens the line.

        Args:
            bundle: where it is, and who we are to it.
            folder: where our certificate and its key are kept for TLS to read.

        Raises:
            CannotStart: the bundle's authority, certificate or key is none.
        """
        self._url = bundle.url.rstrip("/") + PATH
        file = folder / "reservations.pem"
        replace(file, f"{bundle.certificate}\n{bundle.key}".encode())
        self._tls = trusting(bundle.authority, certificate=file)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the line; nobody is called yet."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=CONNECTIONS_MAX, keepalive_timeout=KEPT_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._http is not None:
            await self._http.close()

    async def issue(self, asked: IssueAsked) -> ReservationKept:
        """Book a time there."""
        return await self._ask("issue", asked, ReservationKept)

    async def look_up(self, asked: ReservationAsked) -> ReservationKept:
        """Return a reservation as it stands there."""
        return await self._ask("look-up", asked, ReservationKept)

    async def verify(self, asked: TicketAsked) -> TicketFound:
        """Hear what a ticket is for and why it would not open."""
        return await self._ask("verify", asked, TicketFound)

    async def mark_used(self, asked: UseAsked) -> TicketFound:
        """Take a ticket for a use, or hear why not."""
        return await self._ask("mark-used", asked, TicketFound)

    async def give_back(self, said: GiveBack) -> GivenBack:
        """Give a ticket back."""
        return await self._ask("give-back", said, GivenBack)

    async def report(self, report: Report) -> Reported:
        """Say what has become of tickets."""
        return await self._ask("report", report, Reported)

    async def cancel(self, asked: ReservationAsked) -> ReservationKept:
        """Give a reservation up there."""
        return await self._ask("cancel", asked, ReservationKept)

    async def tell_store(self, said: StoreSaid) -> StoreHeard:
        """Say what a store has and who of it is here."""
        return await self._ask("store", said, StoreHeard)

    async def _ask(self, method: str, said: BaseModel, shape: type[Answer]) -> Answer:
        """Return the answer to what is said.

        Raises:
            NotFound, NotAllowed, SlotIsTaken: the server's own words.
            ReservationsAway, ReservationsRefuse: there is no answer.
        """
        assert self._http is not None, "open the line before anything is said on it"
        body = said.model_dump_json().encode()
        headers = {"Content-Type": "application/json"}
        try:
            async with self._http.post(
                self._url + method, data=body, headers=headers, allow_redirects=False
            ) as response:
                text = await _whole(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise ReservationsAway(why=str(fault) or type(fault).__name__) from fault
        if response.status != OK:
            raise _refusal_in(response.status, text)
        try:
            return shape.model_validate_json(text)
        except ValidationError as fault:
            raise ReservationsAway(
                why=f"its answer is none: {fault.error_count()} faults"
            ) from None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(ANSWER_BYTES_MAX):
        text += chunk
        if len(text) > ANSWER_BYTES_MAX:
            raise ReservationsAway(why=f"it says more than {ANSWER_BYTES_MAX} bytes")
    return bytes(text)


def _refusal_in(status: int, text: bytes) -> RusubanError:
    """Return a refusal as the fault that it was on the other side."""
    try:
        said: Any = json.loads(text)
        code, detail = str(said["code"])[:40], str(said.get("detail", ""))[:300]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ReservationsRefuse(status=status, refusal="no code")
    known: Mapping[str, RusubanError] = {
        NotFound.code: NotFound(what="reservation"),
        NotAllowed.code: NotAllowed(why=detail),
        SlotIsTaken.code: SlotIsTaken(),
    }
    return known.get(code, ReservationsRefuse(status=status, refusal=code))
