"""Helpers: the operator's API of them, their own pages, and the customers' page of help."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import help as people
from cloud_controller.web.live.opening import Heard
from cloud_controller.web.pages import help as help_pages, helper
from cloud_controller.web.reservations import CREATED
from cloud_controller.web.routes import API, COMMUNICATION, Route, Who
from cloud_controller.web.table.paces import (
    CHANGES_A_MINUTE,
    ENTRIES_A_MINUTE,
    HERE_A_MINUTE,
    LINES_A_MINUTE,
)
from cloud_controller.web.table.pages import EVENTS, HTML
from common.rules.accounts import Permission

# fmt: off
HELP_ROUTES: Final = (
    Route("GET", f"{API}/helpers", people.list_helpers, Who.OPERATOR, COMMUNICATION,
          "List who helps customers.", answers=people.Helpers, permission=Permission.LOOK),
    Route("POST", f"{API}/helpers", people.add_helper, Who.OPERATOR, COMMUNICATION,
          "Make a helper, with the link that lets his browser in.", asks=people.HelperWanted,
          answers=people.HelperLink, status=CREATED, permission=Permission.SET_UP),
    Route("POST", f"{API}/helpers/{{helper}}/link", people.renew_link, Who.OPERATOR, COMMUNICATION,
          "Give a helper another link.", answers=people.HelperLink, status=CREATED,
          permission=Permission.SET_UP),
    Route("DELETE", f"{API}/helpers/{{helper}}", people.remove_helper, Who.OPERATOR, COMMUNICATION,
          "Let a helper help no more.", answers=people.HelperGone, permission=Permission.SET_UP),
    Route("GET", f"{API}/calls", people.list_calls, Who.OPERATOR, COMMUNICATION,
          "List calls to helpers, the latest first.", asks=people.CallsWanted,
          answers=people.HelpCalls, permission=Permission.LOOK),
    Route("GET", f"{API}/calls/{{call}}", people.show_call, Who.OPERATOR, COMMUNICATION,
          "Show what was said in a call.", answers=people.HelpCallInFull,
          permission=Permission.SERVE),

    Route("GET", "/t/{link}/help", help_pages.show_page, Who.LINK_HOLDER, COMMUNICATION,
          "Who is there to help, and the talk with one.", media_type=HTML),
    Route("GET", "/t/{link}/help/events", help_pages.watch, Who.LINK_HOLDER, COMMUNICATION,
          "When the page of help has changed.", asks=Heard, media_type=EVENTS),
    Route("POST", "/t/{link}/help/choose", help_pages.choose, Who.OUR_PAGES, COMMUNICATION,
          "Call a helper.", asks=help_pages.ChooseForm, media_type=HTML, takes_key=True,
          calls_a_minute=CHANGES_A_MINUTE),
    Route("POST", "/t/{link}/help/say", help_pages.say, Who.OUR_PAGES, COMMUNICATION,
          "Write to the helper.", asks=help_pages.SayForm, media_type=HTML, takes_key=True,
          calls_a_minute=LINES_A_MINUTE),
    Route("POST", "/t/{link}/help/leave", help_pages.leave, Who.OUR_PAGES, COMMUNICATION,
          "End a call.", media_type=HTML, calls_a_minute=CHANGES_A_MINUTE),

    Route("GET", "/helper/enter/{link}", helper.show_link, Who.LINK_HOLDER, COMMUNICATION,
          "Whose a helper's link is.", media_type=HTML, calls_a_minute=ENTRIES_A_MINUTE),
    Route("POST", "/helper/enter/{link}", helper.enter, Who.OUR_PAGES, COMMUNICATION,
          "Let a helper's browser in.", media_type=HTML, calls_a_minute=ENTRIES_A_MINUTE),
    Route("GET", "/helper", helper.show_desk, Who.HELPER, COMMUNICATION,
          "A helper's desk.", asks=helper.DeskWanted, media_type=HTML),
    Route("GET", "/helper/events", helper.watch, Who.HELPER, COMMUNICATION,
          "When a helper's pages have changed.", asks=Heard, media_type=EVENTS),
    Route("POST", "/helper/state", helper.switch, Who.OUR_PAGES, COMMUNICATION,
          "Log in or out.", asks=helper.StateForm, media_type=HTML,
          calls_a_minute=CHANGES_A_MINUTE),
    Route("POST", "/helper/terms", helper.set_terms, Who.OUR_PAGES, COMMUNICATION,
          "Say what one helps with.", asks=helper.TermsForm, media_type=HTML,
          calls_a_minute=CHANGES_A_MINUTE),
    Route("POST", "/helper/here", helper.stay, Who.OUR_PAGES, COMMUNICATION,
          "Say that one is there.", asks=helper.HereForm, media_type="application/json",
          calls_a_minute=HERE_A_MINUTE),
    Route("GET", "/helper/c/{call}", helper.show_call, Who.HELPER, COMMUNICATION,
          "A call, and how its customer's device stands.", media_type=HTML),
    Route("POST", "/helper/c/{call}/take", helper.take_up, Who.OUR_PAGES, COMMUNICATION,
          "Take a call up.", media_type=HTML),
    Route("POST", "/helper/c/{call}/say", helper.answer, Who.OUR_PAGES, COMMUNICATION,
          "Write to the customer.", asks=helper.AnswerForm, media_type=HTML, takes_key=True,
          calls_a_minute=LINES_A_MINUTE),
    Route("POST", "/helper/c/{call}/end", helper.end, Who.OUR_PAGES, COMMUNICATION,
          "End a call.", media_type=HTML),
)
# fmt: on
