"""One look at a page in a state: what is wrong with it for anybody who may come to it."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Page

from tests.rim.eyes import Eyes, Scheme, axe_faults, cut_off, go, undoable, unreachable
from tests.rim.views import View

SEND: Final = """([path, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: path });
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}"""


async def look_at(eyes: Eyes, view: View, language: str, schemes: tuple[Scheme, ...]) -> list[str]:
    """Return what is wrong with a page in a language: by axe, zoomed, in large type."""
    page = await eyes.page(language)
    await opens(page, view)
    wrong = [] if await page.locator("h1").count() == 1 else ["not one heading"]
    lang = await page.locator("html").get_attribute("lang")
    wrong += [] if lang == language else [f"it is in {lang}"]
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wrong += [f"{scheme}: {each}" for each in await axe_faults(page)]
    wrong += await cut_off(page)
    return [f"{view.name}, {language}: {each}" for each in wrong]


async def reach(eyes: Eyes, view: View, language: str) -> list[str]:
    """Return what cannot be reached by keyboard, or not be done without script."""
    page, plain = await eyes.page(language), await eyes.page(language, script=False)
    wrong = []
    if view.form is None:
        await opens(plain, view)
        wrong = await undoable(page, plain)
    wrong += await unreachable(page)
    return [f"{view.name}, {language}: {each}" for each in wrong]


async def opens(page: Page, view: View) -> None:
    """Open a page, or send it its form as a page of ours would."""
    for name, value in view.cookies.items():
        await page.context.add_cookies([{"name": name, "value": value, "url": view.url}])
    if view.form is None:
        await go(page, view.url, view.headers)
        return
    origin, _, path = view.url.removeprefix("http://").partition("/")
    await go(page, f"http://{origin}/find", view.headers)
    async with page.expect_navigation():
        await page.evaluate(SEND, [f"/{path}", dict(view.form)])
