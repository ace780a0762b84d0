"""The rows of the console's set-up: its guide, and each sheet, shown and kept."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.pages.console.setup import closures, guide, offerings, others, stores
from cloud_controller.web.pages.console.setup.editing import keep_sheet, show_sheet
from cloud_controller.web.pages.console.shell import OfStore
from cloud_controller.web.routes import MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import HTML
from common.rules.accounts import Permission

SHEETS: Final = (
    ("stores/{store}", stores.store_sheet, stores.StoreForm, "a store"),
    ("stores/{store}/hours", stores.hours_sheet, stores.HoursForm, "when a store is open"),
    ("offerings/{offering}", offerings.offering_sheet, offerings.OfferingForm, "an offering"),
    ("offerings/{offering}/prices", offerings.prices_sheet, offerings.PricesForm, "its prices"),
    ("programs/{program}", others.program_sheet, others.ProgramForm, "a program"),
    ("devices/{device}", others.device_sheet, others.DeviceForm, "a device"),
    ("helpers/{helper}", others.helper_sheet, others.HelperForm, "a helper"),
)
"""Each sheet's address under the set-up, what makes it, its form, and what it is about."""

# fmt: off
SETUP_ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/operator/setup", guide.show_setup, Who.CONSOLE, MANAGEMENT,
          "The first hour, and what is set up.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/setup/new-store", stores.show_new_store, Who.CONSOLE, MANAGEMENT,
          "The form of a new store.", asks=OfStore, media_type=HTML, permission=Permission.SET_UP),
    Route("POST", "/operator/setup/new-store", stores.add_store, Who.CONSOLE, MANAGEMENT,
          "Make a store known.", asks=stores.NewStoreForm, media_type=HTML,
          permission=Permission.SET_UP),
    *(Route("GET", f"/operator/setup/{address}", show_sheet(make), Who.CONSOLE, MANAGEMENT,
            f"The sheet of {what}.", asks=OfStore, media_type=HTML, permission=Permission.LOOK)
      for address, make, _, what in SHEETS),
    *(Route("POST", f"/operator/setup/{address}", keep_sheet(make), Who.CONSOLE, MANAGEMENT,
            f"Keep the sheet of {what}, or say a version of it again.", asks=form,
            media_type=HTML, permission=Permission.SET_UP)
      for address, make, form, what in SHEETS),
    Route("GET", "/operator/setup/stores/{store}/closures", closures.show_closures, Who.CONSOLE,
          MANAGEMENT, "What is kept from sale, and when.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK),
    Route("POST", "/operator/setup/stores/{store}/closures", closures.add_closure, Who.CONSOLE,
          MANAGEMENT, "Keep a device or a store from sale for a time.",
          asks=closures.ClosureForm, media_type=HTML, permission=Permission.SET_UP),
    Route("POST", "/operator/setup/blackouts/{blackout}/remove", closures.remove_closure,
          Who.CONSOLE, MANAGEMENT, "Sell again what was kept from sale.", media_type=HTML,
          permission=Permission.SET_UP),
    Route("POST", "/operator/setup/offerings/{offering}/hand-back", offerings.hand_back,
          Who.CONSOLE, MANAGEMENT, "Let an offering's terminals say again what it is.",
          media_type=HTML, permission=Permission.SET_UP),
    Route("POST", "/operator/setup/stores/{store}/enrolment-code", guide.make_code, Who.CONSOLE,
          MANAGEMENT, "Make a code that enrols one terminal, and show it once.", media_type=HTML,
          permission=Permission.SET_UP),
    Route("POST", "/operator/setup/stores/{store}/helpers", others.add_helper, Who.CONSOLE,
          MANAGEMENT, "Make a helper, and show his link once.", asks=others.NewHelperForm,
          media_type=HTML, permission=Permission.SET_UP),
    Route("POST", "/operator/setup/helpers/{helper}/link", others.renew_link, Who.CONSOLE,
          MANAGEMENT, "Give a helper another link, and show it once.", media_type=HTML,
          permission=Permission.SET_UP),
    Route("POST", "/operator/setup/helpers/{helper}/remove", others.remove_helper, Who.CONSOLE,
          MANAGEMENT, "Let a helper help no more.", media_type=HTML,
          permission=Permission.SET_UP),
)
# fmt: on
