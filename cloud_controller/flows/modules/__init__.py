"""Packages and licensed modules: what is on offer, what terminals say has become of it."""

from cloud_controller.flows.modules.events import (
    note_failed,
    note_installed,
    note_over_limit,
    note_rolled_back,
    note_uninstalled,
    note_used,
)
from cloud_controller.flows.modules.fetching import (
    PackageNotGiven,
    check_fetching,
)
from cloud_controller.flows.modules.log import (
    downloads,
    downloads_count,
    is_in_download_log,
    known_up_to,
    modules_logged,
    users,
    users_count,
)
from cloud_controller.flows.modules.offering import (
    offer,
)
from cloud_controller.flows.modules.progress import (
    keep_progress,
    progress,
)
from cloud_controller.flows.modules.publishing import (
    note_lists,
    project,
    versions,
)
from cloud_controller.flows.modules.replication import (
    answer_for,
    answer_log,
    begin,
    lacks,
    mirrors,
    origins,
    say_log,
    take_log,
)
from cloud_controller.flows.modules.reports import (
    close_report,
    draft_report,
    licensed,
    matches,
    reports,
)
from cloud_controller.flows.modules.said import (
    LOG_BYTES_MAX,
    LogSaid,
)
from cloud_controller.flows.modules.sheet import (
    sheet_of,
)
from cloud_controller.flows.modules.wishes import tell_wishes, wish, wishes

__all__ = [
    "LOG_BYTES_MAX",
    "LogSaid",
    "PackageNotGiven",
    "answer_for",
    "answer_log",
    "begin",
    "check_fetching",
    "close_report",
    "downloads",
    "downloads_count",
    "draft_report",
    "is_in_download_log",
    "keep_progress",
    "known_up_to",
    "lacks",
    "licensed",
    "matches",
    "mirrors",
    "modules_logged",
    "note_failed",
    "note_installed",
    "note_lists",
    "note_over_limit",
    "note_rolled_back",
    "note_uninstalled",
    "note_used",
    "offer",
    "origins",
    "progress",
    "project",
    "reports",
    "say_log",
    "sheet_of",
    "take_log",
    "tell_wishes",
    "users",
    "users_count",
    "versions",
    "wish",
    "wishes",
]
