"""What every chapter is told with: steps at their own instants, tickets that are held up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from cloud_controller.web.qr import ticket_png
from cloud_controller.web.reservations import PNG_MODULE_PIXELS
from cloud_controller.web.routes import from_iso
from common.messages.base import Particulars
from common.rules.tickets import DenialReason
from common.seals import TicketToken, new_signing_key, seal_token
from common.words import Here, words_for
from tests.demo.timeline import LANGUAGES, Step, Timeline
from tests.demo.world import Terminal, World, expect

KEY_BYTES: Final = 32

STORE_ZONE: Final = "Asia/Tokyo"
"""Of the story's store, which says no other."""

Line = dict[str, Any]

_GAP = {"en": " ", "ja": ""}


class Teller:
    """The world that is told of, the timeline that it is told in, and the machine's clock."""

    def __init__(self, world: World, timeline: Timeline, now: Callable[[], int]) -> None:
        self.world, self.timeline, self.now = world, timeline, now
        self._pictures = 0

    def show(self, terminal: Terminal, picture: bytes, what: str) -> int:
        """Hold a picture before a terminal's scanner; return the number of the verdict to come."""
        number = len(self.world.verdicts(terminal))
        self._pictures += 1
        at = self.now()
        terminal.show(picture, f"picture-{self._pictures}")
        facts = {"terminal": terminal.name}
        self.timeline.tell(Step(at=at, who="customer", what=what, facts=facts))
        return number

    def refused(self, terminal: Terminal, number: int, reason: DenialReason) -> None:
        """Tell that a terminal opened nothing, having seen that it said why."""
        verdict = self.world.wait_for_verdict(terminal, number)
        expect(verdict.get("reason"), reason.value, f"verdict of {terminal.name}")
        told = in_all_languages(verdict)
        expect(f"{verdict['what']} {verdict['next']}", told["en"], "words the customer read")
        facts = {"reason": reason.value, **told}
        self.timeline.tell(step_of(verdict, terminal.name, "opens nothing", reason.value, **facts))


def step_of(line: Mapping[str, Any], who: str, what: str, note: str = "", **facts: object) -> Step:
    """Return the step that a line of the ledger or of a log is, at its own instant."""
    at = line["at"] if "at" in line else line["timestamp"]
    return Step(at=from_iso(at), who=who, what=what, note=note, facts=facts)


def in_all_languages(verdict: Mapping[str, Any]) -> dict[str, str]:
    """Return what a customer is told, by language, from the verdict as the log has it."""
    reason = DenialReason(verdict["reason"])
    known = {name: verdict[name] for name in Particulars.model_fields if name in verdict}
    here = Here(time_zone=STORE_ZONE, now=from_iso(verdict["timestamp"]))
    told = {
        language: words_for(reason, language, Particulars(**known), here) for language in LANGUAGES
    }
    return {
        language: f"{words.what}{_GAP[language]}{words.next}" for language, words in told.items()
    }


def forged(token: TicketToken) -> bytes:
    """Return the picture of a ticket that is right in all but its signature."""
    sealed = seal_token(token, new_signing_key(os.urandom(KEY_BYTES)))
    return ticket_png(sealed, module_pixels=PNG_MODULE_PIXELS)
