"""The runner as a daemon: what the settings say of it, put as it wants to be told."""

from __future__ import annotations

import os
import pwd

from common.errors import CannotStart
from common.system import SystemClock
from common.watchdog import Notifier
from edge_agent.runner.main import run
from edge_agent.runner.server import heard_uids
from edge_agent.runner.settings import RunnerSettings
from edge_agent.settings import AgentSettings


def run_runner(settings: AgentSettings) -> int:
    """Run the runner until it is told to leave, and return the exit code.

    Raises:
        CannotStart: a user who may ask it is not there.
    """
    notifier = Notifier.from_environ(os.environ)
    return run(_runner_settings(settings), clock=SystemClock(), notifier=notifier)


def _runner_settings(settings: AgentSettings) -> RunnerSettings:
    part = settings.runner
    others = [_uid_of(each) for each in part.allowed_users]
    return RunnerSettings(
        socket=part.socket,
        state_folder=part.state_folder,
        catalogue=part.catalogue,
        catalogue_key=part.catalogue_key,
        warn_before_seconds=part.warn_before_seconds,
        resume_limit_seconds=part.resume_limit_seconds,
        resume_requires_scan=part.resume_requires_scan,
        boot_id_file=part.boot_id_file,
        packages_folder=settings.modules.folder or settings.state_folder,
        modules_elsewhere=settings.modules.folders_elsewhere,
        package_owners=frozenset(others),
        allowed_uids=heard_uids(
            others,
            os.getuid(),
            is_started_by_agent=part.is_started_by_agent,
        ),
    )


def _uid_of(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise CannotStart(why=f"there is no user {user} on this PC") from None
