"""The words of the screen: faces, tones, sounds and buttons, and what a picture is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from common.messages.devices import DeviceAround
from common.messages.help import HelperThere
from common.rules.presence import LineMode
from common.rules.sessions import EndReason, Notice
from common.rules.tickets import DenialReason
from common.words import Said, Words
from edge_agent.flows.help import Call
from edge_agent.ports import DeviceOnScreen, Shown

InAll: TypeAlias = Mapping[str, Words]
"""The same words in each language that we speak; the page shows those of whoever stands there."""


class Face(StrEnum):
    """What a screen shows of a device."""

    CLOSED = "closed"
    IDLE = "idle"
    ASKING = "asking"
    OPENED = "opened"
    TURNED_AWAY = "turned_away"
    STARTING = "starting"
    RUNNING = "running"
    FINISHING = "finishing"
    THANKS = "thanks"
    TURNOVER = "turnover"
    OUT_OF_ORDER = "out_of_order"


class Tone(StrEnum):
    """Its colour and its sign, always the two together: nobody need tell colours apart."""

    CALM = "calm"
    GOOD = "good"
    WAIT = "wait"
    """Not now, but soon, and here."""
    GO = "go"
    """Somewhere else."""
    NO = "no"
    WARN = "warn"


class Cue(StrEnum):
    """The sound that goes with a moment."""

    READ = "read"
    YES = "yes"
    WAIT = "wait"
    NO = "no"
    WARN = "warn"
    END = "end"


class Button(StrEnum):
    """What a customer, or a cleaner, can do now."""

    EXTEND = "extend"
    END = "end"
    HELP = "help"
    CONFIRM = "confirm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A verdict or notice, and when it was shown, in seconds since boot; `moment` names it.

    `to` is the title of the device that it opens, where it is read elsewhere than at that device.
    """

    shown: Shown
    at: float
    moment: str
    to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned:
    """The last warning of a session, and when it came, in seconds since boot."""

    session: str
    seconds_left: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """The last session of a device: why it ended, how long it ran, and when that was seen."""

    session: str
    reason: EndReason
    delivered_seconds: float
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """All that a picture is made from; times are seconds since boot.

    Attributes:
        told: what was shown last to whoever stands there; `asked_at`: a code was read then, and no
            verdict has come since.
        help_told: whether the controller has the call for help; None: nobody has called.
        serves: whether customers are served here now.
        around: what its session costs, and who comes next, as it was answered last.
        helpers: who can be written with; `call`: the call of this device, if there is one.
    """

    seen: DeviceOnScreen
    mode: LineMode | None
    serves: bool
    told: Told | None = None
    asked_at: float | None = None
    warned: Warned | None = None
    over: Over | None = None
    help_told: bool | None = None
    around: DeviceAround | None = None
    helpers: tuple[HelperThere, ...] = ()
    call: Call | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Countdown:
    """A session's end on the clock since boot, in seconds, and how long it was granted."""

    session: str
    ends_at: float
    of_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Helping:
    """Who can be written with from this device now, and what is written.

    `is_reached` is false while the line is down: then nobody can be chosen.
    """

    helpers: tuple[HelperThere, ...] = ()
    is_reached: bool = False
    call: Call | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Surrounded:
    """What stands around a device: what its session costs now, and who comes next.

    Attributes:
        price_cents: in minor units of `currency`; None: nothing runs, or it is not sold by us.
        next_at: from when on somebody has booked it, by the store's clock, by language.
        coming: so many bookings of others come within twelve hours.
    """

    price_cents: int | None = None
    currency: str = ""
    next_at: Mapping[str, str] | None = None
    coming: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What is shown of one device.

    Attributes:
        key: the device's in the settings; empty for the place where tickets are read.
        words: what is said, by language; `note`: what is said besides, in small.
        cue: a sound, to be played once for each `moment`.
        countdown: there whenever a session is live, whatever else is shown.
        warned_seconds: the last warning, once there was one.
        until: when the picture changes by itself, in seconds since boot.
        helping: who can be written with, and the call of this device.
        around: what it costs, and who comes next.
        message: the id of what the store says, while that is shown.
    """

    key: str
    title: str
    number: int | None
    face: Face
    tone: Tone
    words: InAll
    note: InAll | None = None
    cue: Cue | None = None
    moment: str = ""
    countdown: Countdown | None = None
    warned_seconds: int | None = None
    delivered_seconds: float | None = None
    buttons: tuple[Button, ...] = ()
    until: float | None = None
    helping: Helping = Helping()
    around: Surrounded = Surrounded()
    message: str = ""


SIGN_OF: Final[Mapping[DenialReason, Tone]] = {
    **dict.fromkeys(DenialReason, Tone.NO),
    **dict.fromkeys(
        (
            DenialReason.TOO_EARLY,
            DenialReason.DEVICE_IN_USE,
            DenialReason.DEVICE_IN_TURNOVER,
            DenialReason.STORE_CLOSED,
            DenialReason.UNPAID,
            DenialReason.NOT_ON_OFFLINE_LIST,
            DenialReason.BUSY_TRY_AGAIN,
        ),
        Tone.WAIT,
    ),
    **dict.fromkeys(
        (
            DenialReason.WRONG_DEVICE,
            DenialReason.WRONG_STORE,
            DenialReason.IN_USE_ELSEWHERE,
            DenialReason.DEVICE_OUT_OF_ORDER,
            DenialReason.RESERVED_FOR_ANOTHER,
            DenialReason.NOT_REGISTERED,
            DenialReason.CLOCK_UNTRUSTED,
        ),
        Tone.GO,
    ),
}
"""How each refusal looks: wait here, go there, or no. Those that name a free device say `go`."""

SIGN_OF_NOTICE: Final[Mapping[Notice, Tone]] = {
    **dict.fromkeys(Notice, Tone.GO),
    Notice.OPENED: Tone.GOOD,
    Notice.DENIED: Tone.NO,
    Notice.DID_NOT_START: Tone.WAIT,
    Notice.NO_DEVICE_FREE: Tone.WAIT,
    Notice.MESSAGE: Tone.WAIT,
}

THANKS_FOR: Final[Mapping[EndReason, Said]] = {
    **dict.fromkeys(EndReason, Said.THANKS_BROKEN),
    EndReason.TIME_UP: Said.THANKS_TIME_UP,
    EndReason.CUSTOMER_ENDED: Said.THANKS_ENDED,
    EndReason.STAFF_ENDED: Said.THANKS_STAFF,
    EndReason.EMERGENCY: Said.THANKS_STAFF,
}
"""What somebody reads whose session has ended; an end that nobody wished is one to be sorry for."""

CUE_OF: Final[Mapping[Tone, Cue]] = {
    Tone.GOOD: Cue.YES,
    Tone.WAIT: Cue.WAIT,
    Tone.GO: Cue.WAIT,
    Tone.NO: Cue.NO,
}
