"""Who calls, and whether he may: the door asks here, before anything of a call is read.

Its law: whose store it is not hears that there is no such thing; whose role is too little hears so.
"""

from __future__ import annotations

import contextlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from cloud_controller.flows import accounts
from cloud_controller.flows.accounts import STORE_OF, Known
from cloud_controller.ports import NotFound, NotPermitted
from cloud_controller.web.faults import ForeignOrigin, NotSignedIn, ProofIsOld, SignInNeeded
from cloud_controller.web.routes import STRANGER, THE_TOKEN, Route, WebParts, Who
from common.errors import RusubanError
from common.rules.accounts import Operator, Permission

FRESH_SECONDS: Final = 600
"""How old the second step may be where somebody could give the rest away."""

READING: Final = frozenset({"GET", "HEAD"})


class Admission:
    """Lets callers in by what they show: a token, a session's cookie, or that a page is ours."""

    def __init__(self, parts: WebParts) -> None:
        """Remember where callers are known."""
        assert parts.operator_token, "an empty token would let everybody in"
        self._parts = parts

    async def admit(self, route: Route, request: web.Request) -> Known:
        """Return who calls a route that he may call.

        Raises:
            NotSignedIn, SignInNeeded, ProofIsOld: he has not shown who he is, or not lately.
            ForeignOrigin: another site's page has sent this.
            NotFound: it is about something that is not of his stores.
            NotPermitted: he may look there, but not do this.
        """
        if route.who is Who.OUR_PAGES and not is_from_our_pages(request, self._parts.public_url):
            raise ForeignOrigin
        if route.permission is None:
            return STRANGER
        known = await self._known(route, request)
        await self._permit(route.permission, route, known.operator, request)
        is_delicate = route.permission is Permission.OWN and route.method not in READING
        if is_delicate and is_stale(known, self._parts.clock.now_ms()):
            raise ProofIsOld
        if not known.is_seen:
            with contextlib.suppress(RusubanError):  # to look on is possible while nothing is noted
                await self._parts.books.transact(accounts.note_use, known)
        return known

    async def _known(self, route: Route, request: web.Request) -> Known:
        by_token = await self._by_token(bearer_of(request))
        if by_token is not None:
            return by_token
        if route.who is Who.OPERATOR:
            raise NotSignedIn
        known = await self.by_cookie(request)
        if known is None or not known.is_whole:
            raise SignInNeeded
        is_ours = request.method in READING or is_from_our_pages(request, self._parts.public_url)
        if not is_ours:
            raise ForeignOrigin
        return known

    async def by_cookie(self, request: web.Request) -> Known | None:
        """Return whose browser this is, also where it has shown the password alone."""
        key = request.cookies.get(session_cookie(self._parts.public_url), "")
        if not key:
            return None
        read = self._parts.books.read
        return await read(accounts.known_by_session, key, self._parts.lives)

    async def _by_token(self, token: str) -> Known | None:
        own = self._parts.operator_token
        if hmac.compare_digest(token.encode(errors="replace"), own.encode()):
            return Known(operator=THE_TOKEN, proved_at=self._parts.clock.now_ms())
        if not token.startswith(accounts.TOKEN_PREFIX):
            return None
        return await self._parts.books.read(accounts.known_by_token, token)

    async def _permit(
        self, permission: Permission, route: Route, operator: Operator, request: web.Request
    ) -> None:
        if operator.may(permission):
            return
        names = {name: value for name, value in request.match_info.items() if name in STORE_OF}
        if not names:
            is_told = route.by_store or asks_store(route)
            if not (is_told and operator.stores(permission)):
                raise NotPermitted
            return
        found = await self._parts.books.read(accounts.stores_of, names)
        for stores in found:
            check(operator, permission, stores)


def permit_asked(route: Route, operator: Operator, asked: object) -> None:
    """See that somebody may do this in the store that his query or body names.

    Raises:
        NotFound, NotPermitted: he may not, or names none and may not in every one.
    """
    permission = route.permission
    if permission is None or route.by_store or not asks_store(route) or operator.may(permission):
        return
    store = getattr(asked, "store", None)
    if not store:
        raise NotPermitted
    check(operator, permission, frozenset({store}))


def asks_store(route: Route) -> bool:
    """Say whether a route that names nothing in its path asks in which store."""
    is_in_path = any(f"{{{name}}}" in route.path for name in STORE_OF)
    return not is_in_path and route.asks is not None and "store" in route.asks.model_fields


def check(operator: Operator, permission: Permission, stores: frozenset[str]) -> None:
    """See that somebody may do such a thing in all of these stores.

    Raises:
        NotFound: he may not even look there, or there is no such store.
        NotPermitted: he may look there and no more.
    """
    if operator.may(permission):
        return
    if not stores or not all(operator.may(Permission.LOOK, store) for store in stores):
        raise NotFound(what="page")
    if not all(operator.may(permission, store) for store in stores):
        raise NotPermitted


def is_stale(known: Known, now: int) -> bool:
    """Say whether a person has to show the second step again before what is delicate."""
    return bool(known.session) and now - known.proved_at > FRESH_SECONDS * 1000


def session_cookie(public_url: str) -> str:
    """Return by which cookie a session is known; over TLS a browser takes it from us alone."""
    return "__Host-operator" if urlsplit(public_url).scheme == "https" else "operator"


def bearer_of(request: web.Request) -> str:
    """Return what is shown as a Bearer token, or nothing."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def is_from_our_pages(request: web.Request, public_url: str) -> bool:
    """Say whether the browser vouches that a page of ours sent this form."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    origin = _host_of(request.headers.get("Origin", ""))
    return origin is not None and origin in {request.host, _host_of(public_url)}


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).netloc or None
    except ValueError:
        return None
