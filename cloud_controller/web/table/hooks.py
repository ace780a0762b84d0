"""What owners alone say: who is told of events, and what is forgotten of whom."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import hooks, privacy
from cloud_controller.web.reservations import CREATED
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
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
)
# fmt: on
