"""Who is let in where: by session, by role, by store; and what is not his, is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_controller.flows.accounts import STORE_OF, Lives
from cloud_controller.web.routes import OPERATORS
from cloud_controller.web.table import ROUTES
from common.rules.accounts import EVERY_STORE, OperatorRole
from tests.rim.web_kit import WebKit, web_kit

API = "/api/v1"
PAGE = "/operator/modules"


def test_each_name_in_an_operator_s_path_is_some_store_s_or_known_as_none_s():
    of_no_store = {"program", "module", "photo", "key"}
    names = {
        part.strip("{}").removesuffix(".csv")
        for route in ROUTES
        if route.who in OPERATORS
        for part in route.path.split("/")
        if part.startswith("{")
    }
    assert names <= set(STORE_OF) | of_no_store


async def test_a_session_ends_unused_and_after_its_whole_time_however_it_is_used(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        lives = Lives()
        for _ in range(lives.whole_seconds // lives.idle_seconds):
            assert (await kit.get(PAGE, headers=browser)).status == 200
            kit.store.clock.move(lives.idle_seconds - 1)
        kit.store.clock.move(lives.whole_seconds // lives.idle_seconds)
        assert (await kit.get(PAGE, headers=browser)).status == 401
        browser = await kit.signed_in()
        kit.store.clock.move(lives.idle_seconds)
        assert (await kit.get(PAGE, headers=browser)).status == 401


async def test_no_cookie_but_a_whole_session_s_opens_a_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for cookie in ("", "operator=", "operator=" + "0" * 64, "holder=" + "0" * 64):
            refused = await kit.get(PAGE, headers={"Cookie": cookie})
            assert refused.status == 401
            assert "Set-Cookie" not in refused.headers


@pytest.mark.parametrize("role", list(OperatorRole))
async def test_another_store_s_things_are_not_there_and_one_s_own_take_the_role(
    tmp_path: Path, role: OperatorRole
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        for path in (f"/devices/{opened.devices[0]}", "/stores/shinjuku/hours"):
            method = "POST" if "devices" in path else "PUT"
            mine = await told_by(kit, role, "shinjuku", method, API + path)
            others = await told_by(kit, role, "elsewhere", method, API + path)
            assert others == 404
            is_his = role is OperatorRole.OWNER or (
                "devices" in path and role is OperatorRole.STAFF
            )
            assert (mine == 403) is not is_his
        everywhere = await told_by(kit, role, "shinjuku", "GET", f"{API}/programs")
        assert everywhere == 403, "what belongs to no store is for those of every store"
        assert await told_by(kit, role, EVERY_STORE, "GET", f"{API}/programs") == 200


async def told_by(kit: WebKit, role: OperatorRole, store: str, method: str, path: str) -> int:
    """Return what somebody with this role's token hears who sends nothing in particular."""
    headers = await kit.token_of(role, store)
    answered = await kit.call(method, path, headers=headers, json=None if method == "GET" else {})
    return answered.status
