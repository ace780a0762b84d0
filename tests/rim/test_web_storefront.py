"""The storefront: what everybody sees of it, what is one viewer's own, and the way to a ticket."""

from __future__ import annotations

import re
from pathlib import Path

from cloud_controller.web.language import Languages
from cloud_controller.web.pages.cards import cards
from cloud_controller.web.pages.render import Pages
from tests.fakes.store import MINUTE_MS, MORNING_AT, Offer
from tests.rim.test_web_pages import page
from tests.rim.web_kit import web_kit

KEY = r' *<input type="hidden" name="key" value="[0-9a-f]{32}">\n'
CARD = re.compile(r"<article.*?</article>", re.DOTALL)


async def test_e3_a_card_that_everybody_is_sent_is_the_page_s_own_but_for_the_keys(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(party_max=4))
        (card,) = await kit.store.books.read(cards)
        pushed = Pages().piece("card.html", Languages()["en"], card=card)
        (shown,) = CARD.findall(await page(kit, "/"))
        assert 'name="key"' not in pushed
        assert pushed.count("data-key") == shown.count('name="key"') > 0
        assert lines_of(re.sub(KEY, "", shown)) == lines_of(pushed)


async def test_a_card_stays_the_same_while_nothing_on_it_changes(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        kit.store.clock.move(61)
        before = await kit.store.books.read(cards)
        kit.store.clock.move(29)
        assert await kit.store.books.read(cards) == before
        await kit.store.book(opened, MORNING_AT + 30 * MINUTE_MS)
        (after,) = await kit.store.books.read(cards)
        assert after != before[0]


def lines_of(html: str) -> list[str]:
    """Return what stands in lines, without the spaces around it."""
    return [line.strip() for line in html.splitlines() if line.strip()]
