"""What operators do to devices from afar: as programs call it, and as the console's forms do."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import acts
from cloud_controller.web.pages.console import acts as forms
from cloud_controller.web.reservations import CREATED
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import HTML
from common.rules.accounts import Permission

_DEVICE: Final = f"{API}/devices/{{device}}"
_FORM: Final = "/operator/devices/{device}"

# fmt: off
ACT_ROUTES: Final = (
    Route("POST", f"{_DEVICE}/start", acts.start_device, Who.OPERATOR, MANAGEMENT,
          "Begin a device's program for somebody who sits there.", asks=acts.StartWanted,
          answers=acts.Begun, status=CREATED, permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/maintenance", acts.open_device, Who.OPERATOR, MANAGEMENT,
          "Open a device that nobody is served on, for a time.", asks=acts.MaintenanceWanted,
          answers=acts.Begun, status=CREATED, permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/stop", acts.stop_device, Who.OPERATOR, MANAGEMENT,
          "End what runs on a device; what was not had of it is paid back.", asks=acts.ActWanted,
          answers=acts.Stopped, permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/extend", acts.extend_device, Who.OPERATOR, MANAGEMENT,
          "Give whoever uses a device more time.", asks=acts.GiftWanted, answers=acts.Extended,
          status=CREATED, takes_key=True, permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/messages", acts.send_message, Who.OPERATOR, MANAGEMENT,
          "Say something to whoever is at a device, on its screen.", asks=acts.MessageWanted,
          answers=acts.ScreenMessage, status=CREATED, permission=Permission.SERVE),
    Route("GET", f"{_DEVICE}/messages", acts.list_messages, Who.OPERATOR, MANAGEMENT,
          "List what was said on a device's screen, and what of it was shown.",
          answers=acts.ScreenMessages, permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/out-of-order", acts.put_out_of_order, Who.OPERATOR, MANAGEMENT,
          "Have a device open for nobody.", asks=acts.ActWanted, answers=acts.OrderNow,
          permission=Permission.SERVE),
    Route("POST", f"{_DEVICE}/in-order", acts.put_in_order, Who.OPERATOR, MANAGEMENT,
          "Have a device open again, once it is made ready.", asks=acts.InOrderWanted,
          answers=acts.OrderNow, permission=Permission.SERVE),
    Route("POST", f"{API}/reservations/{{reservation}}/move", acts.move_reservation,
          Who.OPERATOR, MANAGEMENT,
          "Have a reservation served on another device, also one that is in use.",
          asks=acts.MoveWanted, answers=acts.Moved, permission=Permission.SERVE),

    Route("POST", f"{_FORM}/start", forms.start_form, Who.CONSOLE, MANAGEMENT,
          "Begin a device's program.", asks=forms.LengthForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", f"{_FORM}/maintenance", forms.maintenance_form, Who.CONSOLE, MANAGEMENT,
          "Open a device for maintenance.", asks=forms.LengthForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", f"{_FORM}/stop", forms.stop_form, Who.CONSOLE, MANAGEMENT,
          "End what runs on a device.", asks=forms.DeviceForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", f"{_FORM}/extend", forms.extend_form, Who.CONSOLE, MANAGEMENT,
          "Give more time.", asks=forms.LengthForm, media_type=HTML, permission=Permission.SERVE),
    Route("POST", f"{_FORM}/message", forms.message_form, Who.CONSOLE, MANAGEMENT,
          "Say something on a device's screen.", asks=forms.MessageForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", f"{_FORM}/out-of-order", forms.out_of_order_form, Who.CONSOLE, MANAGEMENT,
          "Put a device out of order.", asks=forms.DeviceForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", f"{_FORM}/in-order", forms.in_order_form, Who.CONSOLE, MANAGEMENT,
          "Put a device in order.", asks=forms.InOrderForm, media_type=HTML,
          permission=Permission.SERVE),
    Route("POST", "/operator/reservations/{reservation}/move", forms.move_form, Who.CONSOLE,
          MANAGEMENT, "Move a reservation to another device.", asks=forms.MoveForm,
          media_type=HTML, permission=Permission.SERVE),
)
# fmt: on
