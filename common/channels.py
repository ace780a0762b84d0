"""Which channel carries which messages, and which of them answers which: the protocol as a table.

Law: a message that stands in no row here cannot be said; each stands in exactly one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from common.messages import (
    actions,
    devices,
    extensions,
    help as help_said,
    modules,
    offerings,
    problems,
    registration,
    rights,
    scanners,
    service,
    sessions,
    specification,
)
from common.messages.base import Message
from common.topics import Channel

Messages = tuple[type[Message], ...]

_EVENTS: Final[Messages] = (
    offerings.OfferingRegistered,
    offerings.OfferingOn,
    offerings.OfferingOff,
    offerings.OfferingPictured,
    rights.TicketReleased,
    rights.TicketKept,
    sessions.SessionAdmitted,
    sessions.SessionStarting,
    sessions.SessionRunning,
    sessions.SessionAlive,
    sessions.SessionInterrupted,
    sessions.SessionWarned,
    sessions.SessionResumed,
    sessions.SessionExtended,
    sessions.WarningShown,
    sessions.SessionEnding,
    sessions.SessionEnded,
    sessions.SessionFailed,
    sessions.ScanDenied,
    sessions.CommandTold,
    devices.DeviceTold,
    devices.DeviceMessageShown,
    problems.ProblemTold,
    problems.HelpAsked,
    *help_said.EVENTS,
    actions.SwitchTold,
    *modules.EVENTS,
)

CARRIES: Final[Mapping[Channel, Messages]] = {
    Channel.SPECIFICATION: (specification.Specification,),
    Channel.REGISTRATION: (registration.StandingTold,),
    Channel.PRESENCE: (registration.Presence,),
    Channel.HELLO: (registration.Hello,),
    Channel.WELCOME: (registration.Welcome,),
    Channel.EVENTS: _EVENTS,
    Channel.ACKS: (registration.Acknowledged,),
    Channel.REQUESTS: (
        service.ServiceRequest,
        *rights.FROM_THE_CLIENT,
        extensions.ExtensionAsk,
        devices.DeviceAsk,
        rights.ReportScan,
        modules.ModulesAsk,
    ),
    Channel.REPLIES: (
        service.ServiceProfile,
        service.ServiceRefused,
        *rights.FROM_THE_SERVER,
        extensions.ExtensionOffer,
        devices.DeviceAround,
        modules.ModulesOffered,
    ),
    Channel.DESIRED: (
        sessions.Desired,
        devices.DevicesDesired,
        modules.ModulesDesired,
        registration.KeysTold,
        help_said.HelpThere,
        help_said.HelpTold,
    ),
    Channel.COMMANDS: (
        sessions.StopSession,
        rights.HoldTickets,
        rights.ReleaseTicket,
        rights.TakeScan,
        sessions.CustomerTold,
        devices.DeviceMessage,
    ),
    Channel.TELEMETRY: (scanners.ScannersCounted, modules.ModulesProgress),
    Channel.HEARTBEAT: (registration.Heartbeat,),
}
"""What each channel may carry."""

ANSWERED_BY: Final[Mapping[type[Message], Messages]] = {
    service.ServiceRequest: (service.ServiceProfile, service.ServiceRefused),
    **dict.fromkeys(rights.FROM_THE_CLIENT, rights.FROM_THE_SERVER),
    extensions.ExtensionAsk: (extensions.ExtensionOffer,),
    devices.DeviceAsk: (devices.DeviceAround,),
    rights.ReportScan: (),
    modules.ModulesAsk: (modules.ModulesOffered,),
}
"""What may come back on `Channel.REPLIES` for each question; a scan is answered by a command."""

ON_THE_WIRE: Final[Messages] = tuple(chain.from_iterable(CARRIES.values()))
"""Every message there is."""
