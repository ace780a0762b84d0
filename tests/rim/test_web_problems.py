"""Whoever runs a store sees what is wrong, why, what to do, and can do it there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from common.rules.accounts import OperatorRole
from tests.fakes.store import SHINJUKU
from tests.rim.mail_kit import change
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.scenes_of_problems import ALERTS, PAGE, planted
from tests.rim.web_kit import WebKit, web_kit

GOOD = {
    "mails": "aiko@x.example\nken@x.example",
    "least": "note",
    "language": "ja",
    "wait_minutes": "2",
    "quiet_from": "22:00",
    "quiet_until": "08:00",
    "loud": "yes",
    "escalate_minutes": "15",
    "escalates_to": "boss@x.example",
}


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "books.sqlite")) as books:
        books.row_factory = sqlite3.Row
        return [dict(row) for row in books.execute(f"SELECT * FROM {table}")]  # noqa: S608 - ours


def audits(folder: Path) -> list[tuple[str, str]]:
    return [(row["actor"], row["act"]) for row in rows(folder, "audit")]


async def listed(kit: WebKit, headers: dict[str, str], query: str = "") -> str:
    return (await kit.get(f"{PAGE}{query}", headers=headers)).text


async def test_the_list_has_the_most_pressing_first_and_says_what_to_do(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        page = await listed(kit, SIGNED_IN)
        first, second, last = (
            page.index(f"{PAGE}/{each}") for each in (found.called, found.lost, found.paid_back)
        )
        assert max(first, second) < last
        for words in ("Now", "To be known", "Somebody at a device has called for help.", "Booth"):
            assert words in page


async def test_a_problem_shows_its_evidence_and_its_ticket_s_story_and_no_link(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        page = (await kit.get(f"{PAGE}/{found.lost}", headers=SIGNED_IN)).text
        assert "The ticket&#39;s story" in page
        assert "is sold for this time, and is out of order" in page
        assert "&lt;b&gt;" in page
        assert found.link not in page


async def test_a_button_moves_the_reservation_and_another_pays_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        me = await kit.signed_in(OperatorRole.STAFF, SHINJUKU)
        moved = await kit.post(
            f"/operator/reservations/{found.reservation}/move",
            data={"device": found.devices[1], "back": f"{PAGE}/{found.lost}"},
            headers=me,
        )
        assert moved.headers["Location"] == f"{PAGE}/{found.lost}?said=moved"
        told = (await kit.get(moved.headers["Location"], headers=me)).text
        assert 'role="status"' in told
        assert rows(tmp_path, "reservations")[0]["device_id"] == found.devices[1]
        for said in ("paid_back", "not_paid_back"):
            answer = await kit.post(f"{PAGE}/{found.lost}/pay-back", headers=me)
            assert answer.headers["Location"].endswith(f"said={said}")
        assert rows(tmp_path, "reservations")[0]["state"] == "cancelled"
        assert [act for _, act in audits(tmp_path)].count("reservation.given_up") == 1
        assert (await kit.post(f"{PAGE}/{found.called}/pay-back", headers=me)).status == 404


async def test_taking_on_and_settling_are_each_one_line_of_the_audit(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        me = await kit.signed_in(OperatorRole.STAFF, SHINJUKU)
        for _ in range(2):
            assert (await kit.post(f"{PAGE}/{found.called}/take", headers=me)).status == 303
        said = {"reason": "I went <there>"}
        assert (
            await kit.post(f"{PAGE}/{found.called}/solve", data={"reason": " "}, headers=me)
        ).status == 422
        for _ in range(2):
            await kit.post(f"{PAGE}/{found.called}/solve", data=said, headers=me)
        acts = [act for _, act in audits(tmp_path)]
        assert acts.count("problem.taken") == 1
        assert acts.count("problem.help_asked.solved") == 1
        page = (await kit.get(f"{PAGE}/{found.called}", headers=me)).text
        assert "I went &lt;there&gt;" in page
        assert f"{PAGE}/{found.called}/solve" not in page
        assert found.called in await listed(kit, me, "?solved=true")
        assert found.called not in await listed(kit, me)


async def test_nobody_sees_or_settles_another_store_s_problems(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        other = await kit.signed_in(OperatorRole.OWNER, "elsewhere")
        viewer = await kit.signed_in(OperatorRole.VIEWER, SHINJUKU)
        assert found.called not in await listed(kit, other)
        paths = [f"{PAGE}/{found.called}/{act}" for act in ("take", "solve", "pay-back")]
        assert (await kit.get(f"{PAGE}/{found.called}", headers=other)).status == 404
        for path in paths:
            for who, status in ((other, 404), (viewer, 403)):
                answer = await kit.post(path, data={"reason": "x"}, headers=who)
                assert answer.status == status, path
        shown = (await kit.get(f"{PAGE}/{found.called}", headers=viewer)).text
        assert found.called in shown
        assert f"{PAGE}/{found.called}/" not in shown


async def test_a_rule_is_kept_shown_and_given_up_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await planted(kit)
        me = await kit.signed_in(OperatorRole.OWNER, SHINJUKU)
        kept = await kit.post(f"{ALERTS}/{SHINJUKU}", data=GOOD, headers=me)
        assert kept.headers["Location"] == f"{ALERTS}?store={SHINJUKU}&said=kept"
        page = (await kit.get(kept.headers["Location"], headers=me)).text
        for words in ("aiko@x.example", "ken@x.example", "boss@x.example", "22:00", "08:00"):
            assert words in page
        (row,) = rows(tmp_path, "alert_rules")
        assert (row["wait_seconds"], row["escalate_seconds"], row["uses_webhooks"]) == (120, 900, 0)
        assert (await kit.post(ALERTS, data=GOOD, headers=me)).status == 403
        await kit.post(f"{ALERTS}/{SHINJUKU}/forget", headers=me)
        assert rows(tmp_path, "alert_rules") == []
        acts = [act for _, act in audits(tmp_path)]
        assert (acts.count("alerts.changed"), acts.count("alerts.forgotten")) == (1, 1)


async def test_a_rule_that_cannot_be_is_not_kept_and_says_where_it_is_wrong(tmp_path: Path):
    wrong = (
        {"mails": "nobody"},
        {"escalates_to": "a@x.example " * 11},
        {"quiet_from": "25:00"},
        {"quiet_until": ""},
        {"language": "tlh"},
    )
    async with web_kit(tmp_path) as kit:
        await planted(kit)
        for each in wrong:
            answer = await kit.post(ALERTS, data=GOOD | each, headers=SIGNED_IN)
            assert answer.status == 422, each
            assert 'role="alert"' in answer.text
        assert rows(tmp_path, "alert_rules") == []
        change(tmp_path, "UPDATE stores SET title = '<i>'")
        assert "<i>" not in (await kit.get(f"{ALERTS}?store={SHINJUKU}", headers=SIGNED_IN)).text


async def test_a_program_sees_and_takes_on_the_problems_of_its_stores_alone(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        found = await planted(kit)
        mine = await kit.token_of(OperatorRole.STAFF, SHINJUKU)
        other = await kit.token_of(OperatorRole.STAFF, "elsewhere")
        path = "/api/v1/problems"
        told = (await kit.get(path, headers=mine)).json["problems"]
        lost = next(each for each in told if each["problem"] == found.lost)
        assert (len(told), lost["severity"], lost["store"]) == (3, "urgent", SHINJUKU)
        assert (await kit.get(path, headers=other)).json["problems"] == []
        assert (await kit.post(f"{path}/{found.lost}/take", headers=other)).status == 404
        taken = await kit.post(f"{path}/{found.lost}/take", headers=mine)
        assert taken.json["taken_by"].startswith("token:at-")
