"""Every route there is, a row each: what is not written here cannot be called."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from cloud_controller.web import (
    actions,
    changes,
    devices,
    enrolment,
    extensions,
    hours,
    lists,
    metrics,
    offerings,
    orders,
    packages,
    payments,
    photos,
    problems,
    receipts,
    registration,
    reservations,
    service,
    sessions,
    tickets,
    timeline,
    waiting,
)
from cloud_controller.web.module_routes import MODULE_ROUTES
from cloud_controller.web.openapi import json_document_of
from cloud_controller.web.pages import (
    changes as change_pages,
    clean,
    find,
    more,
    order,
    storefront,
    ticket,
    waiting as waiting_pages,
)
from cloud_controller.web.routes import (
    API,
    EVERY,
    MANAGEMENT,
    RESERVATION,
    RESERVATION_OR_WEB,
    WEB,
    Asset,
    Call,
    Route,
    Who,
)
from common.messages.service import Program
from common.rules.payments import Prices

ENROLMENTS_A_MINUTE: Final = 10
"""A person who types a code needs a few; behind a proxy all PCs of a chain are one peer."""

ENROLMENTS_A_MINUTE_IN_ALL: Final = 600
"""A code has 49 bits and lives fifteen minutes: 9 000 guesses from everywhere never meet one. With
fewer, six outsiders who guess would let nobody enrol."""

RENEWALS_A_MINUTE: Final = 120
"""Behind a proxy a thousand terminals are one peer; checking so many signatures takes 12 ms."""

PAPERS_A_MINUTE: Final = 60
"""A print takes some 10 ms of a processor; a family of tickets is printed at once."""

FINDS_A_MINUTE: Final = 5
"""A person mistypes an address twice; who tries many addresses is not a person."""

FINDS_A_MINUTE_IN_ALL: Final = 120
"""Each is a row and perhaps a letter: no crowd of callers makes us a source of mail."""

BOOKINGS_A_MINUTE: Final = 600
"""From one peer: behind a proxy all customers of a chain are one, and so many is a rush."""

QUOTES_A_MINUTE: Final = 60
QUOTES_A_MINUTE_IN_ALL: Final = 3_000
"""A quote says whether a voucher's code is one: 58 bits are not guessed at this pace."""

LETTERS_A_MINUTE: Final = 10
"""Each writes to an address that a caller names; behind a proxy all customers are one peer."""

PHOTOS_A_MINUTE: Final = 30
PHOTOS_A_MINUTE_IN_ALL: Final = 300
"""A photo takes up to a second of a processor; the cleaners of a chain may be one peer."""

CHANGES_A_MINUTE: Final = 30
"""Each writes a letter; a person changes his mind less often."""

HTML: Final = "text/html"


def table_for(roles: frozenset[str]) -> tuple[Route, ...]:
    """Return the rows that a controller with these roles has."""
    return tuple(route for route in ROUTES if not route.roles or route.roles & roles)


async def show_openapi(call: Call[None]) -> web.Response:
    """Return the description of the API that this controller has."""
    document = json_document_of(table_for(call.parts.roles), call.parts.public_url)
    return web.Response(text=document, content_type="application/json")


async def show_asset(call: Call[None]) -> Asset:
    """Return a file that pages refer to."""
    return Asset(name=call.names["name"])


# fmt: off
ROUTES: Final = (
    # For customers, and programs that book for them.
    Route("GET", f"{API}/stores", registration.list_stores, Who.ANYBODY, RESERVATION,
          "List the stores.", answers=registration.Stores),
    Route("GET", f"{API}/offerings", offerings.list_offerings, Who.ANYBODY, RESERVATION,
          "List what can be had now.", asks=offerings.OfferingsWanted,
          answers=offerings.Offerings),
    Route("GET", f"{API}/offerings/{{offering}}/slots", offerings.list_slots, Who.ANYBODY,
          RESERVATION, "List the free slots of an offering.", asks=offerings.SlotsWanted,
          answers=offerings.Slots),
    Route("GET", f"{API}/offerings/{{offering}}/now", offerings.list_now, Who.ANYBODY, RESERVATION,
          "List the lengths in which an offering can be used from now on.",
          answers=offerings.NowFree),
    Route("POST", f"{API}/reservations", orders.book_slot, Who.ANYBODY, RESERVATION,
          "Book a slot and get its ticket.", asks=orders.ReservationWanted,
          answers=reservations.Ticket, status=reservations.CREATED, takes_key=True,
          calls_a_minute=BOOKINGS_A_MINUTE),
    Route("POST", f"{API}/orders", orders.place_order, Who.ANYBODY, RESERVATION,
          "Order one or more slots, held or paid, and get a ticket for each.",
          asks=orders.OrderWanted, answers=orders.Order, status=reservations.CREATED,
          takes_key=True, calls_a_minute=BOOKINGS_A_MINUTE),
    Route("GET", f"{API}/orders/{{link}}", orders.show_order, Who.LINK_HOLDER, RESERVATION,
          "Show an order and what has become of it.", answers=orders.Order),
    Route("POST", f"{API}/orders/{{link}}/confirm", orders.confirm_order, Who.LINK_HOLDER,
          RESERVATION, "Confirm what is held, or begin to pay for it.", asks=orders.PayingWanted,
          answers=orders.Order, calls_a_minute=QUOTES_A_MINUTE,
          calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("POST", f"{API}/orders/{{link}}/release", orders.release_order, Who.LINK_HOLDER,
          RESERVATION, "Let go of what is held.", answers=orders.Order),
    Route("POST", f"{API}/waiting", waiting.join_waiting, Who.ANYBODY, RESERVATION,
          "Wait for a slot that is full.", asks=waiting.WaitingWanted, answers=waiting.Waiting,
          status=reservations.CREATED, takes_key=True, calls_a_minute=BOOKINGS_A_MINUTE),
    Route("GET", f"{API}/waiting/{{link}}", waiting.show_waiting, Who.LINK_HOLDER, RESERVATION,
          "Show a place in the waiting list.", answers=waiting.Waiting),
    Route("POST", f"{API}/waiting/{{link}}/withdraw", waiting.withdraw_waiting, Who.LINK_HOLDER,
          RESERVATION, "Wait no longer.", answers=waiting.Waiting),
    Route("GET", f"{API}/tickets/{{link}}", reservations.show_ticket, Who.LINK_HOLDER,
          RESERVATION, "Show a ticket and what has become of it.", answers=reservations.Ticket),
    Route("GET", f"{API}/tickets/{{link}}/qr.svg", reservations.show_svg, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Draw a ticket's QR.", media_type="image/svg+xml"),
    Route("GET", f"{API}/tickets/{{link}}/qr.png", reservations.show_png, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Draw a ticket's QR as a picture.", media_type="image/png"),
    Route("GET", f"{API}/tickets/{{link}}/story", reservations.tell_story, Who.LINK_HOLDER,
          RESERVATION, "Tell what has happened to a reservation.", answers=reservations.Story),
    Route("GET", f"{API}/tickets/{{link}}/timeline", timeline.show_ticket_timeline,
          Who.LINK_HOLDER, RESERVATION, "Tell in words what became of a ticket.",
          answers=timeline.Timeline),
    Route("GET", f"{API}/tickets/{{link}}/ticket.ics", tickets.show_calendar, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Show a ticket as a calendar entry.", media_type="text/calendar"),
    Route("GET", f"{API}/tickets/{{link}}/ticket.pdf", tickets.show_pdf, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Show a ticket to print.", media_type="application/pdf",
          calls_a_minute=PAPERS_A_MINUTE),
    Route("GET", f"{API}/tickets/{{link}}/receipt.pdf", receipts.show_receipts, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Show the receipts of a ticket's order to print.",
          media_type="application/pdf", calls_a_minute=PAPERS_A_MINUTE),
    Route("POST", f"{API}/tickets/find", tickets.find, Who.ANYBODY, RESERVATION,
          "Have the links of what is booked for an address mailed there.", asks=tickets.MailGiven,
          answers=tickets.Looking, status=tickets.ACCEPTED, calls_a_minute=FINDS_A_MINUTE,
          calls_a_minute_in_all=FINDS_A_MINUTE_IN_ALL),
    Route("POST", f"{API}/tickets/{{link}}/cancel", reservations.cancel, Who.LINK_HOLDER,
          RESERVATION, "Give a reservation up.", answers=reservations.Ticket),
    Route("POST", f"{API}/tickets/{{link}}/reschedule", changes.reschedule, Who.LINK_HOLDER,
          RESERVATION, "Move a reservation to another time.", asks=changes.ChangeWanted,
          answers=reservations.Ticket, calls_a_minute=CHANGES_A_MINUTE),
    Route("POST", f"{API}/tickets/{{link}}/transfer", changes.transfer, Who.LINK_HOLDER,
          RESERVATION, "Give a reservation to somebody else.", asks=changes.TransferWanted,
          answers=changes.Transferred, calls_a_minute=CHANGES_A_MINUTE),
    Route("GET", f"{API}/tickets/{{link}}/extensions", extensions.show_more, Who.LINK_HOLDER,
          RESERVATION, "Say by how much a session can go on.", answers=extensions.MorePossible),
    Route("POST", f"{API}/tickets/{{link}}/extensions", extensions.extend, Who.LINK_HOLDER,
          RESERVATION, "Let a session go on, or begin to pay for it.", asks=extensions.MoreWanted,
          answers=extensions.MoreGiven, status=reservations.CREATED, takes_key=True,
          calls_a_minute=QUOTES_A_MINUTE, calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("PUT", f"{API}/tickets/{{link}}/extensions", extensions.agree, Who.LINK_HOLDER,
          RESERVATION, "Say whether a session is to go on by itself.",
          asks=extensions.ItselfWanted, answers=extensions.MorePossible,
          calls_a_minute=CHANGES_A_MINUTE),

    Route("GET", f"{API}/quotes", payments.show_quote, Who.ANYBODY, RESERVATION,
          "Say what a time costs.", asks=payments.QuoteWanted, answers=payments.QuoteTold,
          calls_a_minute=QUOTES_A_MINUTE, calls_a_minute_in_all=QUOTES_A_MINUTE_IN_ALL),
    Route("POST", f"{API}/payments/stripe/webhook", payments.hear_stripe, Who.PROVIDER,
          RESERVATION, "Hear Stripe's signed word of a payment.", answers=payments.Heard),

    # For terminals: who they are, before there is MQTT and when it lets them in no more.
    Route("GET", f"{API}/authority", enrolment.show_authority, Who.ANYBODY, MANAGEMENT,
          "Show the certificate by which a terminal knows us.", media_type=enrolment.PEM),
    Route("POST", f"{API}/enrolments", enrolment.enrol, Who.ANYBODY, MANAGEMENT,
          "Enrol a terminal with a one-time code.", asks=enrolment.EnrolmentAsked,
          answers=enrolment.Enrolment, status=reservations.CREATED,
          calls_a_minute=ENROLMENTS_A_MINUTE, calls_a_minute_in_all=ENROLMENTS_A_MINUTE_IN_ALL),
    Route("POST", f"{API}/terminals/{{terminal}}/credentials", enrolment.renew, Who.TERMINAL,
          MANAGEMENT, "Renew what a terminal proves itself by.",
          asks=enrolment.CredentialsWanted, answers=enrolment.Credentials,
          calls_a_minute=RENEWALS_A_MINUTE),

    # What terminals install.
    Route("GET", "/packages/metadata/{name}.json", packages.show_list, Who.ANYBODY, MANAGEMENT,
          "A signed list of packages."),
    Route("GET", "/packages/targets/{kind}/{package}/{file}", packages.send_archive,
          Who.PACKAGE_HOLDER, MANAGEMENT, "A package's archive, whole or from where one was cut.",
          media_type=packages.ZIP),

    # For the operator.
    Route("POST", f"{API}/stores", registration.add_store, Who.OPERATOR, MANAGEMENT,
          "Make a store known.", asks=registration.StoreWanted, answers=registration.Store),
    Route("POST", f"{API}/stores/{{store}}/offline-starts", registration.allow_offline_starts,
          Who.OPERATOR, MANAGEMENT, "Allow starts by a ticket's signature without the line.",
          asks=registration.OfflineStartsWanted,
          answers=registration.OfflineStartsNow),
    Route("PUT", f"{API}/stores/{{store}}/hours", hours.keep_hours, Who.OPERATOR, MANAGEMENT,
          "Open a store at other hours.", asks=hours.HoursWanted, answers=hours.StoreHours),
    Route("PUT", f"{API}/stores/{{store}}/directions", hours.keep_directions, Who.OPERATOR,
          MANAGEMENT, "Tell customers how they find a store.", asks=hours.DirectionsWanted,
          answers=registration.Store),
    Route("GET", f"{API}/blackouts", hours.list_blackouts, Who.OPERATOR, MANAGEMENT,
          "List what is kept from sale, and when.", asks=hours.BlackoutsWanted,
          answers=hours.Blackouts),
    Route("POST", f"{API}/blackouts", hours.add_blackout, Who.OPERATOR, MANAGEMENT,
          "Keep a device or a store from sale for a time.", asks=hours.BlackoutWanted,
          answers=hours.BlackoutMade, status=reservations.CREATED, takes_key=True),
    Route("DELETE", f"{API}/blackouts/{{blackout}}", hours.remove_blackout, Who.OPERATOR,
          MANAGEMENT, "Sell again what a blackout kept from sale.", answers=hours.Blackout),
    Route("POST", f"{API}/enrolment-codes", enrolment.make_code, Who.OPERATOR, MANAGEMENT,
          "Make a code that enrols one terminal.", asks=enrolment.CodeWanted,
          answers=enrolment.CodeMade, status=reservations.CREATED),
    Route("GET", f"{API}/terminals", registration.list_terminals, Who.OPERATOR, MANAGEMENT,
          "List the terminals.", answers=registration.Terminals),
    Route("GET", f"{API}/terminals/{{terminal}}", registration.show_terminal, Who.OPERATOR,
          MANAGEMENT, "Show what a terminal is, what has changed and what it would carry.",
          answers=registration.TerminalInFull),
    Route("POST", f"{API}/terminals/{{terminal}}/standing", registration.change_standing,
          Who.OPERATOR, MANAGEMENT, "Confirm, reject, suspend, resume or retire a terminal.",
          asks=registration.StandingWanted, answers=registration.Terminal),
    Route("GET", f"{API}/devices", devices.list_devices, Who.OPERATOR, MANAGEMENT,
          "List devices and where each stands.", asks=devices.BoardWanted,
          answers=devices.Board),
    Route("POST", f"{API}/stores/{{store}}/cleaner-code", devices.make_cleaner_code, Who.OPERATOR,
          MANAGEMENT, "Make the code by which a store's cleaners confirm a turnover.",
          answers=devices.CodeMade, status=reservations.CREATED),
    Route("DELETE", f"{API}/stores/{{store}}/cleaner-code", devices.forget_cleaner_code,
          Who.OPERATOR, MANAGEMENT, "Take no cleaner's code in a store any more.",
          answers=devices.CodeForgotten),
    Route("POST", f"{API}/stores/{{store}}/cleaner-link", photos.make_cleaner_link, Who.OPERATOR,
          MANAGEMENT, "Make the standing link by which a store's cleaners send their photos.",
          answers=photos.LinkMade, status=reservations.CREATED),
    Route("DELETE", f"{API}/stores/{{store}}/cleaner-link", photos.forget_cleaner_link,
          Who.OPERATOR, MANAGEMENT, "Let a store's cleaners' link open nothing any more.",
          answers=photos.LinkForgotten),
    Route("GET", f"{API}/stores/{{store}}/photo-tasks", photos.list_photo_tasks, Who.OPERATOR,
          MANAGEMENT, "List what is to be photographed in a store, and what was.",
          answers=photos.PhotoTasks),
    Route("GET", f"{API}/devices/{{device}}/photos/{{photo}}", photos.show_photo, Who.OPERATOR,
          MANAGEMENT, "Show the photo by which a turnover was confirmed.",
          media_type=photos.JPEG),
    Route("POST", f"{API}/devices/{{device}}", service.tell_of_device, Who.OPERATOR, MANAGEMENT,
          "Say where a device stands, or that it is out of order.",
          asks=service.DeviceWanted, answers=service.DeviceNow),
    Route("GET", f"{API}/programs", service.list_programs, Who.OPERATOR, MANAGEMENT,
          "List what programs ask of a PC.", answers=service.Programs),
    Route("PUT", f"{API}/programs/{{program}}", service.keep_program, Who.OPERATOR, MANAGEMENT,
          "Say what a program asks of a PC and how it runs there.", asks=Program, answers=Program),
    Route("GET", f"{API}/problems", problems.list_problems, Who.OPERATOR, MANAGEMENT,
          "List what somebody must look at, the open ones first.", answers=problems.Problems),
    Route("POST", f"{API}/problems/{{problem}}/solve", problems.solve_problem, Who.OPERATOR,
          MANAGEMENT, "Say that a problem is settled.", asks=problems.ProblemSettled,
          answers=problems.Problem),
    Route("GET", f"{API}/reservations", lists.list_reservations, Who.OPERATOR, MANAGEMENT,
          "List reservations, page by page.", asks=lists.ReservationsWanted,
          answers=lists.Reservations),
    Route("GET", f"{API}/reservations/{{reservation}}/timeline", timeline.show_timeline,
          Who.OPERATOR, MANAGEMENT, "Tell in words what became of a reservation.",
          answers=timeline.Timeline),
    Route("GET", f"{API}/orders", lists.list_orders, Who.OPERATOR, MANAGEMENT,
          "List orders, page by page.", asks=lists.ListWanted, answers=lists.Orders),
    Route("GET", f"{API}/sessions", sessions.list_sessions, Who.OPERATOR, MANAGEMENT,
          "List the latest sessions.", answers=sessions.Sessions),

    Route("GET", f"{API}/switches", actions.list_switches, Who.OPERATOR, MANAGEMENT,
          "List the switches and where each stands.", answers=actions.Switches),

    Route("PUT", f"{API}/offerings/{{offering}}/prices", payments.set_prices, Who.OPERATOR,
          MANAGEMENT, "Say what an offering costs.", asks=Prices, answers=Prices),
    Route("POST", f"{API}/vouchers", payments.make_voucher, Who.OPERATOR, MANAGEMENT,
          "Make a voucher.", asks=payments.VoucherWanted, answers=payments.VoucherMade,
          status=reservations.CREATED),
    Route("GET", f"{API}/vouchers", payments.list_vouchers, Who.OPERATOR, MANAGEMENT,
          "List the latest vouchers.", answers=payments.Vouchers),
    Route("POST", f"{API}/vouchers/{{voucher}}/revoke", payments.revoke_voucher, Who.OPERATOR,
          MANAGEMENT, "Let a voucher be used no more.", asks=payments.VoucherRevoked,
          answers=payments.Vouchers),
    Route("GET", f"{API}/stores/{{store}}/entries", payments.list_entries, Who.OPERATOR,
          MANAGEMENT, "List a store's movements of money.", asks=payments.EntriesWanted,
          answers=payments.Entries),

    # For customers' browsers.
    Route("GET", "/", storefront.show_storefront, Who.ANYBODY, WEB,
          "What can be had now.", media_type=HTML),
    Route("GET", "/o/{offering}", storefront.show_offering, Who.ANYBODY, WEB,
          "The times of an offering.", asks=storefront.TimesWanted, media_type=HTML),
    Route("POST", "/book", storefront.book, Who.OUR_PAGES, WEB,
          "Book a time.", asks=storefront.BookingForm, media_type=HTML, takes_key=True,
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
    Route("POST", "/t/{link}/cancel", ticket.cancel, Who.OUR_PAGES, WEB,
          "Give a reservation up.", media_type=HTML),
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
    Route("GET", "/static/{name}", show_asset, Who.ANYBODY, WEB,
          "A file that pages refer to.", media_type="*/*"),

    *MODULE_ROUTES,

    # For programs that watch and integrate.
    Route("GET", f"{API}/openapi.json", show_openapi, Who.ANYBODY, EVERY,
          "Describe this API."),
    Route("GET", "/healthz", metrics.show_health, Who.ANYBODY, EVERY,
          "Is the process alive?", answers=metrics.Health),
    Route("GET", "/readyz", metrics.show_readiness, Who.ANYBODY, EVERY,
          "Is every part up?", answers=metrics.Readiness),
    Route("GET", "/metrics", metrics.show_metrics, Who.ANYBODY, EVERY,
          "What does it count?", media_type="text/plain"),
)
# fmt: on
