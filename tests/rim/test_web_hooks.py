"""Owners say over the API who is told of events; nobody else sees or says any of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.rules.accounts import OperatorRole
from tests.fakes.store import SHINJUKU
from tests.rim.hook_kit import receiver, sender
from tests.rim.web_kit import WebKit, assert_problem, web_kit

HOOKS = "/api/v1/hooks"
WANTED = {"url": "https://accounts.example/in", "title": "Accounts", "types": ["payment"]}


async def made(kit: WebKit, **changed: Any) -> dict[str, Any]:
    answer = await kit.told(HOOKS, WANTED | changed)
    assert answer.status == 201
    hook: dict[str, Any] = answer.json
    return hook


async def test_an_endpoint_is_made_changed_and_removed_and_shows_its_secret_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hook = await made(kit)
        assert hook["secret"].startswith("whsec_")
        path = f"{HOOKS}/{hook['hook']}"
        known = (await kit.told(path)).json
        assert "secret" not in known
        assert (known["state"], known["types"]) == ("on", ["payment"])
        changed = {"url": "https://b.example/", "types": ["session", "device", "session"]}
        assert (await kit.told(path, changed, method="PUT")).json["types"] == ["device", "session"]
        again = (await kit.told(f"{path}/secret", {})).json
        assert again["secret"] not in ("", hook["secret"])
        assert again["old_secret_until"] is not None
        assert (await kit.told(f"{path}/switch", {"is_on": False})).json["state"] == "off"
        assert_problem(await kit.told(f"{path}/test", {}), 409, "not_allowed")
        assert (await kit.told(path, method="DELETE")).status == 200
        assert_problem(await kit.told(path), 404, "not_found")
        acts = await kit.store.books.read(
            lambda books: [row["act"] for row in books.post.audit_of(subject=hook["hook"], most=9)]
        )
    assert acts == [
        "hook.removed",
        "hook.switched_off",
        "hook.secret_made",
        "hook.changed",
        "hook.added",
    ]


async def test_an_address_of_our_own_network_is_refused(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for url in ("http://a.example/", "https://127.0.0.1/", "https://[::1]/", "https://db/"):
            assert_problem(await kit.told(HOOKS, WANTED | {"url": url}), 409, "not_allowed")
        assert_problem(await kit.told(HOOKS, WANTED | {"types": ["*"]}), 422, "invalid_body")
        assert (await kit.told(HOOKS)).json == {"hooks": []}


async def test_what_was_told_can_be_looked_at_and_said_again(tmp_path: Path):
    there = receiver()
    async with web_kit(tmp_path) as kit, there.up():
        hook = await made(kit, url=there.url.replace("127.0.0.1", "localhost"))
        path = f"{HOOKS}/{hook['hook']}"
        tested = (await kit.told(f"{path}/test", {})).json
        out = sender(kit.store, "localhost")
        await out.look_once()
        (delivery,) = (await kit.told(f"{path}/deliveries")).json["deliveries"]
        assert (delivery["state"], delivery["answer"]) == ("delivered", "204")
        assert (delivery["event"], delivery["type"]) == (tested["event"], "hook.test")
        replay = f"{path}/deliveries/{delivery['delivery']}/replay"
        assert (await kit.told(replay, {})).json["state"] == "waiting"
        await out.look_once()
        assert len({headers["webhook-id"] for headers, _ in there.taken}) == 1
        assert there.calls == 2
        since = {"since": "2026-01-01T00:00:00Z"}
        assert (await kit.told(f"{path}/replay", since)).json == {"replayed": 0}
        for nothing in ("999", "x", "9" * 40):
            wrong = f"{path}/deliveries/{nothing}/replay"
            assert_problem(await kit.told(wrong, {}), 404, "not_found")


async def test_an_owner_of_one_store_says_who_is_told_of_his_and_sees_no_other(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        everywhere = await made(kit)
        owner = await kit.token_of(OperatorRole.OWNER, SHINJUKU)
        assert_problem(await kit.post(HOOKS, json=WANTED, headers=owner), 403, "not_permitted")
        mine = await kit.post(HOOKS, json=WANTED | {"store": SHINJUKU}, headers=owner)
        assert mine.status == 201
        listed = (await kit.get(HOOKS, headers=owner)).json["hooks"]
        assert [each["hook"] for each in listed] == [mine.json["hook"]]
        foreign = await kit.get(f"{HOOKS}/{everywhere['hook']}", headers=owner)
        assert_problem(foreign, 404, "not_found")
        staff = await kit.token_of(OperatorRole.STAFF, SHINJUKU)
        refused = await kit.get(f"{HOOKS}/{mine.json['hook']}", headers=staff)
        assert_problem(refused, 403, "not_permitted")


async def test_an_owner_adds_tries_and_removes_an_endpoint_on_its_pages(tmp_path: Path):
    there, page = receiver(), "/operator/hooks"
    async with web_kit(tmp_path) as kit, there.up():
        await kit.store.open()
        owner = await kit.signed_in()
        form = {"url": there.url.replace("127.0.0.1", "localhost"), "title": "A<b>", "store": "*"}
        wrong = await kit.post(page, data=form | {"url": "https://10.0.0.1/"}, headers=owner)
        assert wrong.headers["Location"] == f"{page}?said=refused"
        made = await kit.post(page, data=form, headers=owner)
        assert "whsec_" in made.text
        assert "A&lt;b&gt;" in made.text
        (hook,) = (await kit.told(HOOKS)).json["hooks"]
        one = f"{page}/{hook['hook']}"
        tested = await kit.post(f"{one}/test", headers=owner)
        assert (tested.status, tested.headers["Location"]) == (303, f"{one}?said=tested")
        await sender(kit.store, "localhost").look_once()
        shown = (await kit.get(one, headers=owner)).text
        assert "hook.test" in shown
        assert "whsec_" not in shown
        for act in ("replay", "off", "on", "secret", "remove"):
            assert (await kit.post(f"{one}/{act}", headers=owner)).status in (200, 303)
        assert (await kit.get(one, headers=owner)).status == 404
