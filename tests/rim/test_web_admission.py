"""Who is let in where: by session, by role, by store; and what is not his, is not there."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from cloud_controller.flows.accounts import STORE_OF, Lives
from cloud_controller.ports import NotFound, NotPermitted
from cloud_controller.web.admission import Admission, asks_store
from cloud_controller.web.routes import OPERATORS, Route
from cloud_controller.web.table import ROUTES
from common.rules.accounts import EVERY_STORE, PERMISSIONS, OperatorRole
from tests.fakes.store import HOUR_MS, MORNING_AT
from tests.rim.web_kit import WebKit, web_kit

API = "/api/v1"
HERE, ELSEWHERE = "shinjuku", "elsewhere"
PAGE = "/operator/modules"


def test_each_name_in_an_operator_s_path_is_some_store_s_or_known_as_none_s():
    of_no_store = {"program", "module", "photo", "key", "passkey", "browser", "delivery"}
    names = {
        part.strip("{}").removesuffix(".csv")
        for route in ROUTES
        if route.who in OPERATORS
        for part in route.path.split("/")
        if part.startswith("{")
    }
    assert names <= set(STORE_OF) | of_no_store


ROWS_OF_THE_STORE = """
INSERT INTO sessions (session_id, ticket_id, reservation_id, store_id, device_id, terminal_id,
    program, fence, state, granted_seconds, granted_at, deadline_at)
    VALUES ('made', '', '', 'shinjuku', '', '', '', 1, 'ended', 1, 1, 1);
INSERT INTO blackouts VALUES ('made', 'shinjuku', NULL, 1, 2, '', 1);
INSERT INTO vouchers (voucher_id, code_digest, store_id, terms, starts_at, ends_at, uses_max,
    made_at) VALUES ('made', '', 'shinjuku', '{}', 1, 2, 1, 1);
INSERT INTO helpers (helper_id, name, made_at) VALUES ('made', '', 1);
INSERT INTO helper_stores VALUES ('made', 'shinjuku');
INSERT INTO help_calls (call_id, helper_id, store_id, terminal_id, language, price_cents, currency,
    state, chosen_at) VALUES ('made', 'made', 'shinjuku', 'TERMINAL', 'ja', 0, 'JPY', 'ended', 1);
INSERT INTO operator_roles VALUES ('made', 'shinjuku', 'staff');
INSERT INTO api_token_scopes VALUES ('made', 'shinjuku', 'look');
INSERT INTO hook_endpoints (endpoint_id, store_id, url, state, made_at)
    VALUES ('made', 'shinjuku', '', 'off', 1);
INSERT INTO problems (problem_id, kind, subject, store_id, why, evidence, proposals, raised_at,
    seen_at) VALUES ('made', '', '', 'shinjuku', '', '', '', 1, 1);
"""


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


async def test_what_names_a_store_in_its_query_or_body_is_done_there_alone(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        staff = await kit.token_of(OperatorRole.OWNER, "shinjuku")
        for store, status in (("shinjuku", 200), ("elsewhere", 404), ("", 403)):
            asked = f"?store={store}" if store else ""
            assert (await kit.get(f"{API}/reservations{asked}", headers=staff)).status == status
        for store, status in (("shinjuku", 201), ("elsewhere", 404)):
            made = await kit.post(f"{API}/enrolment-codes", json={"store": store}, headers=staff)
            assert made.status == status


@pytest.mark.parametrize("role", list(OperatorRole))
async def test_each_role_is_let_in_where_its_row_says_and_nowhere_else(
    tmp_path: Path, role: OperatorRole
):
    """Each role, route and store: one's own, another one, all; from the table alone."""
    async with web_kit(tmp_path) as kit:
        subjects = await one_of_each(kit, tmp_path)
        tokens = {store: await kit.token_of(role, store) for store in (HERE, ELSEWHERE, "*")}
        for route in (each for each in ROUTES if each.permission is not None):
            assert route.permission is not None
            may = route.permission in PERMISSIONS[role]
            names = re.findall(r"{(\w+)}", route.path)
            of_a_store = any(name in STORE_OF for name in names)
            is_told = route.by_store or asks_store(route)
            where_else = NotFound if of_a_store else None if is_told and may else NotPermitted
            expected = {
                "*": None if may else NotPermitted,
                HERE: None if may and (of_a_store or is_told) else NotPermitted,
                ELSEWHERE: where_else,
            }
            found = {
                store: await refusal_of(kit, route, subjects, headers)
                for store, headers in tokens.items()
            }
            assert found == expected, f"{role}: {route.method} {route.path}"


async def refusal_of(
    kit: WebKit, route: Route, subjects: dict[str, str], headers: dict[str, str]
) -> type[Exception] | None:
    """Return what the door says to a call about these subjects; None: come in."""
    names = {name: subjects.get(name, "none") for name in re.findall(r"{(\w+)}", route.path)}
    path = route.path.format_map(names)
    request = make_mocked_request(route.method, path, headers, match_info=names)
    try:
        await Admission(kit.parts).admit(route, request)
    except (NotFound, NotPermitted) as fault:
        return type(fault)
    return None


async def one_of_each(kit: WebKit, folder: Path) -> dict[str, str]:
    """Return a name of everything of one store that a path can name."""
    opened = await kit.store.open()
    await kit.store.book(opened, MORNING_AT + HOUR_MS)
    with closing(sqlite3.connect(folder / "books.sqlite", isolation_level=None)) as books:
        reservation, order = books.execute(
            "SELECT reservation_id, order_id FROM reservations"
        ).fetchone()
        books.executescript(ROWS_OF_THE_STORE.replace("TERMINAL", opened.terminal))
    made = dict.fromkeys(STORE_OF, "made")
    return made | {
        "store": HERE,
        "device": opened.devices[0],
        "terminal": opened.terminal,
        "offering": opened.offering,
        "reservation": reservation,
        "order": order,
    }
