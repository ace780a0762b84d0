"""Into the console, and who runs the stores: signing in, one's own page, people, tokens, audit."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.pages.console import audit, entry, own, people
from cloud_controller.web.pages.console.shell import OfStore
from cloud_controller.web.routes import MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import HTML
from common.rules.accounts import Permission

TRIES_A_MINUTE: Final = 20
"""Tries to sign in of one address, right ones too: a whole shop signs in once a day."""

TRIES_A_MINUTE_IN_ALL: Final = 600
"""Those of all addresses: each costs some thirty milliseconds of a core."""

# fmt: off
PEOPLE_ROUTES: Final = (
    Route("GET", "/operator/sign-in", entry.show_sign_in, Who.ANYBODY, MANAGEMENT,
          "The form of the password.", asks=entry.WayIn, media_type=HTML),
    Route("POST", "/operator/sign-in", entry.sign_in, Who.OUR_PAGES, MANAGEMENT,
          "Show the password.", asks=entry.SignInForm, media_type=HTML,
          calls_a_minute=TRIES_A_MINUTE, calls_a_minute_in_all=TRIES_A_MINUTE_IN_ALL),
    Route("GET", "/operator/sign-in/second", entry.show_second, Who.ANYBODY, MANAGEMENT,
          "The form of the second step.", asks=entry.WayIn, media_type=HTML),
    Route("POST", "/operator/sign-in/second", entry.take_second, Who.OUR_PAGES, MANAGEMENT,
          "Show the second step.", asks=entry.SecondForm, media_type=HTML,
          calls_a_minute=TRIES_A_MINUTE, calls_a_minute_in_all=TRIES_A_MINUTE_IN_ALL),
    Route("GET", "/operator/join/{link}", entry.show_join, Who.LINK_HOLDER, MANAGEMENT,
          "Whom a link makes an operator.", asks=entry.WayIn, media_type=HTML),
    Route("POST", "/operator/join/{link}", entry.join, Who.OUR_PAGES, MANAGEMENT,
          "Become an operator.", asks=entry.JoinForm, media_type=HTML,
          calls_a_minute=TRIES_A_MINUTE, calls_a_minute_in_all=TRIES_A_MINUTE_IN_ALL),
    Route("GET", "/operator/prove", entry.show_prove, Who.ANYBODY, MANAGEMENT,
          "Another second step.", asks=entry.WayIn, media_type=HTML),
    Route("POST", "/operator/prove", entry.prove, Who.OUR_PAGES, MANAGEMENT,
          "Keep another second step.", asks=entry.ProveForm, media_type=HTML,
          calls_a_minute=TRIES_A_MINUTE, calls_a_minute_in_all=TRIES_A_MINUTE_IN_ALL),
    Route("POST", "/operator/sign-out", entry.sign_out, Who.CONSOLE, MANAGEMENT,
          "End this session.", media_type=HTML, permission=Permission.LOOK, by_store=True),

    Route("GET", "/operator/me", own.show_own, Who.CONSOLE, MANAGEMENT,
          "How one is known oneself.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("POST", "/operator/me/password", own.change_password, Who.CONSOLE, MANAGEMENT,
          "Take another password.", asks=own.PasswordForm, media_type=HTML,
          permission=Permission.LOOK, by_store=True, calls_a_minute=TRIES_A_MINUTE),
    Route("POST", "/operator/me/codes", own.make_codes, Who.CONSOLE, MANAGEMENT,
          "Make recovery codes.", media_type=HTML, permission=Permission.LOOK, by_store=True),
    Route("POST", "/operator/me/passkeys/{passkey}/remove", own.remove_passkey, Who.CONSOLE,
          MANAGEMENT, "Take a passkey no more.", media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("POST", "/operator/me/sessions/{browser}/end", own.end_session, Who.CONSOLE,
          MANAGEMENT, "End one of one's sessions.", media_type=HTML,
          permission=Permission.LOOK, by_store=True),

    Route("GET", "/operator/people", people.show_people, Who.CONSOLE, MANAGEMENT,
          "Who runs the stores.", asks=OfStore, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("POST", "/operator/people", people.invite, Who.CONSOLE, MANAGEMENT,
          "Invite somebody.", asks=people.InviteForm, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("POST", "/operator/people/{operator}/role", people.set_role, Who.CONSOLE, MANAGEMENT,
          "Say what somebody is.", asks=people.RoleForm, media_type=HTML,
          permission=Permission.OWN),
    Route("POST", "/operator/people/{operator}/link", people.renew_link, Who.CONSOLE, MANAGEMENT,
          "Let somebody prove himself anew.", media_type=HTML, permission=Permission.OWN),
    Route("POST", "/operator/people/{operator}/remove", people.remove, Who.CONSOLE, MANAGEMENT,
          "Let somebody run nothing any more.", media_type=HTML, permission=Permission.OWN),
    Route("GET", "/operator/tokens", people.show_tokens, Who.CONSOLE, MANAGEMENT,
          "Programs' tokens.", asks=OfStore, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("POST", "/operator/tokens", people.make_token, Who.CONSOLE, MANAGEMENT,
          "Make a token.", asks=people.TokenForm, media_type=HTML,
          permission=Permission.OWN, by_store=True),
    Route("POST", "/operator/tokens/{token}/end", people.end_token, Who.CONSOLE, MANAGEMENT,
          "Let a token open nothing any more.", media_type=HTML, permission=Permission.OWN),
    Route("GET", "/operator/audit", audit.show_acts, Who.CONSOLE, MANAGEMENT,
          "What was done with a privilege.", asks=audit.ActsWanted, media_type=HTML,
          permission=Permission.OWN),
    Route("GET", "/operator/audit.csv", audit.show_sheet, Who.CONSOLE, MANAGEMENT,
          "What was done with a privilege, as a table.", asks=audit.ActsWanted,
          media_type="text/csv", permission=Permission.OWN),
)
# fmt: on
