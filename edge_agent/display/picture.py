"""What is shown: from what is known of a device to one frozen picture of it, and nothing else.

Law: the same facts at the same instant make the same picture; nothing here looks, waits or sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from common.rules.presence import LineMode
from common.rules.sessions import Notice, SessionState
from common.words import (
    CALL_LABELS,
    LANGUAGES,
    Here,
    Said,
    Words,
    line_words_for,
    message_words_for,
    notice_words_for,
    screen_words_for,
    time_in_words,
    words_for,
)
from edge_agent.display.faces import (
    CUE_OF,
    SIGN_OF,
    SIGN_OF_NOTICE,
    THANKS_FOR,
    Button,
    Countdown,
    Cue,
    Face,
    Facts,
    Helping,
    InAll,
    Picture,
    Surrounded,
    Told,
    Tone,
)
from edge_agent.flows.help import Call
from edge_agent.ports import NoticeShown, SessionOnScreen, Verdict

WELCOME_SECONDS: Final = 4.0
"""How long a yes stays: it is read at a glance, and the countdown stands behind it."""

TOLD_SECONDS: Final = 12.0
"""How long a no stays: two short sentences, read twice by somebody in a foreign language."""

ASKING_SECONDS: Final = 5.0
"""How long a code that was read waits for its verdict here; the flows give one in 3 s."""

WARNING_SECONDS: Final = 20.0
"""How long a warning fills the screen, as long as accessibility rules ask for at the least."""

THANKS_SECONDS: Final = 20.0
"""How long somebody is thanked, unless the next customer's ticket is read before."""

SURROUNDED: Final = frozenset({Face.IDLE, Face.RUNNING, Face.TURNOVER, Face.FINISHING})
"""Where there is time to read of prices and bookings."""

MINUTE_SECONDS: Final = 60

NOTE_CHARACTERS_MAX: Final = 90
"""Of a helper's line beside the picture; the whole of it is in the call."""


def picture_of(facts: Facts, now: float, here: Here) -> Picture:
    """Return what is shown of a device at `now`, in seconds since boot.

    What was just told comes first, then the session, then its thanks, then the device's state.
    """
    shown = _momentary(facts, now, here) or _of_session(facts, now) or _of_device(facts, now)
    seen = facts.seen
    return replace(
        shown,
        key=seen.key,
        title=seen.title,
        number=seen.number,
        countdown=_countdown(seen.session),
        note=_note(facts),
        buttons=_buttons(facts, shown.face),
        helping=_helping(facts),
        around=_around(facts, shown.face, here),
    )


def in_all(make: Callable[[str], Words]) -> InAll:
    """Return what is made of each language that we speak."""
    return {language: make(language) for language in LANGUAGES}


def _momentary(facts: Facts, now: float, here: Here) -> Picture | None:
    """Return what was just read or told, as long as that is shown."""
    if facts.asked_at is not None and now < facts.asked_at + ASKING_SECONDS:
        until = facts.asked_at + ASKING_SECONDS
        moment = f"read {facts.asked_at}"
        return _plain(Face.ASKING, Said.ASKING, until=until, cue=Cue.READ, moment=moment)
    told = facts.told
    if told is None:
        return None
    opens = isinstance(told.shown, Verdict) and told.shown.reason is None
    said = told.shown.said if isinstance(told.shown, NoticeShown) else None
    until = told.at + (WELCOME_SECONDS if opens else TOLD_SECONDS if said is None else said.seconds)
    if now >= until:
        return None
    tone, words = _of_told(told, here)
    return Picture(
        key="",
        title="",
        number=None,
        face=Face.OPENED if tone is Tone.GOOD else Face.TURNED_AWAY,
        tone=tone,
        words=words,
        cue=CUE_OF[tone],
        moment=told.moment,
        until=until,
        message="" if said is None else said.message,
    )


def _of_told(said: Told, here: Here) -> tuple[Tone, InAll]:
    shown, to = said.shown, said.to
    if isinstance(shown, NoticeShown) and shown.reason is None:
        notice, there, store = shown.notice, shown.told.to, shown.said
        if store is not None:
            words = in_all(lambda of: message_words_for(store.sentence, store.text, of))
            return SIGN_OF_NOTICE[notice], words
        return SIGN_OF_NOTICE[notice], in_all(lambda of: notice_words_for(notice, of, there))
    if shown.reason is None and to is not None:
        return Tone.GOOD, in_all(lambda of: notice_words_for(Notice.OPENED, of, to))
    if shown.reason is None:
        return Tone.GOOD, in_all(lambda of: screen_words_for(Said.WELCOME, of))
    reason, told = shown.reason, shown.told
    tone = SIGN_OF[reason] if told.to is None else Tone.GO
    return tone, in_all(lambda of: words_for(reason, of, told, here))


def _of_session(facts: Facts, now: float) -> Picture | None:
    session = facts.seen.session
    if session is None:
        return None
    if session.state is SessionState.ENDING:
        return _plain(Face.FINISHING, Said.FINISHING)
    if session.state is not SessionState.RUNNING:
        return _plain(Face.STARTING, Said.STARTING)
    if session.waits:
        words = in_all(lambda of: notice_words_for(Notice.SCAN_TO_GO_ON, of, None))
        idle = _plain(Face.IDLE, Said.SHOW_TICKET, moment=f"{session.session} waits")
        return replace(idle, tone=Tone.WAIT, words=words)
    return _of_running(facts, session, now)


def _of_running(facts: Facts, session: SessionOnScreen, now: float) -> Picture:
    warned = facts.warned
    if warned is None or warned.session != session.session:
        return _plain(Face.RUNNING, Said.RUNNING)
    said, number = _left(warned.seconds_left)
    is_last = warned.seconds_left <= MINUTE_SECONDS
    until = None if is_last else warned.at + WARNING_SECONDS
    moment = f"{warned.session} {warned.seconds_left}"
    if until is not None and now >= until:
        calm = _plain(Face.RUNNING, Said.RUNNING, moment=moment)
        return replace(calm, warned_seconds=warned.seconds_left)
    loud = _plain(Face.RUNNING, said, number=number, until=until, cue=Cue.WARN, moment=moment)
    return replace(loud, tone=Tone.WARN, warned_seconds=warned.seconds_left)


def _of_device(facts: Facts, now: float) -> Picture:
    over = facts.over
    if over is not None and now < over.at + THANKS_SECONDS:
        until, moment = over.at + THANKS_SECONDS, f"{over.session} over"
        thanks = THANKS_FOR[over.reason]
        shown = _plain(Face.THANKS, thanks, until=until, cue=Cue.END, moment=moment)
        tone = Tone.CALM if thanks is Said.THANKS_BROKEN else Tone.GOOD
        return replace(shown, tone=tone, delivered_seconds=over.delivered_seconds)
    if facts.seen.is_out_of_order:
        return _plain(Face.OUT_OF_ORDER, Said.OUT_OF_ORDER)
    if facts.seen.is_in_turnover:
        said = Said.TURNOVER_CODE if facts.seen.takes_code else Said.TURNOVER
        return _plain(Face.TURNOVER, said)
    if not facts.serves or facts.mode is LineMode.STOPPED:
        return _plain(Face.CLOSED, Said.CLOSED)
    return _plain(Face.IDLE, Said.SHOW_TICKET)


def _plain(
    face: Face,
    said: Said,
    *,
    number: int = 0,
    until: float | None = None,
    cue: Cue | None = None,
    moment: str = "",
) -> Picture:
    return Picture(
        key="",
        title="",
        number=None,
        face=face,
        tone=Tone.CALM,
        words=in_all(lambda language: screen_words_for(said, language, number)),
        cue=cue,
        moment=moment,
        until=until,
    )


def _left(seconds: int) -> tuple[Said, int]:
    """Return how a warning is said: in minutes where there are two or more, else in seconds."""
    if seconds >= 2 * MINUTE_SECONDS:
        return Said.WARNED_MINUTES, seconds // MINUTE_SECONDS
    return Said.WARNED_SECONDS, seconds


def _countdown(session: SessionOnScreen | None) -> Countdown | None:
    if session is None or session.ends_at is None or session.state is SessionState.ENDING:
        return None
    return Countdown(
        session=session.session, ends_at=session.ends_at, of_seconds=session.granted_seconds
    )


def _note(facts: Facts) -> InAll | None:
    """Return what is said in small: of help that was called, or what is true without the line."""
    if facts.call is not None and facts.call.state != "ended":
        return _of_call(facts.call)
    if facts.help_told is not None:
        called = Said.HELP_TOLD if facts.help_told else Said.HELP_WAITS
        return in_all(lambda language: screen_words_for(called, language))
    mode = facts.mode
    if mode not in {LineMode.ALONE, LineMode.UNSURE}:
        return None
    if facts.seen.session is not None:
        return in_all(lambda language: screen_words_for(Said.ALONE_RUNNING, language))
    assert mode is not None
    return in_all(lambda language: line_words_for(mode, language))


def _of_call(call: Call) -> InAll:
    """Return what the helper has written last, for whoever has hidden the call; else who he is."""
    last = next((each.text for each in reversed(call.lines) if each.by == "helper"), None)
    if last is not None:
        short = last if len(last) <= NOTE_CHARACTERS_MAX else f"{last[:NOTE_CHARACTERS_MAX]}…"
        return in_all(lambda _: Words(what=call.name, next=short))
    key = "call_open" if call.state == "open" else "call_waiting" if call.is_told else "call_unsent"
    return in_all(lambda of: Words(what=CALL_LABELS[of][key].format(name=call.name), next=""))


def _helping(facts: Facts) -> Helping:
    """Return who can be written with: nobody is offered whom the line does not reach."""
    is_reached = facts.mode is LineMode.ASKS
    return Helping(
        helpers=facts.helpers if is_reached else (), is_reached=is_reached, call=facts.call
    )


def _around(facts: Facts, face: Face, here: Here) -> Surrounded:
    """Return what it costs and who comes next, for whoever uses the device or could."""
    told = facts.around
    if told is None or face not in SURROUNDED:
        return Surrounded()
    at, use = told.next_at, facts.seen.session
    is_ours = use is not None and use.session == told.session
    return Surrounded(
        price_cents=told.price_cents if is_ours else None,
        currency=told.currency if is_ours else "",
        next_at=None if at is None else {of: time_in_words(at, of, here) for of in LANGUAGES},
        coming=told.coming,
    )


def _buttons(facts: Facts, face: Face) -> tuple[Button, ...]:
    """Return what can be done now: nothing is offered that the line's being down forbids."""
    session = facts.seen.session
    if session is not None and session.waits:
        return (Button.END, Button.HELP)
    if session is not None and session.state is SessionState.RUNNING:
        asks = facts.mode is LineMode.ASKS
        return (*((Button.EXTEND,) if asks else ()), Button.END, Button.HELP)
    if face is Face.TURNOVER and facts.seen.takes_code:
        return (Button.CONFIRM, Button.HELP)
    return (Button.HELP,)
