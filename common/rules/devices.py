"""How a device goes from one customer to the next, and what has to be done between two of them.

Its law: nobody is let in before everything that was to be done is verifiably done; what fails or
takes too long puts the device out of order, and only an operator's word brings it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import scrypt
from hmac import compare_digest
from typing import Final

from common.machine import Machine


class DeviceState(StrEnum):
    """Where a device stands, as its terminal knows it."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    IN_USE = "in_use"
    FINISHING = "finishing"
    TURNOVER = "turnover"
    OUT_OF_ORDER = "out_of_order"


RESERVED: Final = "reserved"
"""What the controller says of a device that is available, and claimed by somebody just now."""

OFFLINE: Final = "offline"
"""What the controller says of a device whose terminal is gone."""


class DeviceEvent(StrEnum):
    """What happens to a device."""

    START = "start"
    RUN = "run"
    FAIL = "fail"
    STOP = "stop"
    END = "end"
    READY = "ready"
    BREAK = "break"
    MEND = "mend"


DEVICE: Final = Machine(
    name="device",
    first=DeviceState.AVAILABLE,
    table={
        (DeviceState.AVAILABLE, DeviceEvent.START): DeviceState.PREPARING,
        (DeviceState.PREPARING, DeviceEvent.RUN): DeviceState.IN_USE,
        (DeviceState.PREPARING, DeviceEvent.FAIL): DeviceState.TURNOVER,
        (DeviceState.IN_USE, DeviceEvent.STOP): DeviceState.FINISHING,
        (DeviceState.IN_USE, DeviceEvent.END): DeviceState.TURNOVER,
        (DeviceState.FINISHING, DeviceEvent.END): DeviceState.TURNOVER,
        (DeviceState.TURNOVER, DeviceEvent.READY): DeviceState.AVAILABLE,
        (DeviceState.AVAILABLE, DeviceEvent.BREAK): DeviceState.OUT_OF_ORDER,
        (DeviceState.TURNOVER, DeviceEvent.BREAK): DeviceState.OUT_OF_ORDER,
        (DeviceState.OUT_OF_ORDER, DeviceEvent.MEND): DeviceState.TURNOVER,
    },
)
"""Whoever uses a device is left to it: what breaks meanwhile counts when he has gone."""

HELD: Final = frozenset({DeviceState.PREPARING, DeviceState.IN_USE, DeviceState.FINISHING})
"""States in which a customer has the device."""


class ConfirmBy(StrEnum):
    """Who says that a device is clean: nobody, a person by a code, or something that looks.

    By a `photo` it is the person who has cleaned it, and a picture stays of what he left.
    """

    NONE = "none"
    CODE = "code"
    SENSOR = "sensor"
    PHOTO = "photo"


BY_A_PERSON: Final = frozenset({ConfirmBy.CODE, ConfirmBy.PHOTO})
"""For these a turnover waits: no command of the catalogue says it."""


class Step(StrEnum):
    """What has to be done in a turnover; each is done and over before the next begins."""

    WIPE = "wipe"
    """The program's own folders are emptied: nobody finds what the last customer left."""
    RESET = "reset"
    """A command of the catalogue puts the device as it should be, in the empty folders."""
    CONFIRM = "confirm"
    """Somebody, or something, says that it is clean."""


CODE_DIGITS: Final = 6
"""Digits of a cleaner's code: it is typed with a mop in the other hand, and opens no door."""

CODE_TRIES_MAX: Final = 5
CODE_TRIES_SECONDS: Final = 900.0
"""Wrong codes that a terminal takes in so long: who guesses needs a year for half of a million."""


class NotConfirmed(StrEnum):
    """Why a turnover is not confirmed by what was entered."""

    NOT_ASKED = "not_asked"
    """This device waits for nobody's code now."""
    NO_CODE = "no_code"
    """The operator has made no code for this store."""
    WRONG_CODE = "wrong_code"
    TOO_MANY_TRIES = "too_many_tries"


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """What became of a code that was entered for a device; without `why_not` it was taken."""

    device: str
    state: DeviceState
    why_not: NotConfirmed | None = None

    @property
    def is_taken(self) -> bool:
        """Say whether the code was taken: the device is clean."""
        return self.why_not is None


def is_cleaner_code(text: str) -> bool:
    """Say whether a text is built like a cleaner's code: no ticket is."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()


def code_digest(code: str, salt: str) -> str:
    """Return by what a code is known, in hex; it takes some 25 ms, so that guessing takes long."""
    return scrypt(code.encode(), salt=bytes.fromhex(salt), n=2**13, r=8, p=1, dklen=32).hex()


def is_the_code(code: str, salt: str, digest: str) -> bool:
    """Say whether this is the code that has this digest."""
    return is_cleaner_code(code) and compare_digest(code_digest(code, salt), digest)


class DeviceFault(StrEnum):
    """Why a device is out of order."""

    WIPE_FAILED = "wipe_failed"
    RESET_FAILED = "reset_failed"
    STEP_OVERDUE = "step_overdue"
    CONFIRMATION_OVERDUE = "confirmation_overdue"
    PROGRAM_BROKEN = "program_broken"
    """Its program does not stay up, however often it is started."""
    OPERATOR = "operator"
    """An operator has said so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Care:
    """What a device needs between two customers.

    Attributes:
        wipes: whether its program has folders that are to be emptied.
        reset: the catalogue's command that resets it; None: there is none.
        confirm_by: who says that it is clean.
    """

    wipes: bool = False
    reset: str | None = None
    confirm_by: ConfirmBy = ConfirmBy.NONE


class Stage(StrEnum):
    """How far the use of a device has come, by the words of its session."""

    GRANTED = "granted"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"


OVER: Final = frozenset({Stage.ENDED, Stage.FAILED})
"""Stages after which nobody has the device any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """A device's latest session: where it stands, and whether its end was taken in before."""

    stage: Stage
    is_taken_in: bool


def steps_of(care: Care, *, was_used: bool) -> tuple[Step, ...]:
    """Return what has to be done, in its order.

    Where nobody has used it, because its program never came up, there is nothing to be cleaned; but
    what it had begun to write is taken away all the same.
    """
    wipe = (Step.WIPE,) if care.wipes else ()
    reset = (Step.RESET,) if care.reset is not None else ()
    is_asked = was_used and care.confirm_by is not ConfirmBy.NONE
    return (*wipe, *reset, *((Step.CONFIRM,) if is_asked else ()))


def step_after(step: Step | None, care: Care, *, was_used: bool) -> Step | None:
    """Return the step to take after this one, or the first after None; None: all is done.

    A step that is not asked for any more, since the settings have changed, is followed by what
    comes after its place.
    """
    order = list(Step)
    place = -1 if step is None else order.index(step)
    left = [each for each in steps_of(care, was_used=was_used) if order.index(each) > place]
    return left[0] if left else None


_LEADS_THROUGH: Final = {
    Stage.GRANTED: (DeviceEvent.START,),
    Stage.STARTING: (DeviceEvent.START,),
    Stage.RUNNING: (DeviceEvent.START, DeviceEvent.RUN),
    Stage.ENDING: (DeviceEvent.START, DeviceEvent.RUN, DeviceEvent.STOP),
    Stage.ENDED: (DeviceEvent.START, DeviceEvent.RUN, DeviceEvent.END),
    Stage.FAILED: (),
}


def events_since(state: DeviceState, use: Use | None) -> tuple[DeviceEvent, ...]:
    """Return what has happened to a device, by where its latest session stands now.

    Whoever looks late, since the agent was not there, finds the whole way of it. A session that
    failed before it was looked at was never begun. A device whose session is not known any more has
    been left: whoever had it is gone.
    """
    if use is None or use.is_taken_in:
        return _LEFT.get(state, ())
    way = _LEADS_THROUGH[use.stage][_COME.get(state, 0) :]
    return way or _LEFT.get(state, ()) if use.stage in OVER else way


_COME: Final = {
    DeviceState.PREPARING: 1,
    DeviceState.IN_USE: 2,
    DeviceState.FINISHING: 2,
}
"""How much of a session's way a device in this state has behind it."""

_LEFT: Final = {
    DeviceState.PREPARING: (DeviceEvent.FAIL,),
    DeviceState.IN_USE: (DeviceEvent.END,),
    DeviceState.FINISHING: (DeviceEvent.END,),
}


_SHOWN: Final = {
    Stage.GRANTED: DeviceState.PREPARING,
    Stage.STARTING: DeviceState.PREPARING,
    Stage.RUNNING: DeviceState.IN_USE,
    Stage.ENDING: DeviceState.FINISHING,
}

NOT_READY: Final = frozenset(
    {DeviceState.FINISHING, DeviceState.TURNOVER, DeviceState.OUT_OF_ORDER}
)
"""What a terminal tells of a device that opens for nobody, also where no session is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the controller knows of a device.

    Attributes:
        state: what its terminal has told; None: nothing yet, and it is taken for available.
        stage: where its live session stands; None: it has none.
        is_out_of_order: whether the books keep it from being used.
        is_claimed: whether somebody's slot on it has begun, or its turnover has not ended.
        is_here: whether its terminal is.
    """

    state: DeviceState | None
    stage: Stage | None
    is_out_of_order: bool
    is_claimed: bool
    is_here: bool


def shown_state(seen: Seen) -> str:
    """Return what an operator is shown of a device: its terminal's word, and what we know besides.

    A session counts more than a word that may have come before it.
    """
    if not seen.is_here:
        return OFFLINE
    if seen.stage is not None:
        return _SHOWN[seen.stage]
    if seen.is_out_of_order:
        return DeviceState.OUT_OF_ORDER
    if seen.state in NOT_READY:
        return DeviceState.TURNOVER if seen.state is DeviceState.OUT_OF_ORDER else seen.state
    return RESERVED if seen.is_claimed else DeviceState.AVAILABLE


class ForHolder(StrEnum):
    """What the holder of a coming ticket is told of the device that it opens."""

    READY = "ready"
    BOOKED = "booked"
    """The slot of somebody before him has begun, who may still come for it."""
    IN_USE = "in_use"
    BEING_MADE_READY = "being_made_ready"
    OUT_OF_ORDER = "out_of_order"
    UNREACHABLE = "unreachable"


_FOR_HOLDER: Final = {
    OFFLINE: ForHolder.UNREACHABLE,
    RESERVED: ForHolder.BOOKED,
    DeviceState.AVAILABLE: ForHolder.READY,
    DeviceState.PREPARING: ForHolder.IN_USE,
    DeviceState.IN_USE: ForHolder.IN_USE,
    DeviceState.FINISHING: ForHolder.BEING_MADE_READY,
    DeviceState.TURNOVER: ForHolder.BEING_MADE_READY,
    DeviceState.OUT_OF_ORDER: ForHolder.OUT_OF_ORDER,
}


def told_to_holder(seen: Seen) -> ForHolder:
    """Return what a ticket's holder is told of his device; `seen` is of others' use alone (E5)."""
    return _FOR_HOLDER[shown_state(seen)]
