"""E4-E6: a helper enters by his link, logs in, is chosen on a ticket's page, talks, and leaves."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import async_playwright

from common.rules.help import LEASE_SECONDS, CallEnd
from tests.fakes.playing import fail, run
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.rim.mail_kit import change
from tests.rim.test_web_browser import PHONE
from tests.rim.web_kit import WebKit, web_kit

NOBODY = "0" * 32


WORDED = """UPDATE offerings SET texts = '{"en": {"title": "Headset", "content": ""}}'"""


@dataclass(frozen=True, kw_only=True)
class Both:
    """A ticket, and a helper's link to the same store."""

    kit: WebKit
    link: str
    helper: str
    way_in: str

    async def form(self, path: str, **fields: str) -> int:
        """Send a form of our own pages; return the status of its answer."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        return (await self.kit.post(path, data=fields, headers=headers)).status

    async def enter(self) -> None:
        assert await self.form(self.way_in) == 303
        assert await self.form("/helper/state", is_on="true") == 303

    async def page(self, path: str = "") -> str:
        return (await self.kit.get(path or f"/t/{self.link}/help")).text

    async def choose(self) -> int:
        text = await self.page()
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
        return await self.form(f"/t/{self.link}/help/choose", **fields)


async def both(kit: WebKit) -> Both:
    opened = await kit.store.open(Offer(devices=1))
    link = await kit.store.book(opened, MORNING_AT)
    kit.store.clock.move(60)
    await kit.store.books.transact(run, link, opened.terminal)
    stores = (await kit.get("/api/v1/stores")).json["stores"]
    made = await kit.told("/api/v1/helpers", {"name": "Aoi", "stores": [stores[0]["store"]]})
    assert made.status == 201
    way_in = made.json["url"].removeprefix(kit.url)
    return Both(kit=kit, link=link, helper=made.json["helper"], way_in=way_in)


async def test_e6_only_a_helper_who_is_there_is_offered_and_can_be_chosen(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await both(kit)
        assert "Nobody is there just now" in await here.page()
        assert "Welcome, Aoi" in await here.page(here.way_in)
        assert "Welcome, Aoi" in await here.page(here.way_in), "to look at a link spends nothing"
        await here.enter()
        assert (await kit.get(here.way_in)).status == 303, "his own browser is led to his desk"
        assert (await here.form(here.way_in)) == 303, "and so is whoever touches twice"
        assert "Call Aoi" in await here.page()
        answer = await kit.post("/helper/here", data={}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.json["is_on"]
        kit.store.clock.move(LEASE_SECONDS)
        assert "Call Aoi" not in await here.page(), "his page is silent"
        kit.http.cookie_jar.clear()
        assert (await kit.get(here.way_in)).status == 404, "another browser finds it spent"


async def test_e6_a_price_is_seen_before_it_is_agreed_to_and_kept_with_the_call(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await both(kit)
        await here.enter()
        assert await here.form("/helper/terms", title_en="Controls", price="300") == 303
        too_much = {"title_en": "Controls", "price": "99999999", "currency": "USD"}
        assert await here.form("/helper/terms", **too_much) == 422, "more than a screen is told"
        assert "Call Aoi for ¥300" in await here.page()
        free = {"helper": here.helper, "price_cents": "0", "currency": "JPY", "key": "k" * 32}
        await here.form(f"/t/{here.link}/help/choose", **free)
        assert "The price has changed" in await here.page()
        kit.store.clock.move(1)
        assert await here.choose() == 303
        assert "You have agreed to ¥300" in await here.page()
        told = await kit.told("/api/v1/calls")
        latest, refused = told.json["calls"]
        assert (latest["state"], latest["price_cents"]) == ("waiting", 300)
        assert (refused["state"], refused["why"]) == ("ended", CallEnd.PRICE_CHANGED)


async def test_e5_both_write_and_the_helper_sees_how_it_stands_with_the_booth(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await both(kit)
        await here.enter()
        await here.choose()
        for _ in range(2):
            line = {"text": "It does not\r\nmove", "key": "a" * 32}
            await here.form(f"/t/{here.link}/help/say", **line)
        desk = await here.page("/helper")
        assert "Waiting for you · 1 new" in desk, "a form sent twice says it once"
        path = re.findall(r'href="(/helper/c/[^"]+)"', desk)[0]
        change(tmp_path, WORDED)
        talk = await here.page(path)
        assert "It does not\nmove" in talk
        for fact in ("in use", "29 min", "¥1,500", "Booth 1", "English", "Headset"):
            assert fact in talk
        assert await here.form(f"{path}/say", text="<b>Hold the button</b>", key="b" * 32) == 303
        seen = await here.page()
        assert "&lt;b&gt;Hold the button&lt;/b&gt;" in seen
        assert "Aoi is there" in seen
        await kit.store.books.transact(fail, here.link)
        way_back = f'href="/t/{here.link}/help"'
        assert way_back in await here.page(f"/t/{here.link}"), "the use is over, the talk is not"
        assert await here.form(f"{path}/end") == 303
        assert "Your helper has ended the call." in await here.page()
        assert way_back not in await here.page(f"/t/{here.link}")
        call = path.rpartition("/")[2]
        said = (await kit.told(f"/api/v1/calls/{call}")).json["said"]
        assert [line["by"] for line in said] == ["customer", "helper"]


async def test_a_helpers_pages_open_in_his_own_browser_alone(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await both(kit)
        for path in ("/helper", "/helper/c/w-1"):
            assert (await kit.get(path)).status == 403
        for path in ("/helper/state", "/helper/terms", "/helper/here", "/helper/c/w-1/end"):
            fields = {"is_on": "true"} if path.endswith("state") else {}
            assert await here.form(path, **fields) == 404
        await here.enter()
        await here.choose()
        cookie = next(each for each in kit.http.cookie_jar if each.key == "helper")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (
            True,
            "Strict",
            "/helper",
        )
        assert (await kit.get("/helper/c/w-none")).status == 404
        foreign = {"Sec-Fetch-Site": "cross-site"}  # whoever knows the cookie sends it along
        answer = await kit.post("/helper/state", data={"is_on": "false"}, headers=foreign)
        assert answer.status == 403
        removed = await kit.told(f"/api/v1/helpers/{here.helper}", method="DELETE")
        assert removed.status == 200
        assert (await kit.get("/helper")).status == 403
        assert CallEnd.HELPER_GONE in (await kit.told("/api/v1/calls")).text


async def test_what_no_ticket_opens_calls_nobody(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await both(kit)
        await here.enter()
        assert (await kit.get(f"/t/{NOBODY}/help")).status == 404
        wish = {"helper": here.helper, "price_cents": "0", "currency": "JPY", "key": "k" * 32}
        assert await here.form(f"/t/{NOBODY}/help/choose", **wish) == 404
        assert await here.form(f"/t/{NOBODY}/help/say", text="x", key="k" * 32) == 404
        assert await here.form(f"/t/{NOBODY}/help/leave") == 404
        assert (await kit.told("/api/v1/calls")).json["calls"] == []
        kit.store.clock.move(2 * 24 * HOUR_MS / 1000)
        assert "nobody can be called with it any more" in await here.page()


async def test_e6_a_helper_and_a_customer_talk_in_two_browsers_until_one_leaves(tmp_path: Path):
    program = shutil.which("chromium")
    async with web_kit(tmp_path) as kit, async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        here = await both(kit)
        desk, phone = [
            await (await browser.new_context(viewport=PHONE, locale="en-US")).new_page()
            for _ in range(2)
        ]
        complaints: list[str] = []
        for side in (desk, phone):
            side.on("pageerror", lambda fault: complaints.append(str(fault)))
        await phone.goto(f"{kit.url}/t/{here.link}/help")
        await desk.goto(kit.url + here.way_in)
        await desk.get_by_role("button", name="Use this browser").click()
        await desk.get_by_role("button", name="Log in").click()
        await phone.get_by_role("button", name="Call Aoi").click()
        await phone.get_by_label("Write here").fill("Which button?")
        await phone.keyboard.press("Enter")
        await desk.get_by_text("Which button?").click()
        await desk.get_by_label("Write to the customer").fill("The left one")
        await desk.get_by_role("button", name="Send").click()
        await phone.get_by_text("The left one").wait_for()
        await phone.get_by_text("Aoi is there").wait_for()
        await desk.get_by_role("link", name="All customers").click()
        await desk.get_by_role("button", name="Log out").click()
        await phone.get_by_text("Your helper is no longer there.").wait_for()
        await phone.get_by_text("Nobody is there just now").wait_for()
        assert complaints == []
        await browser.close()
