"""The console's terminals: who waits is seen first, and one word of a page lets it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.rules.accounts import OperatorRole
from tests.fakes.store import SHINJUKU, Offer, a_specification
from tests.rim.test_web_registration import LARGE, SMALL, a_manual_store, claimed, seen, specify
from tests.rim.web_kit import web_kit

HERE = "/operator/terminals"


async def test_who_waits_stands_first_and_is_let_in_by_one_word_of_the_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        assert "No terminal is here yet" in (await kit.get(HERE, headers=browser)).text
        await a_manual_store(kit)
        who = await claimed(kit)
        await specify(kit, who, a_specification(Offer(devices=1), SMALL))
        listed = (await kit.get(HERE, headers=browser)).text
        assert "Waiting for your word" in listed
        page = f"{HERE}/{who.terminal}"
        shown = (await kit.get(page, headers=browser)).text
        for words in ("What confirming it allows", "never been confirmed", "runs here", "Reject"):
            assert words in shown
        looked_at = (await seen(kit, who))["gate_digest"]
        form = {"event": "confirm", "gate_digest": looked_at, "reason": "seen by me"}
        await specify(kit, who, a_specification(Offer(devices=1), LARGE))
        stale = await kit.post(f"{page}/standing", data=form, headers=browser)
        assert (stale.status, stale.headers["Location"]) == (303, f"{page}?said=no_longer")
        form["gate_digest"] = (await seen(kit, who))["gate_digest"]
        done = await kit.post(f"{page}/standing", data=form, headers=browser)
        assert (done.status, done.headers["Location"]) == (303, f"{page}?said=confirmed")
        after = await seen(kit, who)
        assert after["standing"] == "confirmed"
        (line,) = [each for each in after["audit"] if each["reason"] == "seen by me"]
        assert line["actor"].startswith("op-")
        told = (await kit.get(f"{page}?said=confirmed", headers=browser)).text
        assert "It is confirmed." in told
        assert "It is as it was" in told


@pytest.mark.parametrize(("event", "said"), [("suspend", "suspended"), ("retire", "retired")])
async def test_nobody_is_shut_out_by_the_page_without_a_reason(
    tmp_path: Path, event: str, said: str
):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        opened = await kit.store.open()
        page = f"{HERE}/{opened.terminal}"
        form = {"event": event, "reason": "  "}
        refused = await kit.post(f"{page}/standing", data=form, headers=browser)
        assert refused.headers["Location"].endswith("said=no_reason")
        form["reason"] = "it is stolen"
        done = await kit.post(f"{page}/standing", data=form, headers=browser)
        assert done.headers["Location"].endswith(f"said={said}")


async def test_staff_look_at_a_terminal_and_are_offered_no_word_on_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        staff = await kit.signed_in(OperatorRole.STAFF, SHINJUKU)
        page = f"{HERE}/{opened.terminal}"
        shown = await kit.get(page, headers=staff)
        assert (shown.status, "/standing" in shown.text) == (200, False)
        form = {"event": "suspend", "reason": "because"}
        refused = await kit.post(f"{page}/standing", data=form, headers=staff)
        assert refused.status == 403
        elsewhere = await kit.signed_in(OperatorRole.OWNER, "osaka")
        assert (await kit.get(page, headers=elsewhere)).status == 404
