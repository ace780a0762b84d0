"""The page for whoever has lost a ticket: an address goes in, a letter goes out, no word else."""

from __future__ import annotations

from cloud_controller.flows import letters
from cloud_controller.web.routes import Call, Page
from cloud_controller.web.tickets import MailGiven


async def show_page(_call: Call[None]) -> Page:
    """Ask for the address that tickets were booked with."""
    return Page(template="find.html", facts={"is_asked": False})


async def find(call: Call[MailGiven]) -> Page:
    """Have the links mailed, and say the same whether there are any or not."""
    await call.parts.books.transact(letters.find_again, call.asked.mail, call.language.code)
    return Page(template="find.html", facts={"is_asked": True})
