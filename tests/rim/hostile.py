"""Words that would become code where a page writes them down as they are, and a browser to see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import ClientSession
from playwright.async_api import Page

from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.rim.eyes import Eyes, go
from tests.rim.looking import opens
from tests.rim.mail_kit import change
from tests.rim.operator_kit import SIGNED_IN, told, with_a_module
from tests.rim.scenes import SCENES
from tests.rim.views import View, see
from tests.rim.web_kit import web_kit

WORDS: Final = (
    "<script>hit(1)</script><img src=x onerror=hit(2)><svg onload=hit(3)>",
    "\"'><img src=x onerror=hit(4)>\" onfocus=hit(5) autofocus x=\"' onmouseover='hit(6)",
    "</title></textarea></style></template><iframe srcdoc='<script>top.hit(7)</script>'>",
    "<a href=javascript:hit(8)>x</a><form action=javascript:hit(9)><button>x</button></form>",
    "--><!--><details open ontoggle=hit(10)><style>@import'//evil.example'</style>{{7*7}}${7*7}",
    "<math><mtext><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=hit(1)&gt;'>",
)
"""Each breaks out of another place: text, a quoted value, an element's end, a link, a comment."""

HIT: Final = "window.hits = []; window.hit = (n) => { window.hits.push(n); };"

FOREIGN: Final = r"""() => [
  ...hits.map((n) => `script ${n} ran`),
  ...[...document.querySelectorAll("*")].flatMap((it) => [...it.attributes]
    .filter(({ name, value }) => /^on/i.test(name) || /^\s*javascript:/i.test(value) ||
      name === "srcdoc" || name === "autofocus")
    .map(({ name, value }) => `${it.localName} has ${name}=${value}`)),
  ...[...document.querySelectorAll("iframe, object, embed, base, math, style, script:not([src])")]
    .map((it) => `there is ${it.outerHTML.slice(0, 60)}`),
]"""
"""What is in no page of ours, so that it can only have come from somebody's words."""

TYPED_INTO: Final = re.compile(r'<textarea|<input(?![^>]*type="(?:hidden|file)")')

FIELDS: Final = r"""() => [...document.forms].filter((form) => form.method === "post" &&
    form.querySelector("input:not([type=hidden]):not([type=file]), textarea"))
  .map((form) => new URL(form.action).pathname)"""

FILL: Final = r"""([path, words]) => {
  const form = [...document.forms].find((each) => new URL(each.action).pathname === path);
  for (const it of form.querySelectorAll("input:not([type=file]), textarea")) {
    const most = it.maxLength > 0 ? it.maxLength : words.length;
    if (it.type !== "hidden") it.value = words.slice(0, most);
  }
  form.noValidate = true;
  HTMLFormElement.prototype.submit.call(form);
}"""


@dataclass(kw_only=True)
class Typed:
    """The forms that were tried, by their shape, and what was wrong."""

    forms: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


async def without_policy(sight: Eyes) -> Page:
    """Return a page of a browser that would run whatever got into it."""
    context = await sight.context("en", bypass_csp=True)
    await context.add_init_script(HIT)
    return await context.new_page()


async def told_badly(page: Page, folder: Path, words: Sequence[str]) -> list[str]:
    """Return what is wrong with the pages of a store where everybody tells only such words."""
    wrong = []
    for number, word in enumerate(words):
        place = folder / f"told-{number}"
        place.mkdir()
        async for view in told_by_others(place, word):
            await go(page, view.url, view.headers)
            wrong += [f"{view.name}: {each}" for each in await foreign(page)]
            said = str(await page.evaluate("document.body.textContent"))
            if not view.headers and "?" not in view.url and word not in said:
                wrong.append(f"{view.name}: it is not said")
    return wrong


async def typed_badly(page: Page, folder: Path, words: Sequence[str]) -> Typed:
    """Type such words into each form that there is, once, and return what became of them."""
    typed = Typed()
    async for view in with_fields(folder):
        await opens(page, view)
        for path in await page.evaluate(FIELDS):
            if shape_of(path) in typed.forms:
                continue
            typed.forms.add(shape_of(path))
            for word in words:
                await opens(page, view)
                async with page.expect_navigation():
                    await page.evaluate(FILL, [path, word])
                typed.wrong += [f"{path} told {word}: {each}" for each in await foreign(page)]
        await page.goto("about:blank")
    return typed


async def with_fields(folder: Path) -> AsyncIterator[View]:
    """Yield the views that have something to type into."""
    async with ClientSession() as http:
        for scene in SCENES:
            place = folder / f"typed-{scene.__name__}"
            place.mkdir()
            async for view in scene(place):
                if view.form is not None:
                    continue
                headers = {"Cookie": "; ".join(f"{n}={it}" for n, it in view.cookies.items())}
                async with http.get(view.url, headers=headers | dict(view.headers)) as answer:
                    if TYPED_INTO.search(await answer.text()):
                        yield view


def shape_of(path: str) -> str:
    """Return a path without the secrets in it: forms of one shape are one form."""
    return re.sub(r"[0-9a-f]{32}|[a-z]-[0-9a-f]{8,}", "*", path)


async def foreign(page: Page) -> list[str]:
    """Return what of somebody's words has become more than words."""
    found: list[str] = await page.evaluate(FOREIGN)
    return found


async def told_by_others(folder: Path, words: str) -> AsyncIterator[View]:
    """Yield pages of a store in which every word that others tell is this one."""
    async with web_kit(folder) as kit:
        terminal = await with_a_module(kit, title=words)
        await told(kit, terminal, "failed", 1, detail=words)
        for path in ("/operator/modules", "/operator/modules/installs"):
            yield see(kit, f"{path} with {words}", path, headers=SIGNED_IN)
        opened = await kit.store.open(Offer(title=words, content=words, key="hostile"))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        change(folder, "UPDATE stores SET title = ?, directions = ?", words, words)
        change(folder, "UPDATE devices SET title = ?", words)
        change(folder, "UPDATE terminals SET hostname = ?", words)
        said = quote(words, safe="")
        for path in (
            "/",
            f"/o/{opened.offering}",
            f"/t/{link}",
            f"/{said}?lang={said}&from={said}",
        ):
            yield see(kit, f"{path} with {words}", path)
