"""A branch calls its root: over real sockets, through losses, past whoever is not the root."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cloud_controller import upstream
from cloud_controller.bundle import Bundle
from cloud_controller.certificates import Authority
from cloud_controller.flows.rights import peers
from cloud_controller.upstream import LONGEST_SECONDS, Upstream
from common.errors import CannotStart
from common.messages.rights import Request
from common.system import SystemClock, SystemNames
from common.tls import serving
from tests.rim.peers_kit import HERE, both, branch_kit, root_kit, served
from tests.waiting import until

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing as long as one would for a real line."""
    monkeypatch.setattr(upstream, "SHORTEST_SECONDS", 0.02)
    monkeypatch.setattr(upstream, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(upstream, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(upstream, "ANSWER_SECONDS", 0.5)


async def test_d11_b11_seats_are_taken_and_returned_over_the_wire(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        async with branch.runs():
            for seats, owned in ((4, 4), (3, 7), (-2, 5), (-5, 0), (10, 10)):
                await branch.want(seats)
                await branch.settled()
                assert (await branch.owned(), (await root.pool())[1]) == (owned, owned)
            await branch.want(1)
            await branch.settled()
            assert await branch.owned() == 10


async def test_d11_branches_that_ask_at_once_get_no_more_than_there_are(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root = await stack.enter_async_context(root_kit(tmp_path / "root"))
        branches = [
            await stack.enter_async_context(
                branch_kit(tmp_path / f"b{n}", await root.let_in(f"b{n}"))
            )
            for n in range(4)
        ]
        for branch in branches:
            await stack.enter_async_context(branch.runs())
        for _ in range(5):
            for branch in branches:
                await branch.want(1)
            for branch in branches:
                await branch.settled()
        owned = [await branch.owned() for branch in branches]
        assert sum(owned) == 10
        assert await root.pool() == (10, 10)


@pytest.mark.parametrize("reads", [True, False], ids=["answer lost", "question lost"])
async def test_b11_what_a_broken_line_loses_is_said_again(tmp_path: Path, reads: bool):  # noqa: FBT001 - a parameter of the test
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        line = await stack.enter_async_context(a_bad_line(root.port, loses=3, reads=reads))
        branch.bundle = branch.bundle.model_copy(update={"url": f"https://{HERE}:{line}"})
        async with branch.runs():
            await branch.want(4)
            await branch.settled()
        assert (await branch.owned(), await root.pool()) == (4, (10, 4))
        assert (len(await root.flows_called()) > 3) is reads, "what was heard is heard again"


async def test_a_root_that_has_gone_for_a_while_is_found_again(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        line = await stack.enter_async_context(a_bad_line(root.port, loses=10**6, reads=False))
        good, bad = branch.bundle, {"url": f"https://{HERE}:{line}"}
        branch.bundle = good.model_copy(update=bad)
        await branch.want(2)
        async with branch.runs():
            await asyncio.sleep(0.5)
            assert await branch.owned() == 0
            assert len(await branch.owes()) == 1
        branch.bundle = good
        async with branch.runs():
            await branch.settled()
        assert await branch.owned() == 2


@pytest.mark.parametrize(
    "case", ["junk", "huge", "drip", "redirect", "500", "list", "mine", "deep"]
)
async def test_whatever_answers_in_its_place_changes_nothing(tmp_path: Path, case: str):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        own = root.authority.server_files([HERE])
        app = web.Application()
        app.router.add_post("/{any:.*}", ANSWERS[case])
        tls = serving(own.certificate, own.key, callers=root.authority.pem)
        port = await stack.enter_async_context(served(app, tls))
        branch.bundle = branch.bundle.model_copy(update={"url": f"https://{HERE}:{port}"})
        await branch.want(2)
        before = await branch.owes()
        async with branch.runs():
            await asyncio.sleep(0.3)
            assert await branch.owes() == before


async def junk(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\x00\xff" * 100)


async def huge(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"type": "' + b"x" * 1_000_000 + b'"}')


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(40):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


async def redirect(_: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/elsewhere"})


async def fault(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="oops")


async def a_list(_: web.Request) -> web.StreamResponse:
    return web.json_response([1, 2, 3])


async def what_a_client_says(request: web.Request) -> web.StreamResponse:
    body: Any = await request.json()
    return web.json_response({"type": "rights.announce", "data": body})


async def confused(request: web.Request) -> web.StreamResponse:
    body: Any = await request.json()
    trouble = {"comm_id": body["comm_id"], "trouble": "unknown"}
    is_request = request.path.endswith("/request")
    announced = {"type": "rights.announced", "data": {"comm_id": body["comm_id"]}}
    CONFUSED.append(request.path)
    return web.json_response(
        {"type": "rights.troubled", "data": trouble} if is_request else announced
    )


CONFUSED: list[str] = []


async def test_a_root_that_forgets_at_once_what_it_was_told_is_not_stormed(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        own = root.authority.server_files([HERE])
        app = web.Application()
        app.router.add_post("/{any:.*}", confused)
        port = await stack.enter_async_context(served(app, serving(own.certificate, own.key)))
        branch.bundle = branch.bundle.model_copy(update={"url": f"https://{HERE}:{port}"})
        await branch.want(2)
        async with branch.runs():
            await asyncio.sleep(1.5)
        assert 3 < len(CONFUSED) < 40
        assert await branch.owned() == 0


async def deep(_: web.Request) -> web.StreamResponse:
    return web.Response(text="[" * 60_000)


ANSWERS: dict[str, Answer] = {
    "junk": junk,
    "huge": huge,
    "drip": drip,
    "redirect": redirect,
    "500": fault,
    "list": a_list,
    "mine": what_a_client_says,
    "deep": deep,
}


async def test_a_server_that_our_root_has_not_certified_hears_nothing(tmp_path: Path):
    heard: list[str] = []

    async def listen(request: web.Request) -> web.StreamResponse:
        heard.append(await request.text())
        return web.json_response({})

    async with AsyncExitStack() as stack:
        _, branch = await both(stack, tmp_path)
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", SystemClock(), SystemNames())
        own = other.server_files([HERE])
        app = web.Application()
        app.router.add_post("/{any:.*}", listen)
        port = await stack.enter_async_context(served(app, serving(own.certificate, own.key)))
        branch.bundle = branch.bundle.model_copy(update={"url": f"https://{HERE}:{port}"})
        await branch.want(2)
        async with branch.runs():
            await asyncio.sleep(0.3)
        assert heard == []


async def test_a_branch_that_is_revoked_goes_on_with_what_it_has_and_comes_back(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        async with branch.runs():
            await branch.want(3)
            await branch.settled()
            await root.books.transact(peers.revoke_peer, "osaka", "tests", "")
            await branch.want(2)
            await asyncio.sleep(0.3)
            assert (await branch.owned(), await root.pool()) == (3, (10, 3))
        branch.bundle = await root.let_in("osaka")
        async with branch.runs():
            await branch.want(2)
            await branch.settled()
        assert (await branch.owned(), await root.pool()) == (5, (10, 5))


async def test_a_return_that_the_root_cannot_hear_is_nobody_s_until_it_does(tmp_path: Path):
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        async with branch.runs():
            await branch.want(5)
            await branch.settled()
        await branch.want(-2)
        line = await stack.enter_async_context(a_bad_line(root.port, loses=4, reads=True, spares=1))
        branch.bundle = branch.bundle.model_copy(update={"url": f"https://{HERE}:{line}"})
        async with branch.runs():
            await branch.settled()
        assert (await branch.owned(), await root.pool()) == (3, (10, 3))


async def test_the_pauses_double_are_random_and_have_an_end(tmp_path: Path, monkeypatch):
    monkeypatch.undo()
    async with AsyncExitStack() as stack:
        _, branch = await both(stack, tmp_path)
        keys = branch.folder / "keys"
        for fraction, least in ((0.0, 0.5), (0.999, 0.999)):
            branch_calls = Upstream(branch.bundle, branch.books, keys, partial(float, fraction))
            pauses = [branch_calls._root.pause_seconds() for _ in range(20)]
            assert pauses == sorted(pauses)
            assert least * LONGEST_SECONDS <= pauses[-1] <= LONGEST_SECONDS
            assert pauses[0] <= 0.5


async def test_the_key_on_the_disk_is_for_us_alone(tmp_path: Path):
    async with AsyncExitStack() as stack:
        _, branch = await both(stack, tmp_path)
        Upstream(branch.bundle, branch.books, branch.folder / "keys", lambda: 0.5)
        mode = (branch.folder / "keys" / "upstream.pem").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://root.example"},
        {"url": "https://root.example/path"},
        {"url": "https://u:p@root.example"},
        {"epoch": "x"},
        {"keys": {"1": "zz"}},
        {"name": ""},
        {"more": 1},
    ],
)
async def test_what_is_no_bundle_is_said_in_one_sentence(tmp_path: Path, changed: dict[str, Any]):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
    file = tmp_path / "bundle.json"
    with pytest.raises(CannotStart, match=str(file)):
        Bundle.load(file)
    file.write_text(json.dumps(json.loads(bundle.model_dump_json()) | changed))
    with pytest.raises(CannotStart, match="no bundle"):
        Bundle.load(file)
    file.write_text(bundle.model_dump_json())
    assert Bundle.load(file) == bundle


async def test_what_is_asked_is_in_the_books_before_the_root_hears_of_it(tmp_path: Path):
    """B1, B3: whatever the root hears is what the branch would say again after a kill."""
    said: list[tuple[str, Any]] = []
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)

        async def listen(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            owed = [message.model_dump(mode="json") for message in await branch.owes()]
            said.append((request.path.rpartition("/")[2], body in owed))
            return web.Response(status=503)

        own = root.authority.server_files([HERE])
        app = web.Application()
        app.router.add_post("/{any:.*}", listen)
        port = await stack.enter_async_context(served(app, serving(own.certificate, own.key)))
        good = branch.bundle
        await branch.want(2)
        branch.bundle = good.model_copy(update={"url": f"https://{HERE}:{port}"})
        async with branch.runs():
            await until(lambda: said)
        assert set(said) == {("announce", True)}
        assert not any(isinstance(message, Request) for message in await branch.owes())


class a_bad_line:  # noqa: N801 - it reads as what it is: `async with a_bad_line(…)`
    """Passes bytes to a port, and breaks so many connections before it is good.

    With `reads` the question gets through and the answer is lost; `spares` connections are good
    before that.
    """

    def __init__(self, port: int, *, loses: int, reads: bool, spares: int = 0) -> None:
        self._port, self._loses, self._reads, self._spares = port, loses, reads, spares

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._pass_on, HERE, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._spares -= 1
        is_bad = self._spares < 0 and self._loses > 0
        self._loses -= is_bad
        try:
            if is_bad and not self._reads:
                return
            there, back = await asyncio.open_connection(HERE, self._port)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(pump(reader, back, most=None), name="up")
                    most = 3_000 if is_bad else None  # the handshake, and then no answer
                    tasks.create_task(pump(there, writer, most=most), name="down")
            finally:
                back.close()
        finally:
            writer.close()


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
) -> None:
    passed = 0
    try:
        while chunk := await reader.read(4_096):
            passed += len(chunk)
            if most is not None and passed > most:
                break
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
