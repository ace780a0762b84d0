"""Into the console and out of it, and what does not lead in: guesses, old codes, others' pages."""

from __future__ import annotations

import re
from pathlib import Path

from cloud_controller.web.admission import FRESH_SECONDS
from tests.rim.people_kit import SECOND, SIGN_IN, Person
from tests.rim.web_kit import WebKit, web_kit


async def test_the_first_owner_comes_in_by_his_link_a_password_and_a_code(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        joined = await hana.join()
        assert (joined.status, joined.headers["Location"]) == (303, "/operator/me?said=joined")
        cookie = joined.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert (await hana.get("/operator/people")).status == 200
        made = (await hana.send("/operator/me/codes")).text
        codes = re.findall(r"<code>([0-9a-f-]{23})</code>", made)
        assert len(codes) == 10
        out = await hana.send("/operator/sign-out")
        assert out.headers["Location"] == f"{SIGN_IN}?said=out"
        assert (await hana.get("/operator/people")).status == 401
        signed_in = await hana.sign_in()
        assert signed_in.headers["Location"] == "/operator"
        await hana.send("/operator/sign-out")
        await hana.password()
        assert (await hana.send(SECOND, code=codes[0])).headers["Location"] == "/operator"
        await hana.password()
        assert "said=wrong" in (await hana.send(SECOND, code=codes[0])).headers["Location"]
        assert await acts(kit) >= {
            "operator.invited",
            "operator.joined",
            "operator.codes_kept",
            "operator.recovery_codes_made",
            "operator.recovery_code_used",
            "operator.signed_in",
            "operator.signed_out",
            "operator.sign_in_failed",
        }


async def test_neither_a_password_alone_nor_a_code_again_opens_a_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        code = hana.code()
        await hana.password()
        assert (await hana.get("/operator/people")).status == 401
        assert "wrong" in (await hana.send(SECOND, code=code)).headers["Location"]
        assert (await hana.get("/operator/people")).status == 401
        before = hana.cookie
        await hana.sign_in()
        assert hana.cookie != before, "a session has another key once its operator is known"
        assert (await hana.get("/operator/people")).status == 200


async def test_nobody_learns_whether_there_is_such_an_operator(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await Person(kit).join()
        stranger = Person(kit)
        known = await stranger.password("wrong password")
        unknown = await stranger.password("wrong password", "nobody")
        assert (known.status, known.headers["Location"], known.body) == (
            unknown.status,
            unknown.headers["Location"],
            unknown.body,
        )
        for _ in range(5):
            known = await stranger.password("wrong password")
            unknown = await stranger.password("wrong password", "nobody")
        kit.store.clock.move(61)
        for _ in range(5):
            known = await stranger.password("wrong password")
            unknown = await stranger.password("wrong password", "nobody")
        assert (known.status, unknown.status) == (429, 429)
        assert known.headers["Retry-After"] == unknown.headers["Retry-After"]


async def test_who_guesses_waits_longer_and_longer_and_the_owner_not_for_ever(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        guesses = waits = 0
        stranger = Person(kit)
        for _ in range(200):
            kit.store.clock.move(30)
            answered = await stranger.password("guess")
            waits += answered.status == 429
            guesses += answered.status == 303
        assert guesses <= 20, "in an hour and a half"
        assert waits >= 180
        kit.store.clock.move(900)
        assert (await hana.sign_in()).headers["Location"] == "/operator"


async def test_what_gives_the_rest_away_takes_a_second_step_of_just_now(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        form = {"name": "Ken", "role": "staff", "store": "*"}
        kit.store.clock.move(FRESH_SECONDS + 1)
        refused = await hana.send("/operator/people", **form)
        assert (refused.status, refused.headers["Location"]) == (303, f"{SECOND}?next=")
        assert (await hana.get(SECOND)).status == 200
        assert (await hana.send(SECOND, code=hana.code())).status == 303
        invited = await hana.send("/operator/people", **form)
        assert f"{kit.url}/operator/join/" in invited.text


async def test_a_form_of_another_site_does_nothing_whatever_cookie_comes_with_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        form = {"name": "Ken", "role": "owner", "store": "*"}
        for site in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            headers = {"Cookie": browser["Cookie"], **site}
            assert (await kit.post("/operator/people", data=form, headers=headers)).status == 403
        assert "operator.invited" not in await acts(kit)


async def test_a_way_on_leads_nowhere_but_into_the_console(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        for after in ("https://evil.example", "//evil.example", "/operatorx", "/operator/sign-in"):
            kit.store.clock.move(60)
            await hana.password()
            sent = await hana.send(SECOND, code=hana.code(), next=after)
            assert sent.headers["Location"] in {"/operator", "/operatorx"}, after


async def test_an_owner_stays_and_whoever_is_removed_is_out_at_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        (me,) = re.findall(
            r"/operator/people/(op-\w+)/role", (await hana.get("/operator/people")).text
        )
        for path, form in ((f"{me}/remove", {}), (f"{me}/role", {"store": "*", "role": ""})):
            refused = await hana.send(f"/operator/people/{path}", **form)
            assert refused.headers["Location"] == "/operator/people?said=last"
        ken = await kit.signed_in()
        assert (await kit.get("/operator/people", headers=ken)).status == 200
        form = {"name": "his", "permission": "look", "store": "*", "days": "30"}
        made = await kit.post("/operator/tokens", data=form, headers=ken)
        (token,) = re.findall(r"rsb_[0-9a-f]{64}", made.text)
        program = {"Authorization": f"Bearer {token}"}
        assert (await kit.get("/metrics", headers=program)).status == 200
        page = (await hana.get("/operator/people")).text
        (his,) = set(re.findall(r"/operator/people/(op-\w+)/remove", page)) - {me}
        gone = await hana.send(f"/operator/people/{his}/remove")
        assert gone.headers["Location"] == "/operator/people?said=removed"
        assert (await kit.get("/operator/people", headers=ken)).status == 401
        assert (await kit.get("/metrics", headers=program)).status == 401


async def test_a_token_does_what_its_scopes_say_until_it_is_ended(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        hana = Person(kit)
        await hana.join()
        form = {"name": "board", "permission": "serve", "store": "shinjuku", "days": "30"}
        made = (await hana.send("/operator/tokens", **form)).text
        (token,) = re.findall(r"rsb_[0-9a-f]{64}", made)
        headers = {"Authorization": f"Bearer {token}"}
        listed = "/api/v1/stores/shinjuku/offerings"
        assert (await kit.get(listed, headers=headers)).status == 200
        wish = await kit.call("PUT", "/api/v1/stores/shinjuku/hours", json={}, headers=headers)
        assert wish.status == 403
        assert (await kit.get("/metrics", headers=headers)).status == 403
        (name,) = re.findall(
            r"/operator/tokens/(at-\w+)/end", (await hana.get("/operator/tokens")).text
        )
        await hana.send(f"/operator/tokens/{name}/end")
        assert (await kit.get(listed, headers=headers)).status == 401


async def test_the_audit_is_filtered_and_its_sheet_reckons_with_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        form = {"name": "=1+1", "role": "viewer", "store": "*"}
        await kit.post("/operator/people", data=form, headers=browser)
        page = (await kit.get("/operator/audit?act=operator", headers=browser)).text
        assert "operator.invited" in page
        nothing = await kit.get("/operator/audit?act=oper&since=2020-01-01", headers=browser)
        assert "operator.invited" not in nothing.text
        sheet = (await kit.get("/operator/audit.csv", headers=browser)).text
        assert ",'=1+1" in sheet


async def acts(kit: WebKit) -> set[str]:
    """Return every kind of act that has been entered."""

    def read(books):
        rows = books.accounts.acts(
            before=2**62, actor="", act="", subject="", since=0, until=2**62, most=1000
        )
        return {row["act"] for row in rows}

    return await kit.store.books.read(read)
