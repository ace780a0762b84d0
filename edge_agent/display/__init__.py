"""What the customer in the store is shown; until there is a screen, the log is where it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from common.messages.base import Particulars
from common.rules.presence import LineMode
from common.rules.tickets import DenialReason
from common.words import Here, Words, line_words_for, notice_words_for, words_for
from edge_agent.ports import NoticeShown, Shown, Verdict

LANGUAGE = "en"
"""Of the log; a screen will speak the customer's."""


class Display:
    """Tells verdicts, notices, and honestly what this terminal can do now."""

    def __init__(self, here: Callable[[], Here] = Here) -> None:
        """Begin with nothing told; `here` says in which zone, and when, the customer reads."""
        self.mode: LineMode | None = None
        self._here = here
        self._log = structlog.get_logger("agent")

    def show(self, shown: Shown) -> None:
        """Tell the customer."""
        if isinstance(shown, NoticeShown):
            self._show_notice(shown)
        else:
            self._show_verdict(shown)

    def show_mode(self, mode: LineMode) -> None:
        """Say what this terminal can do for a customer now, if it is another thing than before."""
        if mode is not self.mode:
            self.mode = mode
            self._log.info("line", mode=mode.value, **_said(line_words_for(mode, LANGUAGE)))

    def _show_verdict(self, verdict: Verdict) -> None:
        told = {"scan": verdict.scan, "device": verdict.device, "alone": verdict.is_alone}
        if verdict.reason is None:
            self._log.info("verdict", opens=True, **told)
            return
        told |= self._why(verdict.reason, verdict.told)
        self._log.info("verdict", opens=False, reason=verdict.reason.value, **told)

    def _show_notice(self, shown: NoticeShown) -> None:
        told: dict[str, Any] = {"notice": shown.notice.value, "device": shown.device}
        if shown.reason is not None:
            told |= {"reason": shown.reason.value, **self._why(shown.reason, shown.told)}
        else:
            told |= _said(notice_words_for(shown.notice, LANGUAGE, shown.told.to))
        self._log.info("notice", **told)

    def _why(self, reason: DenialReason, told: Particulars) -> dict[str, Any]:
        """Return the words of a refusal, and beside them what they were made from."""
        words = words_for(reason, LANGUAGE, told, self._here())
        return {**_said(words), **told.model_dump(exclude_none=True)}


def _said(words: Words) -> dict[str, str]:
    return {"what": words.what, "next": words.next}
