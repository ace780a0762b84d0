"""The payment desk: tells the provider what is due until it is done, and reads its word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog

from cloud_controller.flows import payments
from cloud_controller.payments import webhook
from cloud_controller.payments.stripe import (
    PageWanted,
    ProviderIsAway,
    ProviderRefuses,
    StripeCheckout,
    session_for_stripe,
)
from cloud_controller.ports import Books, Clock, NotFound
from cloud_controller.settings import PaymentSettings, StripeSettings
from common.errors import CannotStart
from common.rules.payments import CallKind, Method, PaymentState, ProviderSaid, quote_in

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether something is to be said: another process may have decided it."""

SECRET_BYTES_MAX: Final = 1_000
LANGUAGES: Final = frozenset({"ja", "en"})
TITLE_MAX: Final = 200

Call = dict[str, Any]


class Desk:
    """Where customers pay: by a provider's page where there is an account, else not here."""

    def __init__(
        self,
        settings: PaymentSettings,
        books: Books,
        clock: Clock,
        return_url: Callable[[str], str],
    ) -> None:
        """Read the secrets; nobody is called yet.

        Args:
            settings: how customers pay.
            books: where payments are, and what is to be said of them.
            clock: by which a webhook's age is judged.
            return_url: where a customer comes back to, by the link of his order.

        Raises:
            CannotStart: a secret cannot be read.
        """
        self.methods: frozenset[Method] = settings.methods
        self._stripe = settings.stripe
        self._books, self._clock, self._return_url = books, clock, return_url
        self._key, self._secrets = _secrets_of(settings.stripe)
        self._http: aiohttp.ClientSession | None = None
        self._log = structlog.get_logger("payments")

    async def run(self) -> None:
        """Say what is due, for ever; a fault is logged and the work tried again."""
        while self._stripe is not None:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - what is due stays due whatever one round met
                self._log.exception("what is due could not be said")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Say what is due now, once."""
        for call in await self._books.read(payments.calls_due):
            await self._do(call)

    async def close(self) -> None:
        """Let go of the provider."""
        if self._http is not None:
            await self._http.close()

    @property
    def provider(self) -> Method | None:
        """Return by whom this controller is paid; None: what is due is settled outside."""
        return None if self._stripe is None else Method.STRIPE_CHECKOUT

    async def open_now(self, link: str) -> None:
        """See that the page is made on which an order is paid; see `ports.PaymentDesk`."""
        call = await self._books.read(payments.page_due, link)
        if call is not None and self._stripe is not None:
            await self._do(call)

    def read_word(self, body: bytes, signature: str) -> ProviderSaid | None:
        """Return a provider's signed word; see `ports.PaymentDesk`."""
        if self._stripe is None:
            raise NotFound(what="page")
        now_seconds = self._clock.now_ms() // 1000
        webhook.check(body, signature, self._secrets, now_seconds=now_seconds)
        return webhook.word_in(body)

    async def _do(self, call: Call) -> None:
        """Say one thing and note what came of it."""
        kind = CallKind(call["kind"])
        name, payment = call["call_id"], call["payment_id"]
        try:
            match kind:
                case CallKind.OPEN:
                    await self._open(call)
                case CallKind.CLOSE:
                    await self._close(call)
                case CallKind.REFUND:
                    await self._refund(call)
        except ProviderRefuses as fault:
            self._log.warning("refused", call=name, why=str(fault))
            await self._books.transact(payments.note_refused, name, payment, kind, str(fault))
        except ProviderIsAway as fault:
            self._log.warning("said again later", call=name, why=str(fault))
            tried = call["attempts"]
            await self._books.transact(
                payments.note_in_vain, name, payment, kind, attempts=tried, why=str(fault)
            )

    async def _open(self, call: Call) -> None:
        if call["payment_state"] != PaymentState.PENDING and not call["attempts"]:
            await self._books.transact(payments.note_closed, call["call_id"], "nobody waits")
            return
        titles = dict.fromkeys(line.title for line in quote_in(call["body"]).lines)
        wanted = PageWanted(
            key=call["call_id"],
            payment=call["payment_id"],
            title=", ".join(titles)[:TITLE_MAX],
            cents=call["due_cents"],
            currency=call["currency"],
            made_at=call["charged_at"],
            expires_at=call["expires_at"],
            language=call["language"] if call["language"] in LANGUAGES else "auto",
            mail=call["mail"],
            return_url=self._return_url(call["link"]),
        )
        ref, url = await self._provider().open(wanted)
        await self._books.transact(
            payments.note_opened, call["call_id"], call["payment_id"], ref, url
        )

    async def _close(self, call: Call) -> None:
        name, ref = call["call_id"], call["provider_ref"]
        if ref is None:
            opening = await self._books.read(payments.call_due, call["payment_id"], CallKind.OPEN)
            if opening is not None:
                raise ProviderIsAway(why="the page is not made yet")
            await self._books.transact(payments.note_closed, name, "there is no page")
            return
        detail = await self._provider().close(ref, name)
        await self._books.transact(payments.note_closed, name, detail)

    async def _refund(self, call: Call) -> None:
        if call["provider_intent"] is None:
            raise ProviderRefuses(why="it was not paid there")
        cents = call["cents"]
        refund = await self._provider().refund(
            intent=call["provider_intent"],
            payment=call["payment_id"],
            cents=cents,
            key=call["call_id"],
            tried=call["attempts"],
        )
        await self._books.transact(
            payments.note_refunded, call["call_id"], call["payment_id"], cents, refund
        )

    def _provider(self) -> StripeCheckout:
        assert self._stripe is not None, "only what has an account is called"
        if self._http is None:
            self._http = session_for_stripe()
        return StripeCheckout(self._http, self._stripe.url, self._key)


def _secrets_of(settings: StripeSettings | None) -> tuple[str, Sequence[str]]:
    if settings is None:
        return "", ()
    return _secret_in(settings.key_file), [
        _secret_in(file) for file in settings.webhook_secret_files
    ]


def _secret_in(file: Path) -> str:
    """Return a secret; it is never said in a fault.

    Raises:
        CannotStart: there is none.
    """
    try:
        with file.open(encoding="ascii") as opened:
            secret = opened.read(SECRET_BYTES_MAX).strip()
    except (OSError, UnicodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is not text"
        raise CannotStart(why=f"the secret {file}: {why}") from None
    if not secret or not secret.isprintable() or " " in secret:
        raise CannotStart(why=f"the secret {file}: it is not one line of text")
    return secret
