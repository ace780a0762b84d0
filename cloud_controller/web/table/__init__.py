"""Every route there is, a row each: what is not written here cannot be called."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from cloud_controller.web import asyncapi
from cloud_controller.web.openapi import json_document_of
from cloud_controller.web.routes import API, EVERY, Call, Route, Who
from cloud_controller.web.table.acts import ACT_ROUTES
from cloud_controller.web.table.console import CONSOLE_ROUTES
from cloud_controller.web.table.customers import CUSTOMER_ROUTES
from cloud_controller.web.table.help import HELP_ROUTES
from cloud_controller.web.table.hooks import HOOK_ROUTES
from cloud_controller.web.table.modules import MODULE_ROUTES
from cloud_controller.web.table.operators import OPERATOR_ROUTES
from cloud_controller.web.table.pages import PAGE_ROUTES
from cloud_controller.web.table.people import PEOPLE_ROUTES
from cloud_controller.web.table.programs import PROGRAM_ROUTES
from cloud_controller.web.table.reports import REPORT_ROUTES
from cloud_controller.web.table.terminals import TERMINAL_ROUTES


def table_for(roles: frozenset[str]) -> tuple[Route, ...]:
    """Return the rows that a controller with these roles has."""
    return tuple(route for route in ROUTES if not route.roles or route.roles & roles)


async def show_openapi(call: Call[None]) -> web.Response:
    """Return the description of the API that this controller has."""
    document = json_document_of(table_for(call.parts.roles), call.parts.public_url)
    return web.Response(text=document, content_type="application/json")


async def show_asyncapi(call: Call[None]) -> web.Response:
    """Return the description of what crosses this controller's broker."""
    host, port = call.parts.broker_address()
    document = asyncapi.json_document_of(f"{host}:{port}", is_secure=bool(call.parts.authority()))
    return web.Response(text=document, content_type="application/json")


ROUTES: Final = (
    *CUSTOMER_ROUTES,
    *TERMINAL_ROUTES,
    *OPERATOR_ROUTES,
    *ACT_ROUTES,
    *PAGE_ROUTES,
    *HELP_ROUTES,
    *MODULE_ROUTES,
    *PEOPLE_ROUTES,
    *HOOK_ROUTES,
    *CONSOLE_ROUTES,
    *REPORT_ROUTES,
    Route("GET", f"{API}/openapi.json", show_openapi, Who.ANYBODY, EVERY, "Describe this API."),
    Route(
        "GET",
        f"{API}/asyncapi.json",
        show_asyncapi,
        Who.ANYBODY,
        EVERY,
        "Describe what crosses the broker.",
    ),
    *PROGRAM_ROUTES,
)
