"""Packages over HTTP: lists for everybody, files for whoever has our word, in any part."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import modules
from cloud_controller.packages.signing import Signing
from cloud_controller.ports import Published
from cloud_controller.web.app import FIELD_BYTES_MAX
from cloud_controller.web.packages import _Archive
from tests.fakes.names import CountedNames
from tests.fakes.packages_kit import PackagesInHand
from tests.fakes.store import Opened
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

HOUR_MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A served controller with a module and a program, and a confirmed terminal."""

    kit: WebKit
    packages: PackagesInHand
    module: Published
    program: Published
    opened: Opened

    def right(self, **other: Any) -> dict[str, Any]:
        """Return the document of this terminal's right to the module."""
        now = self.kit.store.clock.now
        return {
            "right": "g-1",
            "comm_id": "c",
            "kind": "module:physics",
            "terminal": self.opened.terminal,
            "epoch": self.opened.epoch,
            "module": "physics",
            "issued_at": now,
            "ends_at": now + HOUR_MS,
            "sha256": self.module.sha256,
            **other,
        }

    def offer(self, **other: Any) -> dict[str, Any]:
        """Return the document of an offer of both to this terminal."""
        now = self.kit.store.clock.now
        told = {
            "kind": "modules.offer",
            "terminal": self.opened.terminal,
            "epoch": self.opened.epoch,
            "issued_at": now,
            "ends_at": now + HOUR_MS,
        }
        return {**told, "packages": [_offered(self.module), _offered(self.program)], **other}

    def shown(self, document: dict[str, Any], signature: str = "") -> dict[str, str]:
        """Return the header by which a terminal shows this document, signed unless told how."""
        seal = signature or self.kit.store.keys.seal_document(document)
        raw = json.dumps({"document": document, "signature": seal}).encode()
        return {"Authorization": f"Bearer {base64.urlsafe_b64encode(raw).decode()}"}

    async def fetch(self, published: Published, headers: dict[str, str]) -> Answered:
        return await self.kit.get(self.path(published), headers=headers)

    def path(self, published: Published) -> str:
        """Return where an archive is served."""
        file = self.packages.archive(published)
        return f"/packages/targets/{file.relative_to(self.packages.targets)}"


def _offered(published: Published) -> dict[str, Any]:
    release = published.release
    return {
        **release.model_dump(mode="json", include={"package", "kind", "version", "basis"}),
        **release.model_dump(mode="json", include={"release_counter", "over_limit"}),
        "target": published.target,
        "sha256": published.sha256,
        "length": published.length,
        "has_seats": True,
    }


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> PackagesInHand:
    kit = PackagesInHand(tmp_path_factory.mktemp("controller"))
    kit.publish("physics")
    kit.publish("racer", kind="program", files={"bin/racer": b"racer" * 1000})
    return kit


@asynccontextmanager
async def a_counter(tmp_path: Path, packages: PackagesInHand) -> AsyncIterator[Counter]:
    (tmp_path / "packages").symlink_to(packages.repository.folder)
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        program, module = packages.repository.releases()
        yield Counter(kit=kit, packages=packages, module=module, program=program, opened=opened)


async def test_a_right_fetches_its_file_whole_or_from_where_it_was_cut(
    tmp_path: Path, packages: PackagesInHand
):
    async with a_counter(tmp_path, packages) as counter:
        shown = counter.shown(counter.right())
        body = counter.packages.archive(counter.module).read_bytes()
        whole = await counter.fetch(counter.module, shown)
        assert (whole.status, whole.body) == (200, body)
        assert whole.headers["Content-Type"] == "application/zip"
        assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        rest = await counter.fetch(counter.module, shown | {"Range": "bytes=100-"})
        assert (rest.status, rest.body) == (206, body[100:])
        assert rest.headers["Content-Range"] == f"bytes 100-{len(body) - 1}/{len(body)}"
        past = await counter.fetch(counter.module, shown | {"Range": f"bytes={len(body)}-"})
        assert (past.status, past.body) == (416, b"")
        assert past.headers["Content-Range"] == f"bytes */{len(body)}"
        assert not _Archive.under_way


async def test_d1_an_offer_fetches_a_program_s_part_and_no_licensed_module(
    tmp_path: Path, packages: PackagesInHand
):
    async with a_counter(tmp_path, packages) as counter:
        shown = counter.shown(counter.offer())
        assert (await counter.fetch(counter.program, shown)).status == 200
        assert_problem(await counter.fetch(counter.module, shown), 403, "package_not_given")


async def test_nothing_but_our_word_for_this_file_now_fetches_it(
    tmp_path: Path, packages: PackagesInHand
):
    async with a_counter(tmp_path, packages) as counter:
        now = counter.kit.store.clock.now
        right = counter.right()
        words: list[dict[str, str]] = [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer !!!"},
            {"Authorization": "Bearer e30"},
            {"Authorization": "Basic " + "e30"},
            {"Authorization": "Bearer " + base64.urlsafe_b64encode(b"[" * 20_000).decode()},
            counter.shown(right, "0" * 128),
            counter.shown({**right, "sha256": "0" * 64}),
            counter.shown({**right, "sha256": None}),
            counter.shown({**right, "ends_at": now}),
            counter.shown({**right, "epoch": "another"}),
            counter.shown({**right, "terminal": "t-unknown"}),
            counter.shown({"kind": "module:physics"}),
            counter.shown({}),
            counter.shown(counter.offer(ends_at=now)),
            counter.shown(counter.offer(packages=[])),
        ]
        forged = counter.shown(right)
        signature = counter.kit.store.keys.seal_document(right)
        words.append(counter.shown({**right, "ends_at": now + 2 * HOUR_MS}, signature))
        for shown in words:
            assert_problem(await counter.fetch(counter.module, shown), 403, "package_not_given")
        assert (await counter.fetch(counter.module, forged)).status == 200


async def test_a_terminal_that_was_sent_away_fetches_nothing_more(
    tmp_path: Path, packages: PackagesInHand
):
    async with a_counter(tmp_path, packages) as counter:
        shown = counter.shown(counter.right())
        assert (await counter.fetch(counter.module, shown)).status == 200
        path = f"/api/v1/terminals/{counter.opened.terminal}/standing"
        retired = await counter.kit.told(path, {"event": "retire", "reason": "sold"})
        assert retired.status == 200
        assert_problem(await counter.fetch(counter.module, shown), 403, "package_not_given")


async def test_an_offer_of_many_packages_fits_a_header(tmp_path: Path, packages: PackagesInHand):
    async with a_counter(tmp_path, packages) as counter:
        many = [_offered(counter.program)] * 100
        shown = counter.shown(counter.offer(packages=many))
        assert 30_000 < len(shown["Authorization"]) < FIELD_BYTES_MAX
        assert (await counter.fetch(counter.program, shown)).status == 200


async def test_signed_lists_are_everybody_s_and_only_the_timestamp_is_asked_anew(
    tmp_path: Path, packages: PackagesInHand
):
    async with a_counter(tmp_path, packages) as counter:
        for name in ("timestamp", "1.root", "3.snapshot", "1.targets", "2.modules", "2.programs"):
            told = await counter.kit.get(f"/packages/metadata/{name}.json")
            assert told.body == (counter.packages.metadata / f"{name}.json").read_bytes()
            assert ("immutable" in told.headers["Cache-Control"]) is (name != "timestamp")
            assert told.headers["Content-Type"] == "application/json"
        for name in ("2.root", "9.snapshot", "root", "0.root", "1.root.json", "timestamp.json.new"):
            told = await counter.kit.get(f"/packages/metadata/{name}.json")
            assert_problem(told, 404, "not_found")


async def test_no_path_leads_anywhere_else(tmp_path: Path, packages: PackagesInHand):
    async with a_counter(tmp_path, packages) as counter:
        shown = counter.shown(counter.right())
        (counter.packages.targets / "modules/physics/secret").write_text("x")
        file = counter.packages.archive(counter.module).name
        for path in (
            *("modules/physics/secret", "modules/physics/..%2Fsecret", "keys/physics/" + file),
            *(f"modules/%2e%2e/{file}", f"modules/racer/{file}", "modules/physics/%00.zip"),
            *("modules/physics/" + "0" * 64 + ".1.0.0.zip", "..%2F..%2Fkeys/a/b"),
        ):
            told = await counter.kit.get(f"/packages/targets/{path}", headers=shown)
            assert told.status == 404, path


async def test_a_terminal_is_sent_two_archives_at_a_time_and_one_too_many_comes_back(
    tmp_path: Path,
):
    packages = PackagesInHand(tmp_path)
    large = packages.publish("large", files={"noise": os.urandom(16_000_000)})
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        counter = Counter(kit=kit, packages=packages, module=large, program=large, opened=opened)
        shown = counter.shown(counter.right())
        url = kit.url + counter.path(large)
        async with kit.http.get(url, headers=shown) as one, kit.http.get(url, headers=shown) as two:
            assert (one.status, two.status) == (200, 200)
            refused = await counter.fetch(large, shown)
            assert_problem(refused, 429, "too_many_attempts")
            assert refused.headers["Retry-After"] == "5"
            other = await kit.store.open()
            theirs = replace(counter, opened=other)
            answer = await theirs.fetch(
                large, theirs.shown(theirs.right()) | {"Range": "bytes=0-9"}
            )
            assert answer.status == 206
            assert len(await one.read()) == large.length
            assert (await counter.fetch(large, shown | {"Range": "bytes=0-9"})).status == 206


async def test_the_books_follow_the_lists_and_a_list_that_ends_is_a_problem_until_it_is_signed(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        store = kit.store
        signing = Signing(
            tmp_path / "packages", tmp_path / "keys", store.books, store.clock, CountedNames()
        )
        await signing.look()
        packages = PackagesInHand(tmp_path, store.clock.now)
        packages.publish("physics", "1.0.0")
        new = packages.publish("physics", "2.0.0")

        async def looked(days: float = 0) -> tuple[dict[str, bool], list[str]]:
            """Look after so many days; return what is offered, and the problems there are."""
            store.clock.move(days * 86_400)
            packages.now = store.clock.now
            await signing.look()
            rows = await store.books.read(modules.versions)
            kinds = (await kit.told("/api/v1/problems")).json["problems"]
            offered = {row["version"]: row["withdrawn_at"] is None for row in rows}
            return offered, [each["kind"] for each in kinds if each["solved_at"] is None]

        assert await looked() == ({"1.0.0": True, "2.0.0": True}, [])
        packages.withdraw(new)
        assert await looked() == ({"1.0.0": True, "2.0.0": False}, [])
        for _ in range(10):
            assert (await looked(7))[1] == []
            assert packages.repository.current().expires_at()["timestamp"] > store.clock.now
        assert (await looked(7))[1] == ["packages_stale"]
        (packages.metadata / "1.programs.json").rename(tmp_path / "away")
        assert (await looked(7))[1] == ["packages_stale"]
        (tmp_path / "away").rename(packages.metadata / "1.programs.json")
        for kind in ("program", "module"):
            packages.publish(f"new-{kind}", "3.0.0", kind=kind)
        assert await looked() == ({"1.0.0": True, "2.0.0": False, "3.0.0": True}, [])
