"""Logs of modules over real sockets: a root and its branches, past whoever is no mirror (D10)."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cloud_controller import mirrors
from cloud_controller.flows import modules
from cloud_controller.flows.modules import LOG_BYTES_MAX, LogSaid
from cloud_controller.flows.rights import peers
from cloud_controller.mirrors import Mirrors
from cloud_controller.settings import ControllerSettings
from cloud_controller.web.peers import LOG_PATH
from common.errors import CannotStart
from common.rules.modules import ModuleEvent, ModuleEventKind
from common.system import SystemNames
from common.tls import serving
from tests.fakes.controllers import PHYSICS
from tests.rim.peers_kit import HERE, BranchKit, RootKit, branch_kit, root_kit, served, shown
from tests.waiting import until_told

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing as long as one would for a real line."""
    monkeypatch.setattr(mirrors, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(mirrors, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(mirrors, "ANSWER_SECONDS", 0.5)


async def issue(books: Any, *clients: str) -> None:
    def log(transaction: Any) -> None:
        for client in clients:
            event = ModuleEvent(kind=ModuleEventKind.ISSUED, module=PHYSICS, client=client)
            transaction.log_module(event)

    await books.transact(log)


async def clients(books: Any) -> set[str]:
    rows = await books.read(modules.downloads, PHYSICS, "", 1_000)
    return {row["client"] for row in rows}


async def until_known(books: Any, *expected: str) -> None:
    async def are_known() -> bool:
        return await clients(books) == set(expected)

    await until_told(are_known)


@asynccontextmanager
async def runs(branch: BranchKit) -> AsyncIterator[None]:
    calling = Mirrors([branch.bundle], branch.books, branch.folder, SystemNames().fraction)
    await calling.begin()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(calling.run(), name="mirrors")
        try:
            yield
        finally:
            task.cancel()


async def family(stack: AsyncExitStack, folder: Path) -> tuple[RootKit, BranchKit, BranchKit]:
    root = await stack.enter_async_context(root_kit(folder / "root"))
    osaka, nara = [
        await stack.enter_async_context(branch_kit(folder / name, await root.let_in(name)))
        for name in ("osaka", "nara")
    ]
    await root.books.transact(modules.begin, [])
    return root, osaka, nara


async def test_d10_what_one_branch_issues_the_other_knows_by_their_root(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, osaka, nara = await family(stack, tmp_path)
        await issue(root.books, "t-root")
        await issue(osaka.books, *(f"t-{number}" for number in range(500)))
        async with runs(osaka), runs(nara):
            everybody = {"t-root", *(f"t-{number}" for number in range(500))}
            await until_known(nara.books, *everybody)
            await issue(nara.books, "t-nara")
            await until_known(osaka.books, *everybody, "t-nara")
            await until_told(partial(nara.books.read, modules.known_up_to))
        assert await clients(root.books) == {*everybody, "t-nara"}


async def test_d10_a_mirror_that_is_away_or_no_longer_lets_us_in_is_called_again(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, osaka, _ = await family(stack, tmp_path)
        good = osaka.bundle
        osaka.bundle = good.model_copy(update={"url": f"https://{HERE}:1"})
        await issue(osaka.books, "t-1")
        async with runs(osaka):
            await asyncio.sleep(0.2)
        await root.books.transact(peers.revoke_peer, "osaka", "tests", "")
        osaka.bundle = good
        async with runs(osaka):
            await asyncio.sleep(0.2)
            assert await clients(root.books) == set()
        osaka.bundle = await root.let_in("osaka")
        async with runs(osaka):
            await until_known(root.books, "t-1")


async def test_d10_a_mesh_is_named_in_the_settings_beside_the_root(tmp_path: Path):
    async with AsyncExitStack() as stack:
        _, osaka, _ = await family(stack, tmp_path)
        for name in ("root", "nara"):
            url = {"url": f"https://{name}.example:8443"}
            text = osaka.bundle.model_copy(update=url).model_dump_json()
            (tmp_path / f"{name}.json").write_text(text)
        settings = ControllerSettings.model_validate(
            {
                "state_folder": osaka.folder,
                "upstream": {"bundle": tmp_path / "root.json"},
                "modules": {"mirrors": [{"bundle": tmp_path / "nara.json"}]},
            }
        )
        settings.keys_folder.mkdir(exist_ok=True)
        calling = mirrors.mirrors_of(settings, osaka.books, SystemNames().fraction)
        await calling.begin()
        assert [row["name"] for row in await osaka.books.read(modules.mirrors)] == [
            "https://nara.example:8443",
            "https://root.example:8443",
        ]
        kept = settings.keys_folder / "mirror-1.pem"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        (tmp_path / "nara.json").write_text("{}")
        with pytest.raises(CannotStart):
            mirrors.mirrors_of(settings, osaka.books, SystemNames().fraction)


async def junk(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\x00\xff" * 100)


async def huge(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"heads": "' + b"x" * LOG_BYTES_MAX + b'"}')


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(30):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


async def redirect(_: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/elsewhere"})


async def more_than_can_be(_: web.Request) -> web.StreamResponse:
    return web.json_response({"heads": {f"o-{number}": {"last": 0} for number in range(5_000)}})


@pytest.mark.parametrize("answer", [junk, huge, drip, redirect, more_than_can_be])
async def test_whatever_answers_in_its_place_changes_nothing(tmp_path: Path, answer: Answer):
    heard = list[str]()

    async def listen(request: web.Request) -> web.StreamResponse:
        heard.append(await request.text())
        return await answer(request)

    async with AsyncExitStack() as stack:
        root, osaka, _ = await family(stack, tmp_path)
        own = root.authority.server_files([HERE])
        app = web.Application(client_max_size=LOG_BYTES_MAX)
        app.router.add_post("/{any:.*}", listen)
        tls = serving(own.certificate, own.key, callers=root.authority.pem)
        port = await stack.enter_async_context(served(app, tls))
        osaka.bundle = osaka.bundle.model_copy(update={"url": f"https://{HERE}:{port}"})
        async with runs(osaka):
            await asyncio.sleep(0.7)
        known = await osaka.books.read(modules.origins)
        assert [row["is_own"] for row in known] == [1]
        assert all(LogSaid.model_validate_json(text).lines == () for text in heard)
        assert 1 <= len(heard) < 15


async def test_what_no_mirror_says_is_refused_and_nothing_of_it_taken(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, osaka, nara = await family(stack, tmp_path)
        stranger = nara.bundle.model_copy(
            update=dict(
                zip(
                    ("certificate", "key"),
                    root.authority.certify_peer(peers.certificate_name("nara")),
                    strict=True,
                )
            )
        )
        line = {"origin": "o-1", "lseq": 0, "kind": "issued", "module": PHYSICS, "client": "t-1"}
        rest = {"version": "", "digest": "", "right": "", "at": 0, "facts": "{}"}
        for bundle, body, status, code in (
            (stranger, b"{}", 403, "peer_not_admitted"),
            (osaka.bundle, b"[", 400, "malformed_json"),
            (osaka.bundle, b'{"heads": {"o-1": {"last": -1}}}', 422, "invalid_body"),
            (osaka.bundle, b" " * (LOG_BYTES_MAX + 1), 413, "body_too_large"),
        ):
            assert await say(root, bundle, tmp_path, body) == (status, code)
        said = LogSaid(heads={}).model_dump(mode="json") | {"lines": [line | rest]}
        assert (await say(root, osaka.bundle, tmp_path, said))[0] == 422
        assert "answer_log" not in await root.flows_called()


async def say(root: RootKit, bundle: Any, folder: Path, body: Any) -> tuple[int, str]:
    """Call a root's door for logs once; return the status and the code of the refusal."""
    connector = aiohttp.TCPConnector(ssl=shown(folder, bundle))
    how: dict[str, Any] = (
        {"data": io.BytesIO(body), "headers": {"Content-Type": "application/json"}}
        if isinstance(body, bytes)
        else {"json": body}
    )
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(root.url + LOG_PATH, **how) as answer,
    ):
        return answer.status, (await answer.json(content_type=None))["code"]
