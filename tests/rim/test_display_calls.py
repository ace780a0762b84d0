"""Calls to helpers on the screen: pressed only as shown, told to the page of their own device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from common.messages.devices import DeviceAround
from common.messages.help import LINE_LENGTH_MAX
from common.rules.presence import LineMode
from common.words import LANGUAGES, READY_SENTENCES
from edge_agent.flows.help import Line, Refused
from tests.rim.display_kit import AIKO, BEN, BOOTH, CHOSEN, Kit, a_screen, a_stream, press, up_to
from tests.rim.test_display_browser import PANELS, WALL, a_browser, faults, opens, tabs_to, warns
from tests.waiting import until

CHOOSE, LINE, LEAVE = (f"/device/booth-1/{each}" for each in ("choose", "line", "leave"))
WISH = {"session": None, "helper": "p-1", "price_cents": 0, "language": "en"}
SAYS = {"call": "h-1", "text": "There is no sound."}


SECOND = replace(BOOTH, key="booth-2", title="Booth 2", device="d-2", number=8)


async def test_e6_a_helper_is_chosen_written_to_and_left_by_presses_that_say_what_they_mean():
    async with a_screen() as kit:
        helps(kit)
        assert (await press(kit, CHOOSE, WISH)).json == {"is_done": True}
        for text in (" one\n\ttwo\x00 ", "one two"):  # once more at once: a finger that trembled
            assert (await press(kit, LINE, {**SAYS, "text": text})).json["is_done"]
        assert (await press(kit, LEAVE, {"call": "h-1"})).json["is_done"]
        assert kit.buttons.pressed == [
            ("choose", "d-1", None, "p-1", 0, "en"),
            ("line", "d-1", "h-1", "one two"),
            ("leave", "d-1", "h-1"),
        ]


async def test_a_press_that_means_nobody_nothing_or_another_customer_is_not_taken():
    async with a_screen() as kit:
        helps(kit)
        kit.runs(600)
        wrong: list[tuple[str, dict[str, Any]]] = [
            (CHOOSE, WISH),  # of the one who was there before
            *(
                (CHOOSE, {**WISH, "session": "s-1", **each})
                for each in ({"helper": 1}, {"helper": "x" * 99}, {"price_cents": True})
            ),
            (CHOOSE, {**WISH, "session": "s-1", "language": "xx"}),
            *(
                (LINE, {**SAYS, "text": each})
                for each in ("", " \n", 7, "x" * (LINE_LENGTH_MAX + 1))
            ),
            (LINE, {"text": "to nobody"}),
            (LEAVE, {"call": None}),
        ]
        for path, body in wrong:
            assert (await press(kit, path, body)).status in {200, 404}, body
        assert kit.buttons.pressed == []


async def test_a_no_has_its_words_in_each_language():
    async with a_screen() as kit:
        helps(kit)
        for refused, path, body in (
            (Refused.NOT_THERE, CHOOSE, WISH),
            (Refused.FULL, LINE, SAYS),
        ):
            kit.buttons.refused = refused
            answer = (await press(kit, path, body)).json
            assert not answer["is_done"]
            assert set(answer["words"]) == set(LANGUAGES)


async def test_what_is_written_at_a_device_is_told_to_its_own_page_and_to_no_other():
    async with a_screen(BOOTH, SECOND) as kit:
        helps(kit)
        is_called(kit, Line(by="customer", text="private"))
        for page, is_told in (("", False), ("booth-2", False), ("booth-1", True)):
            async with a_stream(kit, device=page) as next_event:
                heard = await up_to(next_event, "all")
            (booth,) = [
                each.body
                for each in heard
                if each.name == "picture" and each.body["key"] == "booth-1"
            ]
            assert ("private" in str(booth)) is is_told


async def test_e5_without_the_line_nobody_can_be_chosen_and_that_is_what_is_said():
    async with a_screen() as kit:
        helps(kit)
        assert [each.name for each in shown(kit).helpers] == ["Aiko", "Ben"]
        kit.stage.tell_mode(LineMode.ALONE)
        kit.stage.refresh()
        assert (shown(kit).helpers, shown(kit).is_reached) == ((), False)


async def test_e6_on_the_screen_a_helper_is_chosen_answers_ends_and_no_step_has_a_fault_of_access():
    """By keyboard alone; the panel stays open, and nothing that is typed is lost by a line."""
    async with a_browser() as page, a_screen(language="en") as kit:
        await opens(page, kit)
        kit.runs(1500)
        helps(kit)
        await tabs_to(page, "Call for help")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-helper=p-1]")).to_be_focused()
        assert not await faults(page)
        await costs_are_asked_first(page, kit)
        await page.locator("[data-helper=p-1]").press("Enter")
        await expect(page.locator(".state")).to_have_text("Your call is on its way to Aiko.")
        log = page.locator(".log")
        assert await log.evaluate("it => it.scrollHeight <= it.clientHeight"), "its hint is cut"
        await page.keyboard.type("no")
        is_called(kit, Line(by="helper", text="Hello! <b>What</b> is it?"), state="open")
        await expect(page.locator("li.theirs p")).to_have_text("Hello! <b>What</b> is it?")
        await expect(page.locator("body")).to_have_attribute("data-cue", "word")
        await page.keyboard.type(" sound")
        await page.keyboard.press("Enter")
        await expect(page.locator("li.mine")).to_have_text("Youno soundon its way")
        await page.get_by_role("button", name=READY_SENTENCES["en"][0]).click()
        await expect(page.locator("li.mine")).to_have_count(2)
        await nothing_is_at_fault(page)
        await is_hidden_seen_and_ended(page, kit)


async def test_e6_who_leaves_a_call_ends_it_and_where_nobody_is_there_the_store_is_called():
    async with a_browser() as page, a_screen(language="ja") as kit:
        await opens(page, kit)
        helps(kit)
        await page.get_by_role("button", name="お店を呼ぶ").click()
        await page.locator("[data-helper=p-1]").click()
        await page.get_by_role("button", name="相談を終える").click()
        await expect(page.get_by_role("dialog")).to_contain_text("呼び出しを終了しました。")
        await expect(page.get_by_text("先に書いておくと")).to_be_hidden()
        assert ("leave", "d-1", "h-1") in kit.buttons.pressed
        await page.keyboard.press("Escape")
        kit.helpers = ()
        kit.stage.refresh()
        await page.get_by_role("button", name="お店を呼ぶ").click()
        await expect(page.get_by_role("dialog")).to_contain_text("相談できる担当者はいません")
        kit.stage.tell_mode(LineMode.ALONE)
        await expect(page.get_by_role("dialog")).to_contain_text("接続が切れている")
        assert not await faults(page)
        await page.get_by_role("button", name="人に来てほしい").click()
        await until(lambda: ("help", "d-1", None, "person") in kit.buttons.pressed)


async def test_e5_what_is_around_is_asked_while_somebody_looks_and_its_price_is_of_this_session():
    async with a_screen() as kit:
        line = kit.line
        kit.runs(600)
        assert line.asked == []
        async with a_stream(kit) as next_event:
            await up_to(next_event, "all")
            kit.stage.refresh()
            kit.stage.refresh()
            assert line.asked == ["d-1"]
            kit.runs(1200, of_seconds=7200)
            assert line.asked == ["d-1", "d-1"]
            told = DeviceAround(
                device="d-1", session="s-1", price_cents=800, currency="JPY", coming=1
            )
            for session, price in (("s-1", 800), ("s-0", None)):
                kit.stage.surroundings.take(told.model_copy(update={"session": session}))
                kit.stage.refresh()
                assert kit.stage.pictures()[1].around.price_cents == price


def helps(kit: Kit) -> None:
    """Have Aiko and Ben be there."""
    kit.helpers = (AIKO, BEN)
    kit.stage.refresh()


def is_called(kit: Kit, line: Line, **having: Any) -> None:
    """Have a line be written in the first device's call."""
    kit.buttons.calls.setdefault("d-1", CHOSEN)
    kit.buttons.is_written("d-1", line, **having)
    kit.stage.refresh()


def shown(kit: Kit) -> Any:
    """Return what is shown of help at the first device."""
    return kit.stage.pictures()[1].helping


async def costs_are_asked_first(page: Page, kit: Kit) -> None:
    """See that whoever asks for money is called by a second touch only, which names the price."""
    await page.locator("[data-helper=p-2]").press("Enter")
    await expect(page.get_by_role("button", name="Begin, ¥300")).to_be_visible()
    kit.device_is(title="Booth One")  # what changes elsewhere closes nothing
    await expect(page.locator("#title")).to_have_text("Booth One")
    await page.get_by_role("button", name="Back").click()


async def nothing_is_at_fault(page: Page) -> None:
    """See that axe finds nothing, by day and by night, and that all fits on each panel."""
    await page.evaluate(Axe().axe_script)
    for panel, scheme in zip(PANELS, ("dark", "light", "dark", "light"), strict=True):
        await page.set_viewport_size(panel)
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        cut = await page.evaluate(
            "[...document.querySelectorAll('dialog :is(button, input, .log)')].filter((it) => {"
            "const box = it.getBoundingClientRect(), out = it.closest('dialog');"
            "return box.width && (box.height < 44 ||"
            " box.bottom > out.getBoundingClientRect().bottom); }).map((it) => it.textContent)"
        )
        assert cut == [], panel
    assert not await faults(page)
    await page.set_viewport_size(WALL)


async def is_hidden_seen_and_ended(page: Page, kit: Kit) -> None:
    """Hide the call, read what comes meanwhile, be warned, and see that the helper has ended it."""
    await page.keyboard.press("Escape")
    await expect(page.locator("#note")).to_contain_text("Aiko Hello!")
    is_called(kit, Line(by="helper", text="Turn the knob."))
    await page.get_by_role("button", name="Aiko: new (1)").click()
    warns(kit)  # what is to be seen now is not hidden by a call
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("button", name="Write with Aiko").click()
    is_called(kit, Line(by="helper", text="Bye."), state="ended", why="helper_ended")
    await expect(page.locator(".state")).to_contain_text("Your helper has ended the call.")
    await page.get_by_role("button", name="Choose again").click()
    await expect(page.locator("[data-helper]")).to_have_count(2)
