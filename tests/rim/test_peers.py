"""The door of other controllers: who is turned away, and that nothing breaks it (D10, D11)."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cloud_controller.bundle import Bundle
from cloud_controller.certificates import Authority
from cloud_controller.flows.rights import peers
from cloud_controller.web import guard, peers as door
from common.messages.rights import Announce
from common.system import SystemClock, SystemNames
from common.tls import fingerprint_of, trusting
from tests.fakes.controllers import PHYSICS
from tests.rim.peers_kit import RootKit, post, root_kit, shown

NONCE = "ab" * 16
REFUSED_BY_TLS = (aiohttp.ClientError, ssl.SSLError, OSError)


def announce(bundle: Bundle, *, name: str = "", kind: str = f"seats:{PHYSICS}") -> dict[str, Any]:
    comm_id = f"{name or bundle.name}/{bundle.epoch}/{kind}/1/{NONCE}"
    return Announce(comm_id=comm_id).model_dump(mode="json")


async def refusal(root: RootKit, tls: ssl.SSLContext, body: dict[str, Any]) -> tuple[int, str]:
    """Return what an announcement is refused with, and see that no flow was called."""
    await root.flows_called()
    answer = await post(root.url, "announce", tls, json=body)
    assert await root.flows_called() == []
    return answer.status, answer.code


async def test_d11_whom_the_root_has_let_in_is_answered(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        answer = await post(root.url, "announce", shown(tmp_path, bundle), json=announce(bundle))
        assert answer.status == 200
        assert answer.json == {
            "type": "rights.announced",
            "data": {"comm_id": announce(bundle)["comm_id"]},
        }


async def test_without_a_certificate_there_is_no_talk(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        with pytest.raises(REFUSED_BY_TLS):
            await post(root.url, "announce", trusting(root.authority.pem), json=announce(bundle))
        assert await root.flows_called() == []


async def test_a_certificate_of_another_authority_is_none(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", SystemClock(), SystemNames())
        certificate, key = other.certify_peer(peers.certificate_name("osaka"))
        forged = root.bundle("osaka", bundle.epoch, certificate, key)
        with pytest.raises(REFUSED_BY_TLS):
            await post(root.url, "announce", shown(tmp_path, forged), json=announce(bundle))
        assert await root.flows_called() == []


async def test_in_the_clear_there_is_no_talk(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        url = root.url.replace("https", "http")
        with pytest.raises(REFUSED_BY_TLS):
            await post(url, "announce", None, json=announce(bundle))
        assert await root.flows_called() == []


async def test_a_peer_that_is_revoked_is_turned_away_at_once(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        await root.books.transact(peers.revoke_peer, "osaka", "tests", "")
        refused = await refusal(root, shown(tmp_path, bundle), announce(bundle))
        assert refused == (403, "peer_not_admitted")


async def test_the_certificate_of_an_earlier_epoch_is_turned_away(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        old = await root.let_in("osaka")
        new = await root.let_in("osaka")
        refused = await refusal(root, shown(tmp_path, old), announce(old))
        assert refused == (403, "peer_not_admitted")
        stale = new.model_copy(update={"epoch": old.epoch})
        answer = await post(root.url, "announce", shown(tmp_path, new), json=announce(stale))
        assert answer.json["data"]["trouble"] == "fenced"


async def test_a_peer_may_not_speak_in_the_name_of_another(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        osaka, nara = await root.let_in("osaka"), await root.let_in("nara")
        body = announce(nara)
        refused = await refusal(root, shown(tmp_path, osaka), body)
        assert refused == (403, "peer_not_admitted")


@pytest.mark.parametrize("name", ["peer:kobe", "osaka", "controller", "service", "t-1", "peer:"])
async def test_no_other_certificate_of_our_authority_opens_the_door(tmp_path, name):
    """Not a terminal's, not the controller's own, not one that names a peer and is not its."""
    async with root_kit(tmp_path / "root") as root:
        osaka = await root.let_in("osaka")
        certificate, key = root.authority.certify_peer(name)
        body = announce(osaka)
        other = root.bundle("osaka", osaka.epoch, certificate, key)
        assert await refusal(root, shown(tmp_path, other), body) == (403, "peer_not_admitted")
        if name == "peer:kobe":
            certificate, key = root.authority.certify_peer("peer:osaka")
            other = root.bundle("osaka", osaka.epoch, certificate, key)
            assert await refusal(root, shown(tmp_path, other), body) == (403, "peer_not_admitted")


async def test_a_certificate_that_is_not_made_out_to_a_peer_is_none_even_if_it_is_known(tmp_path):
    """A terminal's is of the same authority: were its name a peer's, it would still be no peer."""
    async with root_kit(tmp_path / "root") as root:
        certificate, key = root.authority.certify_peer("osaka")
        fingerprint = fingerprint_of(certificate)
        epoch = await root.books.transact(peers.add_peer, "osaka", fingerprint, "tests")
        bundle = root.bundle("osaka", epoch, certificate, key)
        refused = await refusal(root, shown(tmp_path, bundle), announce(bundle))
        assert refused == (403, "peer_not_admitted")


def bodies(bundle: Bundle) -> list[bytes]:
    """Return what nobody should send."""
    good = announce(bundle)
    comm_id = good["comm_id"]
    digest = "a" * 64
    deep = b'{"comm_id":' + b"[" * 20_000
    document = {"comm_id": comm_id, "module": "\ud800", "holds": float("nan")}
    presented = {"comm_id": comm_id, "document": document, "signature": "0" * 128}
    asked = {"comm_id": comm_id, "digest": digest}
    requests = [
        {"module": PHYSICS, "seats": 10**400},
        {"module": PHYSICS, "seats": float("inf")},
        {"module": "\ud800", "seats": 1},
        {"module": PHYSICS, "seats": True},
        {"module": PHYSICS, "seats": None},
        {"a" * 1000: [{}] * 1000},
    ]
    wrong_ids: list[Any] = ["", "x", 5, None, [], "\ud800", "a" * 300]
    wrong_before: list[Any] = [5, {}, {"comm_id": "\x00"}]
    said: list[Any] = [
        *({**good, "comm_id": wrong} for wrong in wrong_ids),
        *({"comm_id": comm_id, "completed": wrong} for wrong in wrong_before),
        {**good, "completed": {"comm_id": "osaka/0/x:y/1/" + NONCE, "digest": digest}},
        {**good, "comm_id": comm_id.replace("/1/", f"/{10**17}/")},
        {**good, "comm_id": comm_id.replace("/1/", "/9999999999999999999/")},
        {**good, "comm_id": comm_id.replace("seats:", "module:")},
        {**good, "comm_id": comm_id.replace("seats:", "nothing:")},
        *({**asked, "request": each} for each in requests),
        *({**asked, "request": wrong} for wrong in wrong_ids),
        {**asked, "presented": presented},
        {**asked, "presented": {"comm_id": comm_id, "reason": "\ud800"}},
        {**asked, "presented": {}},
    ]
    raw = [b"", b"\x00", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"{}" * 10, deep, b"NaN"]
    return [*raw, *(json.dumps(each).encode() for each in said)]


async def test_nothing_that_is_said_breaks_the_door(tmp_path):
    async with root_kit(tmp_path / "root") as root:
        bundle = await root.let_in("osaka")
        tls = shown(tmp_path, bundle)
        headers = {"Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(ssl=tls)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as http:
            for method in ("announce", "request", "complete", "abort", "contest", "announce"):
                for body in bodies(bundle):
                    url = f"{root.url}/api/v1/peers/exchanges/{method}"
                    async with http.post(url, data=body) as response:
                        text = await response.text()
                        assert response.status < 500, (method, body[:200], text)
        assert (await root.pool())[1] in {0, 1}


@pytest.mark.parametrize(
    ("method", "how", "status", "code"),
    [
        ("announced", {"json": {}}, 404, "not_found"),
        ("right", {"json": {}}, 404, "not_found"),
        ("..%2f..%2fstores", {"json": {}}, 404, "not_found"),
        ("announce/x", {"json": {}}, 404, "not_found"),
        ("announce", {"http_method": "GET"}, 405, "method_not_allowed"),
        ("announce", {"data": b"{}"}, 415, "wrong_content_type"),
        ("announce", {"data": {"a": "b"}}, 415, "wrong_content_type"),
        ("announce", {"json": {"comm_id": "x"}}, 422, "invalid_body"),
        ("announce", {"json": {"x": "y" * guard.BODY_BYTES_MAX}}, 413, "body_too_large"),
    ],
)
async def test_what_is_no_message_is_refused_by_its_name(tmp_path, method, how, status, code):
    async with root_kit(tmp_path / "root") as root:
        tls = shown(tmp_path, await root.let_in("osaka"))
        answer = await post(root.url, method, tls, **how)
        assert (answer.status, answer.code) == (status, code)
        assert await root.flows_called() == []


async def test_a_body_that_drips_is_not_waited_for(tmp_path, monkeypatch):
    async with root_kit(tmp_path / "root") as root:
        monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)
        tls = shown(tmp_path, await root.let_in("osaka"))

        async def drip() -> AsyncIterator[bytes]:
            yield b'{"comm_id":'
            await asyncio.sleep(5)
            yield b'"x"}'

        headers = {"Content-Type": "application/json"}
        answer = await post(root.url, "announce", tls, data=drip(), headers=headers)
        assert (answer.status, answer.code) == (408, "body_too_slow")


async def test_a_peer_that_asks_too_often_waits_and_the_others_do_not(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "CALLS_A_MINUTE", 3)
    async with root_kit(tmp_path / "root") as root:
        osaka, nara = await root.let_in("osaka"), await root.let_in("nara")
        tls = shown(tmp_path, osaka)
        statuses = [
            (await post(root.url, "announce", tls, json=announce(osaka))).status for _ in range(5)
        ]
        assert statuses == [200, 200, 200, 429, 429]
        answer = await post(root.url, "announce", shown(tmp_path, nara), json=announce(nara))
        assert answer.status == 200
