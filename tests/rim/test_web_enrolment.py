"""A terminal gets its identity over HTTP and keeps it; nobody else gets it, or learns a secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509

from cloud_controller.certificates import Authority
from cloud_controller.flows.enrolment import CODE_LIFE_SECONDS
from cloud_controller.web.table import ROUTES
from cloud_controller.web.table.paces import ENROLMENTS_A_MINUTE, ENROLMENTS_A_MINUTE_IN_ALL
from cloud_controller.web.table.pages import EVENTS
from common.rules.enrolment import Ladder
from common.seals import new_signing_key, public_bytes, renewal_document, seal_document
from common.system import SystemNames
from common.tls import fingerprint_of
from tests.fakes.store import GIVEN, SALTED, SHINJUKU
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

API = "/api/v1"
KEY, OTHER_KEY = new_signing_key(b"k" * 32), new_signing_key(b"o" * 32)
STORE = {"store": "osaka", "title": "Osaka", "time_zone": "Asia/Tokyo", "policy": "manual"}


async def test_a_terminal_enrols_with_a_code_of_the_operator_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        added = await kit.told(f"{API}/stores", STORE)
        assert (added.status, added.json["number"]) == (200, 1)
        asked = {"code": await a_code(kit), "public_key": "ab" * 32, "hostname": "pc-7"}
        enrolled = await kit.post(f"{API}/enrolments", json=asked)
        assert enrolled.status == 201
        assert enrolled.json == {
            "terminal": enrolled.json["terminal"],
            "store": "osaka",
            "epoch": enrolled.json["epoch"],
            "secret": SALTED.secret,
            "ladder": 0,
            "broker": {"host": "127.0.0.1", "port": 1883},
            "authority": "",
            "certificate": "",
            "public_keys": {"1": kit.store.keys.public_keys()[1]},
        }
        again = await kit.post(f"{API}/enrolments", json=asked)
        assert again.json == enrolled.json
        thief = await kit.post(f"{API}/enrolments", json={**asked, "public_key": "cd" * 32})
        assert_problem(thief, 403, "code_is_spent")


async def test_a_code_that_is_out_of_date_enrols_nobody(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        code = await a_code(kit)
        kit.store.clock.move(CODE_LIFE_SECONDS)
        assert_problem(await enrol(kit, code), 403, "code_is_spent")
        assert (await kit.told(f"{API}/terminals")).json == {"terminals": []}


async def test_a_code_for_a_terminal_is_made_in_its_own_store_only(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.told(f"{API}/stores", STORE)
        for store, terminal in (("osaka", opened.terminal), (SHINJUKU, "t-nobody"), ("no", None)):
            refused = await ask_for_code(kit, store=store, terminal=terminal)
            assert_problem(refused, 404, "not_found")
        made = await ask_for_code(kit, store=SHINJUKU, terminal=opened.terminal)
        assert made.json["terminal"] == opened.terminal


async def test_a_terminal_that_enrols_again_begins_anew_and_its_old_epoch_is_over(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        first = (await enrol(kit, await a_code(kit))).json
        again = (await enrol(kit, await a_code(kit, terminal=first["terminal"]))).json
        assert again["terminal"] == first["terminal"]
        assert again["epoch"] != first["epoch"]
        assert_problem(await renew(kit, first), 403, "not_renewed")
        assert (await renew(kit, again)).status == 200


async def test_a_pc_whose_terminal_has_retired_enrols_as_a_new_one(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        first = (await enrol(kit, await a_code(kit))).json
        await kit.told(standing_of(first), {"event": "retire", "reason": "moved away"})
        assert_problem(await ask_for_code(kit, terminal=first["terminal"]), 404, "not_found")
        new = (await enrol(kit, await a_code(kit))).json
        assert new["terminal"] != first["terminal"]
        assert_problem(await renew(kit, first), 403, "not_renewed")


async def test_a_pc_that_is_a_terminal_already_gets_no_second_identity_and_is_reported(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        first = (await enrol(kit, await a_code(kit))).json
        code = await a_code(kit)
        refused = await enrol(kit, code, hostname="copy-of-pc-7")
        assert_problem(refused, 409, "key_is_known")
        assert first["terminal"] in refused.json["detail"]
        (problem,) = (await kit.told(f"{API}/problems")).json["problems"]
        assert problem["kind"] == "key_enrolled_twice"
        assert problem["evidence"] == {"hostname": "copy-of-pc-7"}
        assert (await enrol(kit, code, key=OTHER_KEY)).status == 201


async def test_a_pc_that_was_told_our_fingerprint_can_check_who_we_are(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        assert (await ask_for_code(kit)).json["pin"] is None
        assert_problem(await kit.get(f"{API}/authority"), 404, "not_found")
        authority = with_certificates(kit, tmp_path)
        shown = await kit.get(f"{API}/authority")
        assert shown.headers["Content-Type"].startswith("application/pem-certificate-chain")
        assert shown.text == authority.pem
        assert fingerprint_of(shown.text) == (await ask_for_code(kit)).json["pin"]


async def test_on_the_highest_step_a_terminal_gets_a_certificate_and_renews_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        authority = with_certificates(kit, tmp_path)
        enrolled = (await enrol(kit, await a_code(kit))).json
        renewed = (await renew(kit, enrolled)).json
        for told in (enrolled, renewed):
            assert (told["ladder"], told["authority"]) == (2, authority.pem)
            certificate = x509.load_pem_x509_certificate(told["certificate"].encode())
            assert enrolled["terminal"] in certificate.subject.rfc4514_string()
            assert certificate.public_key() == KEY.public_key()
        assert renewed["certificate"] != enrolled["certificate"]
        assert set(renewed) == set(enrolled) - {"terminal", "store", "epoch", "secret"}


async def test_nothing_is_renewed_for_whoever_is_not_that_terminal_of_this_epoch(tmp_path: Path):
    """All refusals are alike: they teach nobody which terminals there are."""
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        who = (await enrol(kit, await a_code(kit))).json
        other = (await enrol(kit, await a_code(kit), key=OTHER_KEY)).json
        refused = [
            await renew(kit, who, key=OTHER_KEY),
            await renew(kit, who | {"epoch": other["epoch"]}),
            await renew(kit, who | {"terminal": other["terminal"]}),
            await renew(kit, who | {"terminal": "t-nobody"}),
        ]
        await kit.told(standing_of(who), {"event": "retire", "reason": "sold"})
        refused.append(await renew(kit, who))
        for answer in refused:
            assert_problem(answer, 403, "not_renewed")
        assert len({answer.body for answer in refused}) == 1


async def test_a_secret_is_said_once_and_no_reading_tells_it_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        code = await a_code(kit)
        answer = await enrol(kit, code)
        renewed = await renew(kit, answer.json)
        for said in (answer, renewed, await ask_for_code(kit), await kit.get(f"{API}/authority")):
            assert said.headers["Cache-Control"] == "no-store"
        names = {"terminal": answer.json["terminal"], "store": "osaka"}
        names |= dict.fromkeys(
            ("link", "offering", "name", "reservation", "device", "photo", "picture"), "0"
        )
        names |= dict.fromkeys(("kind", "package", "file", "module"), "0")
        names |= dict.fromkeys(("helper", "call", "picture", "key", "program", "hook"), "0")
        names["problem"] = "0"
        for route in ROUTES:
            if route.method == "GET" and route.media_type != EVENTS:
                told = await kit.told(route.path.format_map(names))
                for secret in (SALTED.secret, SALTED.salt, SALTED.digest, code):
                    assert secret not in told.text


async def test_codes_cannot_be_guessed_from_many_addresses(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        statuses = []
        for peer in range(ENROLMENTS_A_MINUTE_IN_ALL // ENROLMENTS_A_MINUTE + 1):
            kit.http = await from_address(kit.http, f"127.0.0.{peer + 2}")
            statuses += [
                (await enrol(kit, "AAAAAAAAAA")).status for _ in range(ENROLMENTS_A_MINUTE)
            ]
        expected = [403] * ENROLMENTS_A_MINUTE_IN_ALL + [429] * ENROLMENTS_A_MINUTE
        assert statuses == expected
        kit.store.clock.move(61)
        assert (await enrol(kit, "AAAAAAAAAA")).status == 403


@pytest.mark.parametrize("hostname", ["", "<script>", "a b", "x" * 254, "名前"])
async def test_a_hostname_that_is_none_is_not_taken(tmp_path: Path, hostname: str):
    async with web_kit(tmp_path) as kit:
        assert_problem(await enrol(kit, "AAAAAAAAAA", hostname=hostname), 422, "invalid_body")


def with_certificates(kit: WebKit, folder: Path) -> Authority:
    """Let the controller stand on the highest step of the ladder."""
    authority = Authority(folder / "authority", kit.store.clock, SystemNames())
    kit.authority = authority.pem
    certify = authority.certify_terminal
    kit.given = replace(GIVEN, ladder=Ladder.CERTIFICATE, certify=certify)
    return authority


async def from_address(http: aiohttp.ClientSession, address: str) -> aiohttp.ClientSession:
    """Return a caller at another address of this machine, in another's place."""
    await http.close()
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0)))


async def ask_for_code(
    kit: WebKit, *, store: str = "osaka", terminal: str | None = None
) -> Answered:
    return await kit.told(f"{API}/enrolment-codes", {"store": store, "terminal": terminal})


async def a_code(kit: WebKit, *, terminal: str | None = None) -> str:
    made = await ask_for_code(kit, terminal=terminal)
    assert (made.status, made.json["life_seconds"]) == (201, CODE_LIFE_SECONDS)
    code: str = made.json["code"]
    return code


async def enrol(kit: WebKit, code: str, *, key: Any = KEY, hostname: str = "pc-7") -> Answered:
    public_key = public_bytes(key).hex()
    asked = {"code": code, "public_key": public_key, "hostname": hostname}
    return await kit.post(f"{API}/enrolments", json=asked)


async def renew(kit: WebKit, who: dict[str, Any], *, key: Any = KEY) -> Answered:
    signature = seal_document(renewal_document(who["terminal"], who["epoch"]), key)
    asked = {"epoch": who["epoch"], "signature": signature}
    return await kit.post(f"{API}/terminals/{who['terminal']}/credentials", json=asked)


def standing_of(who: dict[str, Any]) -> str:
    return f"{API}/terminals/{who['terminal']}/standing"
