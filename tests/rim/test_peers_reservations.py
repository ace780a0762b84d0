"""The door of the reservation port: who may call, what is refused, and that nothing is learned."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cloud_controller.bundle import Bundle
from cloud_controller.reservations import kept_for
from cloud_controller.web.peers import DIRECTORY_BYTES_MAX, QUESTIONS, make_peers_app
from common.system import SystemClock, SystemNames
from common.tls import serving
from tests.rim.peers_kit import HERE, Answered, RootKit, root_kit, served, shown

PATH = "/api/v1/peers/reservations/"


@asynccontextmanager
async def a_keeper(folder: Path) -> AsyncIterator[tuple[RootKit, str]]:
    """Serve a controller that keeps reservations for others; give it and its address."""
    async with root_kit(folder) as root:
        own = root.authority.server_files([HERE])
        tls = serving(own.certificate, own.key, callers=root.authority.pem)
        keeps = partial(kept_for, root.books, lambda *_: None)
        app = make_peers_app(root.books, SystemClock(), SystemNames(), keeps)
        async with served(app, tls) as port:
            yield root, f"https://{HERE}:{port}"


async def ask(url: str, method: str, folder: Path, bundle: Bundle, **how: Any) -> Answered:
    connector = aiohttp.TCPConnector(ssl=shown(folder, bundle))
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(url + PATH + method, **how) as response,
    ):
        return Answered(status=response.status, body=await response.read())


NOTHING = {"token": "RSB1" + "0" * 140}


async def test_c1_a_stranger_and_one_that_was_replaced_are_not_heard(tmp_path: Path):
    async with a_keeper(tmp_path / "root") as (root, url):
        old = await root.let_in("tokyo")
        new = await root.let_in("tokyo")
        for method in QUESTIONS:
            refused = await ask(url, method, tmp_path, old, json={})
            assert (refused.status, refused.code) == (403, "peer_not_admitted")
        heard = await ask(url, "verify", tmp_path, new, json=NOTHING)
        assert heard.status == 200
        assert heard.json["denied"]["reason"] in {"unknown_ticket", "bad_signature"}


@pytest.mark.parametrize(
    ("method", "how", "status", "code"),
    [
        ("no-such", {"json": {}}, 404, "not_found"),
        ("verify", {"data": b"token=x"}, 415, "wrong_content_type"),
        ("verify", {"json": {}}, 422, "invalid_body"),
        ("verify", {"json": {"token": 7}}, 422, "invalid_body"),
        ("mark-used", {"json": {**NOTHING, "claim": -1, "device": "d", "terminal": "t"}}, 422, ""),
        ("mark-used", {"json": {**NOTHING, "claim": "1", "device": "d", "terminal": "t"}}, 422, ""),
        ("look-up", {"json": {"reservation": "r-9"}}, 404, "not_found"),
        ("cancel", {"json": {"reservation": "r-9"}}, 404, "not_found"),
        ("store", {"json": {"store": "x", "digest": "z", "here": []}}, 422, "invalid_body"),
        ("report", {"json": {"since": 0, "up_to": 1, "lines": [{}] * 101, "uses": []}}, 422, ""),
    ],
)
async def test_what_is_no_question_is_refused_and_changes_nothing(
    tmp_path: Path, method: str, how: Any, status: int, code: str
):
    async with a_keeper(tmp_path / "root") as (root, url):
        bundle = await root.let_in("tokyo")
        refused = await ask(url, method, tmp_path, bundle, **how)
        assert refused.status == status, refused.body
        assert code in {"", refused.code}


async def test_a_body_is_let_be_so_large_and_no_larger(tmp_path: Path):
    async with a_keeper(tmp_path / "root") as (root, url):
        bundle = await root.let_in("tokyo")
        headers = {"Content-Type": "application/json"}
        for method, most in (("verify", 65_536), ("store", DIRECTORY_BYTES_MAX)):
            body = json.dumps({"token": "x" * most}).encode()
            refused = await ask(
                url, method, tmp_path, bundle, data=io.BytesIO(body), headers=headers
            )
            assert (refused.status, refused.code) == (413, "body_too_large")
        larger = io.BytesIO(json.dumps({"store": "s", "x": "y" * 100_000}).encode())
        refused = await ask(url, "store", tmp_path, bundle, data=larger, headers=headers)
        assert refused.code == "invalid_body", "a directory may be larger than a question"


async def test_who_has_terminals_of_its_own_keeps_for_nobody(tmp_path: Path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("tokyo")
        refused = await ask(root.url, "verify", tmp_path, bundle, json=NOTHING)
        assert refused.status == 404
