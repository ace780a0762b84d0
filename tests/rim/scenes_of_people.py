"""The way into the console, and who runs the stores: forms, links, tokens, the audit."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.flows.accounts import first_link
from tests.rim.people_kit import NAME, PASSWORD, SECOND, SIGN_IN, Person
from tests.rim.views import Views, see
from tests.rim.web_kit import web_kit


async def way_in(folder: Path) -> Views:
    """From a link to a browser that is known, and what is wrong on the way."""
    async with web_kit(folder) as kit:
        hana = Person(kit)
        made = await kit.store.books.transact(first_link, "tests")
        link = f"/operator/join/{made.link}"
        yield see(kit, "an invitation", link)
        yield see(kit, "a password that everybody has", f"{link}?said=common")
        await hana.send(link, name=NAME, password=PASSWORD, again=PASSWORD)
        yield see(kit, "a second step to be set up", "/operator/prove", headers=hana.headers)
        wrong = "/operator/prove?said=wrong"
        yield see(kit, "a wrong first code", wrong, headers=hana.headers)
        yield see(kit, "a form of the password", SIGN_IN)
        yield see(kit, "a wrong password", f"{SIGN_IN}?said=wrong")
        yield see(kit, "a page for who has signed in", "/operator/people")
        await hana.join()
        await hana.password()
        yield see(kit, "a second step", SECOND, headers=hana.headers)
        yield see(kit, "a wrong code", f"{SECOND}?said=wrong", headers=hana.headers)


async def people(folder: Path) -> Views:
    """Who runs the stores, programs' tokens, the audit, and one's own page."""
    async with web_kit(folder) as kit:
        await kit.store.open()
        hana = Person(kit)
        await hana.join()
        pages = {"people": "people", "tokens": "tokens", "audit": "audit", "own": "me"}
        for name, path in pages.items():
            yield see(kit, f"no other {name}", f"/operator/{path}", headers=hana.headers)
        await hana.send("/operator/people", name="Ken", role="staff", store="shinjuku")
        form = {"name": "Board", "permission": "serve", "store": "shinjuku", "days": "30"}
        await hana.send("/operator/tokens", **form)
        await hana.send("/operator/me/codes")
        for name, path in pages.items():
            yield see(kit, f"some {name}", f"/operator/{path}", headers=hana.headers)
        none = "/operator/audit?actor=nobody"
        yield see(kit, "no such acts", none, headers=hana.headers)
