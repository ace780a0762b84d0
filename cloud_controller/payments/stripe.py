"""Stripe Checkout over HTTPS: a hosted page is made and closed, money is given back, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import RusubanError

VERSION: Final = "2024-06-20"
"""The version of Stripe's API that this file speaks, whatever the account's own may be."""

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 20.0
"""How long Stripe may take to be reached, and to answer to the end."""

ANSWER_BYTES_MAX: Final = 1 << 20
"""Bytes of an answer; a hundred refunds have some hundred thousand."""

PAGE_SECONDS_MIN: Final = 1_860
PAGE_SECONDS_MAX: Final = 86_100
"""How long a page may live: Stripe takes half an hour to a day, and its clock is not ours."""

REFUNDS_MAX: Final = 100

_OK: Final = 200
_TRY_AGAIN: Final = frozenset({401, 403, 409, 429})
"""A key that is wrong is put right by the operator; the rest is a moment's."""


class ProviderIsAway(RusubanError):
    """Stripe does not answer as it should: {why}."""


class ProviderRefuses(RusubanError):
    """Stripe will not do it: {why}."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Page(_Told):
    id: Annotated[str, Field(min_length=1, max_length=255)]
    url: Annotated[str, Field(min_length=1, max_length=2_000)]


class _Refund(_Told):
    id: str
    status: str | None = None
    metadata: dict[str, str] = {}


class _Refunds(_Told):
    data: tuple[_Refund, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWanted:
    """A page on which a customer pays; `key` is its idempotency key."""

    key: str
    payment: str
    title: str
    cents: int
    currency: str
    made_at: int
    expires_at: int | None
    language: str
    mail: str
    return_url: str


class StripeCheckout:
    """One account with Stripe."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        """Take an open session; the key is said to nobody but this address."""
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}

    async def open(self, wanted: PageWanted) -> tuple[str, str]:
        """Make a page; return its name and its address. Said again, it is the same page.

        Raises:
            ProviderIsAway: it is not known whether it was made.
            ProviderRefuses: it was not.
        """
        form = {
            "mode": "payment",
            "client_reference_id": wanted.payment,
            "metadata[payment]": wanted.payment,
            "payment_intent_data[metadata][payment]": wanted.payment,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": wanted.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(wanted.cents),
            "line_items[0][price_data][product_data][name]": wanted.title,
            "expires_at": str(_page_ends(wanted)),
            "locale": wanted.language,
            "success_url": wanted.return_url,
            "cancel_url": wanted.return_url,
        }
        if wanted.mail:
            form["customer_email"] = wanted.mail
        said = await self._say("POST", "/v1/checkout/sessions", form, wanted.key)
        page = _read(_Page, said)
        return page.id, page.url

    async def close(self, ref: str, key: str) -> str:
        """Let nobody pay on a page any more; return what it came to: a paid page stays paid.

        Raises:
            ProviderIsAway: it is not known whether it is closed.
        """
        try:
            await self._say("POST", f"/v1/checkout/sessions/{ref}/expire", {}, key)
        except ProviderRefuses as fault:
            return str(fault)
        return "closed"

    async def refund(self, *, intent: str, payment: str, cents: int, key: str, tried: int) -> str:
        """Give a part of a payment back, once; return the refund's name.

        What was tried before is looked for first: the provider forgets keys after a day.

        Raises:
            ProviderIsAway: it is not known whether it was.
            ProviderRefuses: it was not.
        """
        if tried and (known := await self._known_refund(intent, key)):
            return _came_true(known)
        form = {
            "payment_intent": intent,
            "amount": str(cents),
            "metadata[call]": key,
            "metadata[payment]": payment,
        }
        return _came_true(_read(_Refund, await self._say("POST", "/v1/refunds", form, key)))

    async def _known_refund(self, intent: str, key: str) -> _Refund | None:
        query = {"payment_intent": intent, "limit": str(REFUNDS_MAX)}
        found = _read(_Refunds, await self._say("GET", "/v1/refunds", query))
        return next((each for each in found.data if each.metadata.get("call") == key), None)

    async def _say(self, method: str, path: str, fields: Mapping[str, str], key: str = "") -> bytes:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        what: dict[str, Any] = {"params" if method == "GET" else "data": fields}
        try:
            async with self._http.request(
                method, self._url + path, headers=headers, allow_redirects=False, **what
            ) as response:
                text = await _whole(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise ProviderIsAway(why=type(fault).__name__) from None
        if response.status == _OK:
            return text
        why = f"{response.status} {_code_in(text)}"
        if response.status in _TRY_AGAIN or not 400 <= response.status < 500:  # noqa: PLR2004 - HTTP
            raise ProviderIsAway(why=why)
        raise ProviderRefuses(why=why)


def session_for_stripe() -> aiohttp.ClientSession:
    """Return what calls Stripe; it keeps no cookie and waits for nothing without an end."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS),
    )


def _page_ends(wanted: PageWanted) -> int:
    """Return when a page ends by itself, in seconds; the same whenever it is asked for."""
    begin = wanted.made_at // 1000
    hold_ends = begin if wanted.expires_at is None else wanted.expires_at // 1000
    return min(max(hold_ends, begin + 2 * PAGE_SECONDS_MIN), begin + PAGE_SECONDS_MAX)


def _came_true(refund: _Refund) -> str:
    if refund.status in {"failed", "canceled"}:
        raise ProviderRefuses(why=f"refund {refund.id} {refund.status}")
    return refund.id


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        text += chunk
        if len(text) > ANSWER_BYTES_MAX:
            raise ProviderIsAway(why="it says too much")
    return bytes(text)


def _read(shape: type[Any], text: bytes) -> Any:  # noqa: ANN401 - of the shape that is asked for
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        raise ProviderIsAway(why="it says something else") from None


class _Fault(_Told):
    type: str = ""
    code: str | None = None


class _Refusal(_Told):
    error: _Fault


def _code_in(text: bytes) -> str:
    """Return the stable words of a refusal, and nothing that a person or a key is in."""
    try:
        fault = _Refusal.model_validate_json(text).error
    except ValidationError:
        return "no code"
    return f"{fault.type} {fault.code or ''}".strip()[:80]
