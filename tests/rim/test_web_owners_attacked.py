"""Attacks on the console by those who have a little of it: links, names, races, others' stores."""

from __future__ import annotations

import re
from pathlib import Path

from cloud_controller import bookings
from cloud_controller.bookings import Word
from cloud_controller.flows import accounts, alerts, help as calls, registration
from cloud_controller.flows.accounts import Browser
from cloud_controller.ports import Transaction
from common.ids import StoreId
from common.rules.accounts import OperatorRole
from common.rules.problems import AlertRule
from common.rules.setup import SetupKind
from tests.fakes.store import SHINJUKU, a_new_store
from tests.rim.people_kit import PASSWORD, Person
from tests.rim.web_kit import Answered, web_kit

UENO = StoreId("ueno")
STAFF = {"role": "staff", "store": "*"}


async def test_who_is_sent_another_link_proves_himself_anew_and_is_in_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana, ken = Person(kit), Person(kit)
        await hana.join()
        await joins(ken, link_in((await hana.send("/operator/people", name="Ken", **STAFF)).text))
        page = (await hana.get("/operator/people")).text
        (his,) = re.findall(r"/operator/people/(op-\w+)/link", page)
        link = link_in((await hana.send(f"/operator/people/{his}/link")).text)
        again = Person(kit)
        assert (await joins(again, link)).headers["Location"] == "/operator/me?said=joined"
        assert (await ken.get("/operator")).status == 401
        assert (await again.get("/operator")).status == 200
        assert (await Person(kit).get(f"/operator/join/{link}")).status == 404


async def test_nobody_is_called_as_the_audit_calls_others_nor_by_marks_nobody_sees(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        hana = Person(kit)
        await hana.join()
        invited = await hana.send("/operator/people", name="Ken", **STAFF)
        path = f"/operator/join/{link_in(invited.text)}"
        for name in ("operator", "Settings", "token:board", "Hana\u202e", "Ken\0"):
            form = {"name": name, "password": PASSWORD, "again": PASSWORD}
            said = await Person(kit).send(path, **form)
            assert said.status == 422 or said.headers["Location"] == f"{path}?said=taken", name
        for name in ("policy", "token:x"):
            said = await hana.send("/operator/people", name=name, **STAFF)
            assert said.headers["Location"] == "/operator/people?said=taken"


async def test_a_password_that_was_changed_while_it_was_looked_at_begins_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await Person(kit).join()

        def sign_in_late(books: Transaction) -> tuple[str, str]:
            row = books.accounts.operator_by_name(name="Hana")
            first = accounts.begin_half(books, row, Browser())
            books.accounts.keep_password(operator_id=row["operator_id"], password="another")  # noqa: S106 - no hash
            return first, accounts.begin_half(books, row, Browser())

        first, late = await kit.store.books.transact(sign_in_late)
        assert first
        assert late == ""


async def test_an_owner_of_one_store_says_no_older_word_about_another(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        helper = await kit.store.books.transact(helped_in_both)
        owner = await kit.signed_in(OperatorRole.OWNER, SHINJUKU)
        form = {"name": "Yuki", "stores": SHINJUKU, "seen": "2", "undo": "1"}
        path = f"/operator/setup/helpers/{helper}"
        refused = await kit.post(path, data=form, headers=owner)
        assert refused.status == 409
        document = await kit.store.books.read(calls.helper_document, helper)
        assert document["stores"] == [SHINJUKU]
        assert (await kit.post(path, data=form, headers=await kit.signed_in())).status == 303


async def test_who_is_told_of_a_store_s_problems_is_shown_to_whoever_sets_it_up(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.books.transact(told_of_ueno)
        owner = await kit.signed_in(OperatorRole.OWNER, SHINJUKU)
        await kit.store.books.transact(also_looks, UENO)
        for path in ("/operator/setup/alerts?store=ueno", "/operator/setup/alerts"):
            page = await kit.get(path, headers=owner)
            assert page.status == (403 if "store" in path else 200)
            assert "night@ueno.example" not in page.text
        page = await kit.get("/operator/setup/alerts?store=ueno", headers=await kit.signed_in())
        assert "night@ueno.example" in page.text


async def test_what_is_said_on_a_screen_turns_and_hides_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        path = f"/api/v1/devices/{(await kit.store.open()).devices[0]}/messages"
        said = await kit.told(path, {"text": "a\u202eb\x1b[31m\r\nc"})
        assert (said.status, said.json["text"]) == (201, "ab[31m c")
        nothing = await kit.told(path, {"text": "\u202e\x07"})
        assert nothing.status == 422


async def test_a_nought_byte_is_refused_before_any_database_hears_of_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        browser = await kit.signed_in()
        said = await kit.post(
            "/operator/tokens",
            data={"name": "a\0b", "permission": "look", "store": "*"},
            headers=browser,
        )
        told = await kit.told("/api/v1/problems/p-1/solve", {"reason": "a\0b"})
        asked = await kit.told("/api/v1/blackouts?store=a%00b")
        assert {said.status, told.status, asked.status} <= {400, 422}


def link_in(page: str) -> str:
    (link,) = set(re.findall(r"/operator/join/([0-9a-f]{64})", page))
    return str(link)


async def joins(person: Person, link: str) -> Answered:
    await person.send(f"/operator/join/{link}", name="Ken", password=PASSWORD, again=PASSWORD)
    page = (await person.get("/operator/prove")).text
    (secret,) = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)
    person.secret = secret.replace(" ", "")
    return await person.send("/operator/prove", code=person.code())


def helped_in_both(books: Transaction) -> str:
    """Have somebody help in both stores, then in one; return who."""
    for store in (SHINJUKU, UENO):
        registration.add_store(books, a_new_store(store))
    helper = calls.add(books, "Yuki", [SHINJUKU, UENO], "tests").helper
    said = {"name": "Yuki", "stores": [SHINJUKU]}
    bookings.keep_document(books, SetupKind.HELPER, helper, said, Word(actor="tests"))
    return helper


def told_of_ueno(books: Transaction) -> None:
    for store in (SHINJUKU, UENO):
        registration.add_store(books, a_new_store(store))
    rule = AlertRule(mails=("night@ueno.example",), language="en")
    alerts.keep_rule(books, UENO, rule, "tests")


def also_looks(books: Transaction, store: str) -> None:
    """Have whoever was made last be a viewer of another store too."""
    (last, *_) = sorted(books.accounts.operators(most=9), key=lambda each: -each["made_at"])
    books.accounts.give_role(
        operator_id=last["operator_id"], store_id=store, role=OperatorRole.VIEWER
    )
