"""Where a webhook may go: each address a name leads to is looked at, and those alone connected to.

A name that was checked and then resolved again could lead elsewhere by then, so it never is.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from typing import Final

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override

from common.rules.hooks import is_public

ANSWER_SECONDS: Final = 15.0
"""How long an endpoint may take, from the first packet to its answer: what the standard advises."""

LINES_MAX: Final = 64
"""Lines that are open to all endpoints at once."""


class NotPublic(OSError):
    """The name leads to no public address."""


class PublicResolver(AbstractResolver):
    """Resolves names, and keeps back what is not of the public Internet."""

    def __init__(self, trusted: Collection[str]) -> None:
        """Take the hosts that may be anywhere; the settings name them."""
        self._trusted = trusted
        self._inner = ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where a host is, as far as anybody may be told there.

        Raises:
            NotPublic: it is nowhere else than in a network that is somebody's own.
            OSError: it is nowhere.
        """
        found = await self._inner.resolve(host, port, family)
        if host.lower() in self._trusted:
            return found
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise NotPublic
        return public

    @override
    async def close(self) -> None:
        """Nothing is held open."""
        await self._inner.close()


def session(trusted: Collection[str]) -> ClientSession:
    """Return what endpoints are told in: no cookies, no proxies, no names looked up twice."""
    connector = TCPConnector(
        resolver=PublicResolver(trusted), use_dns_cache=False, limit=LINES_MAX, force_close=True
    )
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=ANSWER_SECONDS),
    )
