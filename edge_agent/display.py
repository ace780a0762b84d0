"""What the customer in the store is shown; until there is a screen, the log is where it shows."""

from __future__ import annotations

import structlog

from common.rules.presence import LineMode
from common.words import Words, line_words_for, notice_words_for, words_for
from edge_agent.ports import NoticeShown, Shown, Verdict

LANGUAGE = "en"
"""Of the log; a screen will speak the customer's."""


class Display:
    """Tells verdicts, notices, and honestly what this terminal can do now."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self.mode: LineMode | None = None
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
        words = _said(words_for(verdict.reason, LANGUAGE))
        self._log.info("verdict", opens=False, reason=verdict.reason.value, **words, **told)

    def _show_notice(self, shown: NoticeShown) -> None:
        words = notice_words_for(shown.notice, LANGUAGE, shown.to)
        if shown.reason is not None:
            words = words_for(shown.reason, LANGUAGE)
        told = {"notice": shown.notice.value, "device": shown.device}
        self._log.info("notice", **told, **_said(words))


def _said(words: Words) -> dict[str, str]:
    return {"what": words.what, "next": words.next}
