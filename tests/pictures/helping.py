"""A customer and a helper, each at his own page, while they write with each other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rim.test_web_help import both
from tests.rim.views import Views, see
from tests.rim.web_kit import web_kit

TERMS = {
    "title_ja": "機器の使い方、トラブル",
    "title_en": "How things work, and what does not",
    "speaks_ja": "true",
    "speaks_en": "true",
    "price": "0",
    "currency": "JPY",
}


async def helping(folder: Path) -> Views:
    """Look at who is there, at a talk from both sides, and at a helper's desk."""
    async with web_kit(folder) as kit:
        here = await both(kit)
        await here.enter()
        await here.form("/helper/terms", **TERMS)
        (cookie,) = [each.value for each in kit.http.cookie_jar if each.key == "helper"]
        as_helper = {"Cookie": f"helper={cookie}"}
        yield see(kit, "who is there", f"/t/{here.link}/help")
        await here.choose()
        asked = {"text": "音が出ません。", "key": "a" * 32}
        await here.form(f"/t/{here.link}/help/say", **asked)
        yield see(kit, "a helper's desk", "/helper", headers=as_helper)
        talk = re.findall(r'href="(/helper/c/[^"]+)"', await here.page("/helper"))[0]
        answered = {"text": "机の左のつまみを右に回してみてください。", "key": "b" * 32}
        await here.form(f"{talk}/say", **answered)
        yield see(kit, "a talk", f"/t/{here.link}/help")
        yield see(kit, "a talk at the helper's", talk, headers=as_helper)
