"""A server that speaks Stripe's API as far as we use it: idempotent, hosted pages, signed words.

What it answers and says follows Stripe's own documentation: an idempotency key gives the first
answer again, also a fault's, and another body under it is refused; a second call while the first is
under way is a conflict; a page that was paid cannot expire and one that expired cannot be paid.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

KEY = "sk_test_" + "k" * 24
SECRET = "whsec_" + "s" * 24
OLDER_SECRET = "whsec_" + "o" * 24


@dataclass
class Stripe:
    """The account as the stub knows it, and what a test may do to it.

    Attributes:
        faults: what becomes of the next calls, one each: `500`, `409`, `down` before it is done;
            `lost` is done, but the answer is not heard; `slow` is answered late.
    """

    url: str = ""
    webhook_url: str = ""
    now: int = 1_800_000_000
    faults: deque[str] = field(default_factory=deque)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    answered: dict[str, tuple[str, int, Any]] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    slow_seconds: float = 0.0

    def name(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}_{self.counts[prefix]}"

    # --- What a customer does on the page.

    def pay(self, page: str, *, later: bool = False) -> dict[str, Any]:
        """Pay on a page; return the event that Stripe says of it."""
        session = self.pages[page]
        assert session["status"] == "open", f"{page} is {session['status']}"
        session["status"] = "complete"
        session["payment_intent"] = self.name("pi")
        if not later:
            self._charge(session)
        return self.event("checkout.session.completed", session)

    def pay_at_last(self, page: str) -> dict[str, Any]:
        """Let the money of a page arrive that was paid by transfer."""
        self._charge(self.pages[page])
        return self.event("checkout.session.async_payment_succeeded", self.pages[page])

    def fail_at_last(self, page: str) -> dict[str, Any]:
        return self.event("checkout.session.async_payment_failed", self.pages[page])

    def expire(self, page: str) -> dict[str, Any]:
        self.pages[page]["status"] = "expired"
        return self.event("checkout.session.expired", self.pages[page])

    def give_back(self, page: str, cents: int) -> dict[str, Any]:
        """Give money back on Stripe's own page."""
        charge = self.charge_of(page)
        charge["amount_refunded"] += cents
        return self.event("charge.refunded", charge)

    def dispute(self, page: str, kind: str = "charge.dispute.created") -> dict[str, Any]:
        charge = self.charge_of(page)
        about = {
            "id": f"dp_of_{charge['id']}",
            "object": "dispute",
            "charge": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": charge["amount"],
            "currency": charge["currency"],
        }
        return self.event(kind, about)

    def bounce(self, refund: dict[str, Any]) -> dict[str, Any]:
        refund["status"] = "failed"
        return self.event("refund.failed", refund)

    def charge_of(self, page: str) -> dict[str, Any]:
        intent = self.pages[page]["payment_intent"]
        return next(each for each in self.charges.values() if each["payment_intent"] == intent)

    def refunded_cents(self) -> int:
        return sum(each["amount"] for each in self.refunds if each["status"] == "succeeded")

    def event(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self.name("evt"),
            "object": "event",
            "type": kind,
            "created": self.now,
            "livemode": False,
            "data": {"object": json.loads(json.dumps(about))},
        }

    async def send(
        self,
        http: aiohttp.ClientSession,
        event: dict[str, Any],
        *,
        secrets: tuple[str, ...] = (SECRET,),
        signed_at: int | None = None,
        tamper: bytes = b"",
    ) -> int:
        """Say an event to the webhook, signed as Stripe signs; return what it is answered."""
        body = json.dumps(event, indent=2).encode()
        header = signature(body, secrets, self.now if signed_at is None else signed_at)
        async with http.post(
            self.webhook_url,
            data=body + tamper,
            headers={"Stripe-Signature": header, "Content-Type": "application/json"},
        ) as response:
            return response.status

    def _charge(self, session: dict[str, Any]) -> None:
        session["payment_status"] = "paid"
        charge = self.name("ch")
        self.charges[charge] = {
            "id": charge,
            "object": "charge",
            "payment_intent": session["payment_intent"],
            "amount": session["amount_total"],
            "amount_refunded": 0,
            "currency": session["currency"],
            "metadata": dict(session["metadata"]),
        }

    # --- What a program calls.

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a call as Stripe does, after the fault that a test has put before it."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        key = request.headers.get("Idempotency-Key", "")
        self.calls.append((f"{request.method} {request.path}", form, key))
        fault = self.faults.popleft() if self.faults else ""
        if fault == "down":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "409" or key in self.under_way:
            return refusal(409, "idempotency_error", "idempotency_key_in_use")
        if fault == "500":
            return refusal(500, "api_error", None)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return refusal(401, "invalid_request_error", None)
        status, said = await self._once(request, form, key, fault)
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(said, status=status)

    async def _once(
        self, request: web.Request, form: dict[str, str], key: str, fault: str
    ) -> tuple[int, Any]:
        digest = json.dumps([request.method, request.path, sorted(form.items())])
        if key in self.answered:
            before, status, said = self.answered[key]
            if before != digest:
                return 400, _fault("idempotency_error", None)
            return status, said
        self.under_way |= {key} if key else set()
        try:
            if fault == "slow":
                await asyncio.sleep(self.slow_seconds)
            status, said = self._do(request, form)
        finally:
            self.under_way.discard(key)
        if key:
            self.answered[key] = (digest, status, said)
        return status, said

    def _do(self, request: web.Request, form: dict[str, str]) -> tuple[int, Any]:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["v1", "checkout", "sessions"]:
                return self._make_page(form)
            case "POST", ["v1", "checkout", "sessions", page, "expire"]:
                return self._close_page(page)
            case "POST", ["v1", "refunds"]:
                return self._refund(form)
            case "GET", ["v1", "refunds"]:
                wanted = request.query["payment_intent"]
                found = [each for each in self.refunds if each["payment_intent"] == wanted]
                return 200, {"object": "list", "data": found}
            case _:
                return 404, _fault("invalid_request_error", None)

    def _make_page(self, form: dict[str, str]) -> tuple[int, Any]:
        lives_seconds = int(form["expires_at"]) - self.now
        if form["mode"] != "payment" or not 1800 <= lives_seconds <= 86_400:
            return 400, _fault("invalid_request_error", "parameter_invalid")
        price = "line_items[0][price_data]"
        amount = int(form[f"{price}[unit_amount]"]) * int(form["line_items[0][quantity]"])
        assert form[f"{price}[product_data][name]"]
        assert form["success_url"]
        page = self.name("cs_test")
        self.pages[page] = {
            "id": page,
            "object": "checkout.session",
            "client_reference_id": form["client_reference_id"],
            "metadata": {"payment": form["payment_intent_data[metadata][payment]"]},
            "amount_total": amount,
            "currency": form[f"{price}[currency]"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"{self.url}/pay/{page}",
            "expires_at": int(form["expires_at"]),
        }
        return 200, self.pages[page]

    def _close_page(self, page: str) -> tuple[int, Any]:
        session = self.pages.get(page)
        if session is None or session["status"] != "open":
            return 400, _fault("invalid_request_error", None)
        session["status"] = "expired"
        return 200, session

    def _refund(self, form: dict[str, str]) -> tuple[int, Any]:
        charge = next(
            (c for c in self.charges.values() if c["payment_intent"] == form["payment_intent"]),
            None,
        )
        cents = int(form["amount"])
        if charge is None or cents > charge["amount"] - charge["amount_refunded"]:
            return 400, _fault("invalid_request_error", "charge_already_refunded")
        charge["amount_refunded"] += cents
        names = ("call", "payment")
        self.refunds.append(
            {
                "id": self.name("re"),
                "object": "refund",
                "payment_intent": form["payment_intent"],
                "amount": cents,
                "currency": charge["currency"],
                "status": "succeeded",
                "metadata": {name: form[f"metadata[{name}]"] for name in names},
            }
        )
        return 200, self.refunds[-1]


def signature(body: bytes, secrets: tuple[str, ...], at: int) -> str:
    """Return `Stripe-Signature` for a body: one `v1` for each secret."""
    signed = f"{at}.".encode() + body
    good = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
    return ",".join([f"t={at}", *(f"v1={each}" for each in good), "v0=" + "0" * 64])


def refusal(status: int, kind: str, code: str | None) -> web.Response:
    return web.json_response(_fault(kind, code), status=status)


def _fault(kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "words for a person"}}


@asynccontextmanager
async def stripe_stub() -> AsyncIterator[Stripe]:
    """Serve the stub on a free port of this machine."""
    stub = Stripe()
    door = socket.create_server(("127.0.0.1", 0))
    stub.url = f"http://127.0.0.1:{door.getsockname()[1]}"
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, door).start()
    try:
        yield stub
    finally:
        await runner.cleanup()
