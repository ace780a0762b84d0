"""What the customer in the store is shown: on the screen, where there is one, and in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from common.messages.base import Particulars
from common.rules.presence import LineMode
from common.rules.tickets import DenialReason
from common.words import Here, Words, line_words_for, notice_words_for, words_for
from edge_agent.display.stage import Stage
from edge_agent.ports import NoticeShown, ProgramSeen, Shown, Verdict

LANGUAGE = "en"
"""Of the log; the screen speaks the customer's."""


class Display:
    """Tells verdicts, notices, and honestly what this terminal can do now."""

    def __init__(self, here: Callable[[], Here] = Here, stage: Stage | None = None) -> None:
        """Begin with nothing told; `here` says in which zone, and when, the customer reads.

        Without a `stage` there is no screen.
        """
        self.mode: LineMode | None = None
        self._here = here
        self._stage = stage
        self._log = structlog.get_logger("agent")

    def show(self, shown: Shown) -> None:
        """Tell the customer."""
        if self._stage is not None:
            self._stage.tell(shown)
        if isinstance(shown, NoticeShown):
            self._show_notice(shown)
        else:
            self._show_verdict(shown)

    def show_mode(self, mode: LineMode) -> None:
        """Say what this terminal can do for a customer now, if it is another thing than before."""
        if mode is not self.mode:
            if self._stage is not None:
                self._stage.tell_mode(mode)
            self.mode = mode
            self._log.info("line", mode=mode.value, **_said(line_words_for(mode, LANGUAGE)))

    def show_reading(self) -> None:
        """Let the customer see at once that his code was read; the verdict comes by itself."""
        if self._stage is not None:
            self._stage.tell_reading()

    def show_seen(self, seen: ProgramSeen, seconds_left: int | None = None) -> None:
        """Show what has become of a session's program, or warn that only so little is left."""
        if self._stage is None:
            return
        if seconds_left is None:
            self._stage.tell_seen(seen)
        else:
            self._stage.tell_warned(seen.session, seconds_left)

    def show_anew(self) -> None:
        """Look again at what there is to show: the journal has changed."""
        if self._stage is not None:
            self._stage.nudge()

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
