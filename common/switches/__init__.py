"""Switches as both programs move them: doors, lights, sockets; told, heard, and told again."""

from common.switches.board import Board, Keeper
from common.switches.doers import Doer, Hearing, Line
from common.switches.settings import (
    SWITCHES_MAX,
    MqttSwitch,
    SwitchBroker,
    WithSwitches,
    checked_together,
)
from common.switches.status import read_status
from common.switches.trying import line_on_trial, told, try_switch

__all__ = [
    "SWITCHES_MAX",
    "Board",
    "Doer",
    "Hearing",
    "Keeper",
    "Line",
    "MqttSwitch",
    "SwitchBroker",
    "WithSwitches",
    "checked_together",
    "line_on_trial",
    "read_status",
    "told",
    "try_switch",
]
