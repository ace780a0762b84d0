"""What a store is set up as: kinds of documents, their versions, what a person writes, first steps.

Its law: what a person said is never lost; an undo is one more version, which says what an older one
said.
"""

from common.rules.setup.difference import Changed, difference
from common.rules.setup.documents import REASON_MAX, VERSIONS_MAX, SetupKind
from common.rules.setup.first_hour import FirstHour, Stage, StageState, first_hour, is_set_up
from common.rules.setup.written import (
    Fault,
    WrittenWrong,
    bands_in,
    bands_written,
    cents_in,
    cents_written,
    dates_in,
    dates_written,
    exceptions_in,
    exceptions_written,
    packages_in,
    packages_written,
    ranges_in,
    ranges_written,
    seconds_in,
    seconds_list_in,
    seconds_list_written,
    seconds_written,
)

__all__ = [
    "REASON_MAX",
    "VERSIONS_MAX",
    "Changed",
    "Fault",
    "FirstHour",
    "SetupKind",
    "Stage",
    "StageState",
    "WrittenWrong",
    "bands_in",
    "bands_written",
    "cents_in",
    "cents_written",
    "dates_in",
    "dates_written",
    "difference",
    "exceptions_in",
    "exceptions_written",
    "first_hour",
    "is_set_up",
    "packages_in",
    "packages_written",
    "ranges_in",
    "ranges_written",
    "seconds_in",
    "seconds_list_in",
    "seconds_list_written",
    "seconds_written",
]
