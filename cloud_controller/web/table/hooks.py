"""What owners alone say: who is told of events, and what is forgotten of whom."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import hooks, privacy
from cloud_controller.web.pages.console import hooks as pages, privacy as privacy_pages
from cloud_controller.web.pages.console.shell import OfStore
from cloud_controller.web.reservations import CREATED
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import HTML
from common.rules.accounts import Permission

_HOOK: Final = f"{API}/hooks/{{hook}}"

# fmt: off
HOOK_ROUTES: Final = (
    Route("GET", f"{API}/hooks", hooks.list_hooks, Who.OPERATOR, MANAGEMENT,
          "List who is told of events.", answers=hooks.Hooks,
          permission=Permission.OWN, by_store=True),
    Route("POST", f"{API}/hooks", hooks.add_hook, Who.OPERATOR, MANAGEMENT,
          "Have an address told of events; the answer shows its secret, this once.",
          asks=hooks.HookWanted, answers=hooks.HookMade, status=CREATED,
          permission=Permission.OWN, by_store=True),
    Route("GET", _HOOK, hooks.show_hook, Who.OPERATOR, MANAGEMENT,
          "Show an endpoint.", answers=hooks.Hook, permission=Permission.OWN),
    Route("PUT", _HOOK, hooks.change_hook, Who.OPERATOR, MANAGEMENT,
          "Say what an endpoint is.", asks=hooks.HookChanged, answers=hooks.Hook,
          permission=Permission.OWN),
    Route("DELETE", _HOOK, hooks.remove_hook, Who.OPERATOR, MANAGEMENT,
          "Tell an endpoint nothing any more.", answers=hooks.Hook, permission=Permission.OWN),
    Route("POST", f"{_HOOK}/secret", hooks.make_secret, Who.OPERATOR, MANAGEMENT,
          "Give an endpoint a new secret; for a day the one before signs as well.",
          answers=hooks.HookMade, permission=Permission.OWN),
    Route("POST", f"{_HOOK}/switch", hooks.switch_hook, Who.OPERATOR, MANAGEMENT,
          "Switch an endpoint on or off.", asks=hooks.HookSwitched, answers=hooks.Hook,
          permission=Permission.OWN),
    Route("POST", f"{_HOOK}/test", hooks.test_hook, Who.OPERATOR, MANAGEMENT,
          "Tell an endpoint a word that means nothing.", answers=hooks.HookDelivery,
          permission=Permission.OWN),
    Route("POST", f"{_HOOK}/replay", hooks.replay_deliveries, Who.OPERATOR, MANAGEMENT,
          "Say again what did not arrive.", asks=hooks.ReplayWanted, answers=hooks.Replayed,
          permission=Permission.OWN),
    Route("GET", f"{_HOOK}/deliveries", hooks.list_deliveries, Who.OPERATOR, MANAGEMENT,
          "List what an endpoint was to be told, page by page.", asks=hooks.DeliveriesWanted,
          answers=hooks.HookDeliveries, permission=Permission.OWN),
    Route("POST", f"{_HOOK}/deliveries/{{delivery}}/replay", hooks.replay_delivery, Who.OPERATOR,
          MANAGEMENT, "Say one event again.", answers=hooks.HookDelivery,
          permission=Permission.OWN),
    Route("POST", f"{API}/customers/export", privacy.export_customer, Who.OPERATOR, MANAGEMENT,
          "Show all that is known of a customer.", asks=privacy.CustomerAsked,
          answers=privacy.CustomerKnown, permission=Permission.OWN),
    Route("POST", f"{API}/customers/erase", privacy.erase_customer, Who.OPERATOR, MANAGEMENT,
          "Forget a customer.", asks=privacy.CustomerErased, answers=privacy.CustomerForgotten,
          permission=Permission.OWN),

    Route("GET", "/operator/hooks", pages.show_hooks, Who.CONSOLE, MANAGEMENT,
          "Who is told of events.", asks=OfStore, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("POST", "/operator/hooks", pages.add_hook, Who.CONSOLE, MANAGEMENT,
          "Have an address told of events.", asks=pages.HookForm, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("GET", "/operator/hooks/{hook}", pages.show_hook, Who.CONSOLE, MANAGEMENT,
          "An endpoint, and what was said to it.", asks=OfStore, media_type=HTML,
          permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/secret", pages.make_secret, Who.CONSOLE, MANAGEMENT,
          "Give an endpoint a new secret.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/test", pages.test, Who.CONSOLE, MANAGEMENT,
          "Say a word that means nothing.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/on", pages.turn_on, Who.CONSOLE, MANAGEMENT,
          "Tell an endpoint again.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/off", pages.turn_off, Who.CONSOLE, MANAGEMENT,
          "Tell an endpoint nothing for now.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/remove", pages.remove, Who.CONSOLE, MANAGEMENT,
          "Tell an endpoint nothing any more.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/replay", pages.replay_all, Who.CONSOLE, MANAGEMENT,
          "Say again all that did not arrive.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/hooks/{hook}/deliveries/{delivery}/replay", pages.replay,
          Who.CONSOLE, MANAGEMENT, "Say one event again.", media_type=HTML,
          permission=Permission.OWN),
    Route("GET", "/operator/privacy", privacy_pages.show_privacy, Who.CONSOLE, MANAGEMENT,
          "What can be done for one customer.", asks=OfStore, media_type=HTML,
          permission=Permission.OWN),
    Route("POST", "/operator/privacy/export", privacy_pages.export, Who.CONSOLE, MANAGEMENT,
          "All that is known of a customer, as a file.", asks=privacy_pages.ExportForm,
          media_type="application/json", permission=Permission.OWN),
    Route("POST", "/operator/privacy/erase", privacy_pages.erase, Who.CONSOLE, MANAGEMENT,
          "Forget a customer.", asks=privacy_pages.EraseForm, media_type=HTML,
          permission=Permission.OWN),
)
# fmt: on
