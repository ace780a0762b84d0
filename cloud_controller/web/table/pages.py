"""What customers' browsers open, and the forms of our own pages."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import photos, pictures, tickets
from cloud_controller.web.live import opening
from cloud_controller.web.pages import (
    changes as change_pages,
    clean,
    find,
    more,
    offering,
    order,
    stores,
    ticket,
    waiting as waiting_pages,
)
from cloud_controller.web.routes import COMMUNICATION, WEB, Asset, Call, Route, Who
from cloud_controller.web.table.paces import (
    BOOKINGS_A_MINUTE,
    CHANGES_A_MINUTE,
    FINDS_A_MINUTE,
    FINDS_A_MINUTE_IN_ALL,
    LETTERS_A_MINUTE,
    PHOTOS_A_MINUTE,
    PHOTOS_A_MINUTE_IN_ALL,
    QUOTES_A_MINUTE,
    QUOTES_A_MINUTE_IN_ALL,
)
from common.messages.offerings import PICTURE_TYPE

HTML: Final = "text/html"

EVENTS: Final = "text/event-stream"
"""What never ends by itself: whoever tries every route leaves these out, or cuts them."""


async def show_asset(call: Call[None]) -> Asset:
    """Return a file that pages refer to."""
    return Asset(name=call.names["name"])


# fmt: off
PAGE_ROUTES: Final = (
    Route("GET", "/", stores.show_front, Who.ANYBODY, WEB,
          "The stores; where there is one only, what it has.", media_type=HTML),
    Route("GET", "/s/{store}", stores.show_store, Who.ANYBODY, WEB,
          "What a store has to be had.", media_type=HTML),
    Route("GET", "/events", opening.watch_shelves, Who.ANYBODY, WEB,
          "What is on offer, as it changes.", asks=opening.ShelvesWanted, media_type=EVENTS),
    Route("GET", "/offline", stores.show_offline, Who.ANYBODY, WEB,
          "What is shown without a network.", media_type=HTML),
    Route("GET", "/worker.js", stores.show_worker, Who.ANYBODY, WEB,
          "What shows it then.", media_type="text/javascript"),
    Route("GET", "/o/{offering}", offering.show_offering, Who.ANYBODY, WEB,
          "The times of an offering.", asks=offering.TimesWanted, media_type=HTML),
    Route("POST", "/book", offering.book, Who.OUR_PAGES, WEB,
          "Book a time.", asks=offering.BookingForm, media_type=HTML, takes_key=True,
          calls_a_minute=BOOKINGS_A_MINUTE),
    Route("GET", "/t/worker.js", ticket.show_worker, Who.ANYBODY, WEB,
          "What keeps tickets readable without a network.", media_type="text/javascript"),
    Route("GET", "/b/{link}", order.show_page, Who.LINK_HOLDER, WEB,
          "An order.", media_type=HTML),
    Route("POST", "/b/{link}/confirm", order.confirm, Who.OUR_PAGES, WEB,
          "Confirm what is held, or begin to pay for it.", asks=order.ConfirmForm, media_type=HTML,
          calls_a_minute=QUOTES_A_MINUTE, calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("POST", "/b/{link}/voucher", order.try_voucher, Who.OUR_PAGES, WEB,
          "See what a voucher takes off.", asks=order.VoucherForm, media_type=HTML,
          calls_a_minute=QUOTES_A_MINUTE, calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("POST", "/b/{link}/party", order.change_party, Who.OUR_PAGES, WEB,
          "Hold the same for another number of people.", asks=order.PartyForm, media_type=HTML,
          takes_key=True, calls_a_minute=BOOKINGS_A_MINUTE),
    Route("POST", "/b/{link}/release", order.release, Who.OUR_PAGES, WEB,
          "Let go of what is held.", media_type=HTML),
    Route("GET", "/o/{offering}/wait", waiting_pages.ask, Who.ANYBODY, WEB,
          "Ask to wait for a time that is full.", asks=waiting_pages.WaitWanted, media_type=HTML),
    Route("POST", "/wait", waiting_pages.join, Who.OUR_PAGES, WEB,
          "Wait for a time that is full.", asks=waiting_pages.WaitingForm, media_type=HTML,
          takes_key=True, calls_a_minute=BOOKINGS_A_MINUTE),
    Route("GET", "/w/{link}", waiting_pages.show_page, Who.LINK_HOLDER, WEB,
          "A place in the waiting list.", media_type=HTML),
    Route("GET", "/w/{link}/events", opening.watch_waiting, Who.LINK_HOLDER, WEB,
          "When a place in the waiting list has changed.", asks=opening.Heard, media_type=EVENTS),
    Route("POST", "/w/{link}/withdraw", waiting_pages.withdraw, Who.OUR_PAGES, WEB,
          "Wait no longer.", media_type=HTML),
    Route("GET", "/t/{link}/reschedule", change_pages.show_reschedule, Who.LINK_HOLDER, WEB,
          "The times that a reservation can be moved to.", asks=change_pages.TimesWanted,
          media_type=HTML),
    Route("POST", "/t/{link}/reschedule", change_pages.reschedule, Who.OUR_PAGES, WEB,
          "Move a reservation.", asks=change_pages.MovingForm, media_type=HTML, takes_key=True,
          calls_a_minute=CHANGES_A_MINUTE),
    Route("GET", "/t/{link}/transfer", change_pages.show_transfer, Who.LINK_HOLDER, WEB,
          "Ask to whom a reservation is given.", media_type=HTML),
    Route("POST", "/t/{link}/transfer", change_pages.transfer, Who.OUR_PAGES, WEB,
          "Give a reservation to somebody else.", asks=change_pages.GivingForm, media_type=HTML,
          takes_key=True, calls_a_minute=CHANGES_A_MINUTE),
    Route("GET", "/t/{link}/more", more.show_page, Who.LINK_HOLDER, WEB,
          "By how much a session can go on.", media_type=HTML),
    Route("POST", "/t/{link}/more", more.extend, Who.OUR_PAGES, WEB,
          "Let a session go on.", asks=more.MoreForm, media_type=HTML, takes_key=True,
          calls_a_minute=QUOTES_A_MINUTE, calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("POST", "/t/{link}/itself", more.agree, Who.OUR_PAGES, WEB,
          "Say whether a session is to go on by itself.", asks=more.ItselfForm, media_type=HTML,
          calls_a_minute=CHANGES_A_MINUTE),
    Route("GET", "/t/{link}", ticket.show_page, Who.LINK_HOLDER, WEB,
          "A ticket.", media_type=HTML),
    Route("GET", "/t/{link}/events", opening.watch_ticket, Who.LINK_HOLDER, WEB,
          "When a ticket has changed.", asks=opening.Heard, media_type=EVENTS),
    Route("POST", "/t/{link}/cancel", ticket.cancel, Who.OUR_PAGES, WEB,
          "Give a reservation up.", media_type=HTML),
    Route("POST", "/t/{link}/end", ticket.end, Who.OUR_PAGES, WEB,
          "End what runs, before its time.", media_type=HTML),
    Route("POST", "/t/{link}/mail", ticket.send, Who.OUR_PAGES, WEB,
          "Have a ticket mailed to its holder.", asks=tickets.MailGiven, media_type=HTML,
          calls_a_minute=LETTERS_A_MINUTE),
    Route("GET", "/clean/{link}", clean.show_page, Who.LINK_HOLDER, WEB,
          "What is to be photographed after cleaning.", media_type=HTML),
    Route("POST", "/clean/{link}/{task}", clean.take_photo, Who.OUR_PAGES, WEB,
          "Confirm a turnover by a photo.", media_type=HTML,
          file_bytes_max=photos.PHOTO_BYTES_MAX, calls_a_minute=PHOTOS_A_MINUTE,
          calls_a_minute_in_all=PHOTOS_A_MINUTE_IN_ALL),
    Route("GET", "/find", find.show_page, Who.ANYBODY, WEB, "Find a lost ticket.",
          media_type=HTML),
    Route("POST", "/find", find.find, Who.OUR_PAGES, WEB, "Have a lost ticket's link mailed.",
          asks=tickets.MailGiven, media_type=HTML, calls_a_minute=FINDS_A_MINUTE,
          calls_a_minute_in_all=FINDS_A_MINUTE_IN_ALL),
    Route("GET", "/pictures/{picture}", pictures.show_picture, Who.ANYBODY, WEB,
          "A picture of an offering.", media_type=PICTURE_TYPE),
    Route("GET", "/static/{name}", show_asset, Who.ANYBODY, WEB | COMMUNICATION,
          "A file that pages refer to.", media_type="*/*"),
)
# fmt: on
