"""What is said about devices: where each stands, and what an operator wants of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from common.messages.base import (
    DEVICES_MAX,
    Count,
    Digest,
    Instant,
    Message,
    Name,
    Seconds,
    ShortText,
)

MESSAGE_TEXT_MAX: Final = 200
"""Characters of a message to a screen: two lines that are read at a glance."""


class DeviceTold(Message):
    """A device has come to another state, by its terminal's own word.

    Attributes:
        state: a `common.rules.devices.DeviceState`.
        session: the use that it comes after, where it is one.
        fault: why it is out of order, a `common.rules.devices.DeviceFault`; empty: it is not.
        detail: what the terminal found, in its own words.
        confirmed_by: who said that it is clean, a `common.rules.devices.ConfirmBy`, or `operator`;
            empty: nobody was asked.
        order: the operator's word on this device that the terminal has heard last.
        waits_for: whose word its turnover waits for: `code` or `photo`; empty: nobody's.
    """

    type: ClassVar[str] = "device.told"
    device: Name
    state: ShortText
    at: Instant
    session: Name | None = None
    fault: ShortText = ""
    detail: ShortText = ""
    confirmed_by: ShortText = ""
    order: Count = 0
    waits_for: ShortText = ""


class DeviceMessage(Message):
    """What the store says to whoever is at a device, until it is stale; it changes nothing.

    Attributes:
        message: its id, by which the page before the customer confirms that it has shown it.
        sentence: a `common.rules.acts.Sentence`, said in each language; empty: `text` is said.
        text: the store's own words, as they stand.
        seconds: how long it is shown.
        accept_by: whoever hears it later shows nothing: it was about that moment.
    """

    type: ClassVar[str] = "device.message"
    message: Name
    device: Name
    sentence: ShortText = ""
    text: Annotated[str, Field(max_length=MESSAGE_TEXT_MAX)] = ""
    seconds: Seconds
    accept_by: Instant


class DeviceMessageShown(Message):
    """The page before the customer says that it has shown this message."""

    type: ClassVar[str] = "device.message_shown"
    message: Name
    device: Name
    at: Instant


class DesiredDevice(Message):
    """The operator's latest word on a device, numbered: what was heard before changes nothing.

    `skips`: it is not made ready first; whoever says so has seen that it is. `photographed` is the
    session after which its cleaner has photographed it: that turnover, and no later one, is
    confirmed. It has no number: said again it finds nobody waiting.
    """

    type: ClassVar[str] = "desired.device"
    device: Name
    order: Count
    is_out_of_order: bool
    skips: bool = False
    photographed: Name | None = None


class DeviceAsk(Message):
    """What stands around this device: what does its session cost, and who comes next?"""

    type: ClassVar[str] = "devices.ask"
    device: Name


class DeviceAround(Message):
    """The answer, as things stand now (E5); it changes nothing, and another takes its place.

    Attributes:
        session: the session that the price is of; None: there is none, or it is not sold by us.
        price_cents: the whole of it, what was extended included, in minor units of `currency`.
        next_at: from when on somebody else has booked it; None: nobody, for twelve hours.
        coming: so many bookings of others come within twelve hours.
    """

    type: ClassVar[str] = "devices.around"
    device: Name
    session: Name | None = None
    price_cents: Annotated[int, Field(ge=0, le=10**12)] = 0
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    next_at: Instant | None = None
    coming: Count = 0


class CleanerCode(Message):
    """By what a terminal knows the store's cleaning code: it holds the code itself nowhere."""

    type: ClassVar[str] = "desired.cleaner_code"
    salt: Digest
    digest: Digest


class DevicesDesired(Message):
    """What an operator wants of a terminal's devices; said again, it changes nothing.

    Devices of which nobody has ever said anything are left out; without a code none is taken.
    """

    type: ClassVar[str] = "devices.desired"
    devices: Annotated[tuple[DesiredDevice, ...], Field(max_length=DEVICES_MAX)] = ()
    cleaner_code: CleanerCode | None = None
