"""Somebody who signs in: a browser of his own, a password, an authenticator app."""

from __future__ import annotations

import re

import pyotp

from cloud_controller.flows.accounts import first_link
from tests.rim.web_kit import Answered, WebKit

OURS = {"Sec-Fetch-Site": "same-origin"}
NAME, PASSWORD = "Hana", "a long enough word"
SIGN_IN, SECOND = "/operator/sign-in", "/operator/sign-in/second"


class Person:
    """Somebody before a browser, with an authenticator app."""

    def __init__(self, kit: WebKit) -> None:
        self.kit = kit
        self.cookie = ""
        self.secret = ""

    @property
    def headers(self) -> dict[str, str]:
        """Return what his browser sends."""
        return {"Cookie": self.cookie, **OURS}

    async def get(self, path: str) -> Answered:
        return await self.kit.get(path, headers=self.headers)

    async def send(self, path: str, **form: str) -> Answered:
        answered = await self.kit.post(path, data=form or None, headers=self.headers)
        if "Set-Cookie" in answered.headers:
            self.cookie = answered.headers["Set-Cookie"].partition(";")[0]
            self.kit.http.cookie_jar.clear()  # each person has a browser of his own
        return answered

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.kit.store.clock.now_ms() // 1000)

    async def join(self) -> Answered:
        made = await self.kit.store.books.transact(first_link, "tests")
        form = {"name": NAME, "password": PASSWORD, "again": PASSWORD}
        await self.send(f"/operator/join/{made.link}", **form)
        page = (await self.get("/operator/prove")).text
        (secret,) = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)
        self.secret = secret.replace(" ", "")
        return await self.send("/operator/prove", code=self.code())

    async def password(self, password: str = PASSWORD, name: str = NAME) -> Answered:
        return await self.send(SIGN_IN, name=name, password=password)

    async def sign_in(self) -> Answered:
        self.kit.store.clock.move(60)
        await self.password()
        return await self.send(SECOND, code=self.code())
