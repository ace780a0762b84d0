"""A page as a browser sees it now, and how one is told of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.rim.web_kit import WebKit


@dataclass(frozen=True, kw_only=True)
class View:
    """A page as it is now.

    Attributes:
        form: what is sent to it as a form; None: it is only opened.
        cookies: what the browser that opens it has from us.
    """

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)


Views = AsyncIterator[View]
Scene = Callable[[Path], Views]


def see(
    kit: WebKit,
    name: str,
    path: str,
    form: Mapping[str, str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
) -> View:
    """Return a page of this store as it is now; a browser says itself from where it comes."""
    shown = {each: said for each, said in (headers or {}).items() if not each.startswith("Sec-")}
    return View(name=name, url=kit.url + path, form=form, headers=shown, cookies=cookies or {})
