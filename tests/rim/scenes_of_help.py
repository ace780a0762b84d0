"""A helper and a customer: the page on which one is called, his desk, and what both say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cloud_controller.web.routes import HELPER
from tests.fakes.store import HOUR_MS
from tests.rim.test_web_help import Both, both
from tests.rim.views import Views, see
from tests.rim.web_kit import web_kit

LONG: Final = "それは" + "W" * 180 + " " + "長い文" * 60
"""Words without end, as somebody may write them."""


async def calling(folder: Path) -> Views:
    """A customer's side: nobody is there, somebody is, he is called, he answers, he leaves."""
    async with web_kit(folder) as kit:
        here = await both(kit)
        path = f"/t/{here.link}/help"
        yield see(kit, "nobody is there to help", path)
        await here.enter()
        await here.form("/helper/terms", title_en="Wheels", title_ja=LONG, price="300")
        yield see(kit, "somebody is there to help", path)
        await here.choose()
        yield see(kit, "a helper is called", path)
        await here.form(f"{path}/say", text=LONG, key="a" * 32)
        await here.form(f"{await call_of(here)}/say", text="Hold it.\nLonger.", key="b" * 32)
        yield see(kit, "a helper answers", path)
        await here.form(f"{path}/leave")
        yield see(kit, "a call that is over", path)
        kit.store.clock.move(48 * HOUR_MS / 1000)
        yield see(kit, "too late to call anybody", path)


async def desk(folder: Path) -> Views:
    """A helper's side: let in, logged in, called, talking, done."""
    async with web_kit(folder) as kit:
        here = await both(kit)
        strange = {HELPER: "0" * 32}
        yield see(kit, "a browser that is no helper's", "/helper", cookies=strange)
        yield see(kit, "a helper's way in", here.way_in)
        await here.form(here.way_in)
        own = {HELPER: next(each.value for each in kit.http.cookie_jar if each.key == HELPER)}
        yield see(kit, "a desk, logged out", "/helper", cookies=own)
        await here.form("/helper/state", is_on="true")
        yield see(kit, "a desk, logged in", "/helper", cookies=own)
        await here.choose()
        await here.form(f"/t/{here.link}/help/say", text=LONG, key="a" * 32)
        yield see(kit, "a desk with somebody who waits", "/helper", cookies=own)
        call = await call_of(here)
        yield see(kit, "a call that waits", call, cookies=own)
        await here.form(f"{call}/say", text="Hold it.\nLonger.", key="b" * 32)
        yield see(kit, "a call that is talked in", call, cookies=own)
        await here.form(f"{call}/end")
        yield see(kit, "a call that he has ended", call, cookies=own)


async def call_of(here: Both) -> str:
    """Return the path of the one call on the desk."""
    (path,) = re.findall(r'href="(/helper/c/[^"]+)"', await here.page("/helper"))
    return str(path)
