"""A page becomes HTML: everything in it is escaped, and nothing in it comes from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud_controller.web.language import Language
from cloud_controller.web.routes import Page, iso
from common.errors import RusubanError
from common.look import shared
from common.words import LANGUAGES

STATIC: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""The kinds of files that pages refer to."""

WORKERS: Final = ("worker.js", "front-worker.js")
"""What keeps tickets readable without a network, and says of all else that there is none; their
version is that of all files together."""

PUSHED: Final = ("card.html", "shelf.html", "times.html")
"""Templates of what open pages are sent, made ready at the start: those who watch do not wait."""

_PAGES = Path(__file__).parent
_STATIC = _PAGES.parent / "static"
_DIGEST_LETTERS = 12  # of a file's digest in its name: enough to tell its versions apart


class Pages:
    """The templates, and the few files they refer to, read once."""

    def __init__(self) -> None:
        """Read everything."""
        self._templates = _templates()
        self._names: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        self._packed: dict[str, bytes] = {}
        versions = hashlib.sha256()
        bodies = shared() | {path.name: path.read_bytes() for path in _STATIC.iterdir()}
        for name, body in sorted(bodies.items()):
            stem, end = name.rsplit(".", 1)
            digest = hashlib.sha256(body).hexdigest()[:_DIGEST_LETTERS]
            versions.update(digest.encode())
            self._names[name] = f"{stem}.{digest}.{end}"
            self._files[self._names[name]] = (body, STATIC[f".{end}"])
            self._packed[self._names[name]] = gzip.compress(body, mtime=0)

        version = versions.hexdigest()[:_DIGEST_LETTERS].encode()
        self._workers = {name: bodies[name].replace(b"VERSION", version) for name in WORKERS}

    def static(self, name: str) -> tuple[bytes, str] | None:
        """Return a file and its kind by the name that carries its digest."""
        return self._files.get(name)

    def worker(self, name: str) -> bytes:
        """Return one of the `WORKERS` in this version."""
        return self._workers[name]

    def packed(self, name: str) -> bytes:
        """Return a file as gzip packs it, for whoever unpacks it."""
        return self._packed[name]

    def html(self, page: Page, language: Language, *, path: str) -> web.Response:
        """Return a page in a language; `path` is where the page can be read again."""
        text = self.piece(
            page.template,
            language,
            **page.facts,
            refresh_seconds=page.refresh_seconds,
            other_languages=[code for code in LANGUAGES if code != language.code],
            path=path,
        )
        response = web.Response(status=page.status, text=text, content_type="text/html")
        response.headers["Content-Language"] = language.code
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response

    def piece(self, template: str, language: Language, **facts: object) -> str:
        """Return a piece of a page in a language, such as one card, with nothing of the page."""
        return self._templates.get_template(template).render(
            **facts, language=language, say=language.say, iso=iso, static=self._static_url
        )

    def _static_url(self, name: str) -> str:
        return f"/static/{self._names[name]}"


@cache
def _templates() -> Environment:
    """Return the templates, each made ready once in a process."""
    made = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in PUSHED:
        made.get_template(name)
    return made


def page_of(fault: RusubanError, status: int) -> Page:
    """Return the page that a person gets for a fault: what is wrong, and what to do next."""
    facts: dict[str, Any] = {"code": fault.code, "note": fault.facts.get("incident", "")}
    return Page(template="problem.html", facts=facts, status=status)
