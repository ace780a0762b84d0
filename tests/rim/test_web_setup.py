"""The set-up in the console: guided from nothing, kept sheet by sheet, refused in words, undone."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest

from cloud_controller import bookings
from cloud_controller.flows import registration, setup
from common.ids import StoreId
from common.messages.service import Program, Requirements
from common.rules.accounts import OperatorRole
from common.rules.setup import SetupKind
from tests.fakes.store import SHINJUKU, Offer, Opened, a_new_store
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.web_kit import Answered, WebKit, web_kit

SETUP: Final = "/operator/setup"
OURS: Final = {**SIGNED_IN, "Sec-Fetch-Site": "same-origin"}


async def looked_at(kit: WebKit, path: str = SETUP, status: int = 200) -> str:
    answered = await kit.get(path, headers=SIGNED_IN)
    assert answered.status == status, path
    return answered.text


async def send(kit: WebKit, path: str, **said: Any) -> Answered:
    form = {name: str(each) for name, each in said.items()}
    return await kit.post(path, data=form, headers=OURS)


def stages(text: str) -> dict[str, str]:
    """Return what the guide says of each stage."""
    found = re.findall(r'<p class="stage"><b>(.+?)</b> <span class="state">(.+?)</span>', text)
    return dict(found)


def fields_of(text: str) -> dict[str, str]:
    """Return what the form of a sheet would send if nothing were changed."""
    form = re.search(r'<form class="sheet-form".*?</form>', text, re.DOTALL)
    assert form is not None
    body = form[0]
    said = dict(re.findall(r'<input[^>]* name="(\w+)" type="text"[^>]*? value="([^"]*)"', body))
    said |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', body))
    said |= dict(re.findall(r'name="(seen)" value="(\d+)"', body))
    said |= dict(re.findall(r'type="checkbox"[^>]*? name="(\w+)" value="(True)" checked', body))
    chosen = r'<select[^>]* name="(\w+)"[^>]*>(?:(?!</select>).)*? value="(\w+)" selected'
    said |= dict(re.findall(chosen, body, re.DOTALL))
    disabled = re.findall(r'name="(\w+)"[^>]* disabled', body)
    return {name: unescape(each) for name, each in said.items() if name not in disabled}


async def test_an_empty_database_is_led_to_its_first_sold_slot(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        empty = await looked_at(kit)
        assert stages(empty)["The store"] == "next"
        assert "new-store" in empty
        made = await send(
            kit, f"{SETUP}/new-store", store="shinjuku", title="Shinjuku", time_zone="Asia/Tokyo"
        )
        assert made.status == 303
        text = await looked_at(kit, made.headers["Location"])
        assert stages(text)["Opening hours"] == "next"
        await change(kit, f"{SETUP}/stores/shinjuku/hours")  # as it is: always, by somebody's word
        text = await looked_at(kit)
        assert stages(text)["The first PC joins"] == "next"
        code = await send(kit, f"{SETUP}/stores/shinjuku/enrolment-code")
        assert "edge-agent enrol --settings" in code.text
        assert f"--url {kit.url}" in code.text
        await change(kit, f"{SETUP}/stores/shinjuku", policy="automatic")
        await sells(kit, await kit.store.open())


async def sells(kit: WebKit, opened: Opened) -> None:
    """Go on with the guide, from the first terminal to the first slot."""
    assert stages(await looked_at(kit))["Its price"] in {"next", "done"}
    await change(kit, f"{SETUP}/offerings/{opened.offering}/prices", hour="900", tax="10")
    assert stages(await looked_at(kit))["The first slot is sold"] == "next"
    await kit.store.book(opened, kit.store.clock.now + 3_600_000)
    text = await looked_at(kit)
    assert stages(text) == {}, "there is nothing left to guide through"
    assert "¥900 an hour" in text
    assert "10 %" in text


async def change(kit: WebKit, path: str, **said: str) -> None:
    """Open a sheet, write something else into it, and save it."""
    kept = await send(kit, path, **(fields_of(await looked_at(kit, path)) | said))
    assert kept.status == 303, kept.text


async def test_every_sheet_sent_back_as_it_was_says_the_same(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=2, change_seconds=5400, grid_seconds=100))
        for path, kind, subject in await sheets(kit, opened):
            before = await kit.store.books.read(bookings.stands_as, kind, subject)
            said = fields_of(await looked_at(kit, path))
            kept = await send(kit, path, **said)
            assert kept.status == 303, (path, kept.text)
            after = await kit.store.books.read(bookings.stands_as, kind, subject)
            told = {"told_by": after.get("told_by")} if "told_by" in after else {}
            assert after == before | told, path


async def sheets(kit: WebKit, opened: Opened) -> list[tuple[str, SetupKind, str]]:
    """Return each sheet's address, with what it is of."""
    device, offering = opened.devices[0], opened.offering
    made = await send(kit, f"{SETUP}/stores/{SHINJUKU}/helpers", name="Yuki")
    (helper,) = set(re.findall(r"/operator/setup/helpers/([\w-]+)", made.text))
    wants = Requirements(cores_min=4, memory_bytes_min=2**30 + 2**29, needs_gpu=True)
    program = Program(program="game", requires=wants, modules=("physics",))
    await kit.store.books.transact(bookings.keep_program, program, "settings")
    return [
        (f"{SETUP}/stores/{SHINJUKU}", SetupKind.STORE, SHINJUKU),
        (f"{SETUP}/stores/{SHINJUKU}/hours", SetupKind.HOURS, SHINJUKU),
        (f"{SETUP}/offerings/{offering}", SetupKind.OFFERING, offering),
        (f"{SETUP}/offerings/{offering}/prices", SetupKind.PRICES, offering),
        (f"{SETUP}/programs/game", SetupKind.PROGRAM, "game"),
        (f"{SETUP}/devices/{device}", SetupKind.DEVICE, device),
        (f"{SETUP}/helpers/{helper}", SetupKind.HELPER, helper),
    ]


CHANGES: Final = (
    {"title": "Shinjuku West", "directions": "Exit 4\nthen left", "reason": "we moved"},
    {"always": "", "fri": "9:00-12:00, 13:00-26:00", "exceptions": "2026-12-31 closed"},
    {"title": "Arena", "title_ja": "アリーナ", "lengths": "30, 90", "turnover": "7.5"},
    {"hour": "1,200", "bands": "mon-fri 10:00-17:00 800", "packages": "Night|6h|3000", "tax": "8"},
    {"cores_min": "8", "key": "arena", "title": "Arena", "price": "500", "lengths": "60"},
    {"place": "to the left"},
    {"name": "Yuki S."},
)
"""What is written into each sheet, in their order."""


async def test_what_is_changed_shows_what_differs_and_one_tap_undoes_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        for (path, kind, subject), change in zip(await sheets(kit, opened), CHANGES, strict=True):
            before = await kit.store.books.read(bookings.stands_as, kind, subject)
            said = fields_of(await looked_at(kit, path)) | change
            kept = await send(kit, path, **said)
            assert kept.status == 303, (path, kept.text)
            text = await looked_at(kit, kept.headers["Location"])
            assert "Saved." in text
            assert "<del>" in text
            assert await kit.store.books.read(bookings.stands_as, kind, subject) != before
            (undo,) = re.findall(
                r'<div class="undo".*?name="undo" value="(\d+)".*?name="seen" value="(\d+)"',
                text,
                re.DOTALL,
            )
            undone = await send(kit, path, undo=undo[0], seen=undo[1])
            assert undone.status == 303
            assert await kit.store.books.read(bookings.stands_as, kind, subject) == before
            latest = (await kit.store.books.read(setup.versions, kind, subject))[0]
            assert latest.actor not in {"", "settings"}


WRONG: Final = (
    ("hours", {"always": "", "fri": "ten to six"}, "Hours are said as 10:00-22:00."),
    ("hours", {"always": "", "fri": "10:00-14:00, 13:00-15:00"}, "Two of these hours overlap."),
    ("hours", {"always": "", "holidays": "2027-01-01\n2027-02-30"}, "Line 2: A date is said"),
    ("offering", {"lengths": "soon"}, "This is no number."),
    ("offering", {"title": " "}, "Say something here."),
    ("offering", {"currency": "yen!"}, "Three letters, such as JPY."),
    ("offering", {"price": "9.5"}, "This is no amount in this currency."),
    ("offering", {"turnover": "99999"}, "That is too much."),
    ("prices", {"hour": "", "bands": "10:00-12:00 900"}, "need a price for all other times"),
    ("prices", {"hour": "9", "bands": "10:00-12:00 9\nnever 9"}, "Line 2: Weekdays are"),
    ("store", {"title": ""}, "Say something here."),
    ("store", {"policy": "perhaps"}, "This cannot be so."),
)


async def test_what_cannot_be_kept_comes_back_as_it_was_written_and_says_why(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        where = {
            "store": f"{SETUP}/stores/{SHINJUKU}",
            "hours": f"{SETUP}/stores/{SHINJUKU}/hours",
            "offering": f"{SETUP}/offerings/{opened.offering}",
            "prices": f"{SETUP}/offerings/{opened.offering}/prices",
        }
        for sheet, said, words in WRONG:
            form = fields_of(await looked_at(kit, where[sheet]))
            refused = await send(kit, where[sheet], **(form | said))
            assert refused.status == 422, (sheet, said)
            assert words in unescape(refused.text), (sheet, said)
            assert refused.text.count('aria-invalid="true"') == 1
            back = fields_of(refused.text)
            assert {name: back.get(name, "") for name in said if name != "policy"} == {
                name: each.strip() if name == "always" else each
                for name, each in said.items()
                if name != "policy"
            }


async def test_who_saves_after_somebody_else_has_loses_nothing_and_is_told(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        path = f"{SETUP}/stores/{SHINJUKU}"
        said = fields_of(await looked_at(kit, path))
        assert (await send(kit, path, **(said | {"title": "West"}))).status == 303
        late = await send(kit, path, **(said | {"title": "East"}))
        assert late.status == 422
        assert "somebody else has changed this" in late.text
        assert 'value="East"' in late.text


async def test_the_settings_file_is_shown_where_it_differs_and_taken_by_one_tap(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        seed = await kit.store.books.read(bookings.stands_as, SetupKind.STORE, SHINJUKU)
        kit.seeds[SetupKind.STORE, SHINJUKU] = seed
        path = f"{SETUP}/stores/{SHINJUKU}"
        text = await looked_at(kit, path)
        assert "It says the same." in text
        said = fields_of(text) | {"title": "West"}
        await send(kit, path, **said)
        text = await looked_at(kit, path)
        assert "The file says otherwise." in text
        taken = await send(kit, path, undo="file", seen=fields_of(text)["seen"])
        assert taken.status == 303
        now = await kit.store.books.read(bookings.stands_as, SetupKind.STORE, SHINJUKU)
        assert now == seed


async def test_a_helper_is_made_let_in_anew_and_let_go(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert (
            "no_name"
            in (await send(kit, f"{SETUP}/stores/{SHINJUKU}/helpers", name=" ")).headers["Location"]
        )
        made = await send(kit, f"{SETUP}/stores/{SHINJUKU}/helpers", name="Yuki")
        (first,) = re.findall(r"/helper/enter/\w+", made.text)
        (helper,) = set(re.findall(r"/operator/setup/helpers/([\w-]+)", made.text))
        assert "Yuki" in await looked_at(kit)
        renewed = await send(kit, f"{SETUP}/helpers/{helper}/link")
        (second,) = re.findall(r"/helper/enter/\w+", renewed.text)
        assert first != second
        assert (await kit.get(first)).status == 404
        assert (await kit.get(second)).status == 200
        gone = await send(kit, f"{SETUP}/helpers/{helper}/remove")
        assert gone.status == 303
        await looked_at(kit, f"{SETUP}/helpers/{helper}", 404)


async def test_words_are_given_back_to_their_terminals(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        path = f"{SETUP}/offerings/{opened.offering}"
        said = fields_of(await looked_at(kit, path)) | {"title": "Arena"}
        await send(kit, path, **said)
        assert "In your words" in await looked_at(kit, path)
        assert (await send(kit, f"{path}/hand-back")).status == 303
        assert "As its terminals say it" in await looked_at(kit, path)


async def test_whoever_only_looks_changes_nothing_and_of_another_store_there_is_no_sheet(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.store.books.transact(registration.add_store, a_new_store(StoreId("osaka")))
        viewer = await kit.signed_in(OperatorRole.VIEWER, SHINJUKU)
        elsewhere = await kit.signed_in(OperatorRole.OWNER, "osaka")
        everything = await sheets(kit, opened)
        for path, kind, subject in everything:
            before = await kit.store.books.read(bookings.stands_as, kind, subject)
            is_shared = kind is SetupKind.PROGRAM
            looked = await kit.get(path, headers=viewer)
            assert looked.status == (403 if is_shared else 200)
            assert ">Save<" not in looked.text
            for who, statuses in ((viewer, {403}), (elsewhere, {403 if is_shared else 404})):
                tried = await kit.post(path, data={"undo": "1", "seen": "2"}, headers=who)
                assert tried.status in statuses, path
                assert await kit.store.books.read(bookings.stands_as, kind, subject) == before
        assert "Shinjuku" not in (await kit.get(SETUP, headers=elsewhere)).text
        assert "new-store" not in (await kit.get(SETUP, headers=elsewhere)).text


async def test_hours_that_shut_somebody_out_say_so(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.store.book(opened, kit.store.clock.now + 3_600_000)
        hours = f"{SETUP}/stores/{SHINJUKU}/hours"
        assert "Sold for times that are closed" not in await looked_at(kit, hours)
        await change(kit, hours, always="", mon="10:00-12:00")
        assert "Sold for times that are closed now: 1." in await looked_at(kit, hours)


async def test_what_is_kept_from_sale_is_listed_calls_to_what_was_sold_and_is_taken_back(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.store.book(opened, kit.store.clock.now + 3_600_000)  # at ten in Tokyo
        path = f"{SETUP}/stores/{SHINJUKU}/closures"
        assert "Nothing is kept from sale" in await looked_at(kit, path)
        form = {"starts": "2026-10-23T09:30", "ends": "2026-10-23T12:00", "reason": "Paint"}
        for wrong, words in (
            ({"ends": "2026-10-23T09:00"}, "It ends before it begins."),
            ({"starts": "at noon"}, "This is no date and time."),
            ({"reason": " "}, "Say something here."),
            ({"device": "d-none"}, "This cannot be so."),
        ):
            refused = await send(kit, path, **(form | wrong))
            assert refused.status == 422
            assert words in refused.text
        over = {"starts": "2026-10-21T09:00", "ends": "2026-10-21T12:00"}
        assert (await send(kit, path, **(form | over))).status == 422
        assert (await send(kit, path, **form)).status == 303
        text = await looked_at(kit, path)
        assert "Paint" in text
        assert "9:30" in text
        assert "Sold for times that are closed now: 1." in text
        (closed,) = re.findall(r"/operator/setup/blackouts/([\w-]+)/remove", text)
        assert (await send(kit, f"{SETUP}/blackouts/{closed}/remove")).status == 303
        assert "Nothing is kept from sale" in await looked_at(kit, path)


@pytest.mark.parametrize(
    "path",
    [
        "stores/none",
        "stores/none/hours",
        "stores/none/closures",
        "offerings/none",
        "programs/none",
        "devices/none",
    ],
)
async def test_there_is_no_sheet_of_what_is_not_there(tmp_path: Path, path: str):
    async with web_kit(tmp_path) as kit:
        await looked_at(kit, f"{SETUP}/{path}", 404)
