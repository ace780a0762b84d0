"""A passkey lets in whoever has it, in a browser with an authenticator of its own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from playwright.async_api import Page, async_playwright
from prometheus_client import CollectorRegistry

from cloud_controller import proofs
from cloud_controller.flows.accounts import first_link
from cloud_controller.web.app import make_app, runner_of
from tests.rim.people_kit import NAME, PASSWORD, SIGN_IN
from tests.rim.test_web_operator import chromium
from tests.rim.web_kit import WebKit, web_kit


async def test_a_passkey_is_the_second_step_and_is_made_on_the_way_in(tmp_path: Path):
    async with named(tmp_path) as (kit, url), async_playwright() as play:
        made = await kit.store.books.transact(first_link, "tests")
        browser = await play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page(locale="en-US")
        await with_an_authenticator(page)
        await page.goto(f"{url}/operator/join/{made.link}")
        await page.get_by_label("Name").fill(NAME)
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_label("The same once more").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_label("What the passkey is called").fill("Laptop")
        await page.get_by_role("button", name="Make a passkey").click()
        await page.get_by_text("Passkey: Laptop").wait_for()
        await page.get_by_role("main").get_by_role("button", name="Sign out").click()
        await page.goto(url + SIGN_IN)
        await page.get_by_label("Name").fill(NAME)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("button", name="Use a passkey").click()
        await page.wait_for_url(f"{url}/operator")
        await browser.close()


def test_passkeys_are_only_where_browsers_know_them():
    for url in ("https://play.example", "https://play.example:8443", "http://localhost:8080"):
        assert proofs.may_have_passkeys(url)
    for url in ("http://play.example", "https://10.0.0.5", "http://127.0.0.1:8080", ""):
        assert not proofs.may_have_passkeys(url)


@asynccontextmanager
async def named(folder: Path) -> AsyncIterator[tuple[WebKit, str]]:
    """Serve a store's pages by a host's name, and say under which address."""
    async with web_kit(folder) as kit:
        door = socket.create_server(("127.0.0.1", 0))
        url = f"http://localhost:{door.getsockname()[1]}"
        parts = replace(kit.parts, public_url=url, registry=CollectorRegistry())
        runner = runner_of(make_app(parts))
        await runner.setup()
        await web.SockSite(runner, door).start()
        try:
            yield kit, url
        finally:
            await runner.cleanup()


async def with_an_authenticator(page: Page) -> None:
    """Give a page what keeps passkeys, and somebody who always says yes."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
