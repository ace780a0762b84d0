"""Every route there is, a row each: what is not written here cannot be called."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from cloud_controller.web import metrics, offerings, registration, reservations, sessions
from cloud_controller.web.openapi import json_document_of
from cloud_controller.web.pages import storefront, ticket
from cloud_controller.web.routes import API, Asset, Call, Route, Who

MANAGEMENT: Final = frozenset({"management"})
RESERVATION: Final = frozenset({"reservation"})
WEB: Final = frozenset({"web"})
RESERVATION_OR_WEB: Final = RESERVATION | WEB
EVERY: Final[frozenset[str]] = frozenset()
"""No role in particular: every controller has the route."""

ENROLMENTS_A_MINUTE: Final = 10
"""A code has 49 bits: at this rate nobody guesses one."""

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
    Route("POST", f"{API}/reservations", reservations.book, Who.ANYBODY, RESERVATION,
          "Book a slot and get its ticket.", asks=reservations.ReservationWanted,
          answers=reservations.Ticket, status=reservations.CREATED, takes_key=True),
    Route("GET", f"{API}/tickets/{{link}}", reservations.show_ticket, Who.LINK_HOLDER,
          RESERVATION, "Show a ticket and what has become of it.", answers=reservations.Ticket),
    Route("GET", f"{API}/tickets/{{link}}/qr.svg", reservations.show_svg, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Draw a ticket's QR.", media_type="image/svg+xml"),
    Route("GET", f"{API}/tickets/{{link}}/qr.png", reservations.show_png, Who.LINK_HOLDER,
          RESERVATION_OR_WEB, "Draw a ticket's QR as a picture.", media_type="image/png"),
    Route("GET", f"{API}/tickets/{{link}}/story", reservations.tell_story, Who.LINK_HOLDER,
          RESERVATION, "Tell what has happened to a reservation.", answers=reservations.Story),
    Route("POST", f"{API}/tickets/{{link}}/cancel", reservations.cancel, Who.LINK_HOLDER,
          RESERVATION, "Give a reservation up.", answers=reservations.Ticket),

    # For terminals: the one call before there is MQTT.
    Route("POST", f"{API}/enrolments", registration.enrol, Who.ANYBODY, MANAGEMENT,
          "Enrol a terminal with a one-time code.", asks=registration.EnrolmentAsked,
          answers=registration.Enrolment, status=reservations.CREATED,
          calls_a_minute=ENROLMENTS_A_MINUTE),

    # For the operator.
    Route("POST", f"{API}/stores", registration.add_store, Who.OPERATOR, MANAGEMENT,
          "Make a store known.", asks=registration.StoreWanted, answers=registration.Store),
    Route("POST", f"{API}/enrolment-codes", registration.make_code, Who.OPERATOR, MANAGEMENT,
          "Make a code that enrols one terminal.", asks=registration.CodeWanted,
          answers=registration.CodeMade, status=reservations.CREATED),
    Route("GET", f"{API}/terminals", registration.list_terminals, Who.OPERATOR, MANAGEMENT,
          "List the terminals.", answers=registration.Terminals),
    Route("POST", f"{API}/terminals/{{terminal}}/standing", registration.change_standing,
          Who.OPERATOR, MANAGEMENT, "Confirm, reject, suspend or retire a terminal.",
          asks=registration.StandingWanted, answers=registration.Terminal),
    Route("GET", f"{API}/sessions", sessions.list_sessions, Who.OPERATOR, MANAGEMENT,
          "List the latest sessions.", answers=sessions.Sessions),

    # For customers' browsers.
    Route("GET", "/", storefront.show_storefront, Who.ANYBODY, WEB,
          "What can be had now.", media_type=HTML),
    Route("GET", "/o/{offering}", storefront.show_offering, Who.ANYBODY, WEB,
          "The times of an offering.", asks=storefront.TimesWanted, media_type=HTML),
    Route("POST", "/book", storefront.book, Who.OUR_PAGES, WEB,
          "Book a time.", asks=storefront.BookingForm, media_type=HTML, takes_key=True),
    Route("GET", "/t/{link}", ticket.show_page, Who.LINK_HOLDER, WEB,
          "A ticket.", media_type=HTML),
    Route("POST", "/t/{link}/cancel", ticket.cancel, Who.OUR_PAGES, WEB,
          "Give a reservation up.", media_type=HTML),
    Route("GET", "/static/{name}", show_asset, Who.ANYBODY, WEB,
          "A file that pages refer to.", media_type="*/*"),

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
