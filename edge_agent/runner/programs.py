"""Programs as processes: started with a mark, watched by pidfd, ended as a whole tree and no more.

What belongs to a session is asked in one place, `Programs.members`: of its cgroup where we may make
one, and of the marks, the parents and what fell to us as the subreaper.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Final

from common.errors import RusubanError
from edge_agent.runner.catalogue import Startable
from edge_agent.runner.deadlines import REREAD_SECONDS, Clock
from edge_agent.runner.groups import Groups, joining
from edge_agent.runner.packages import PackageCannotBeUsed, Packages, Prepared
from edge_agent.runner.tree import (
    Identity,
    family,
    is_alive,
    look,
    look_at,
    marked,
    marks,
    open_pidfd,
    send,
)

KILL_AGAIN_SECONDS: Final = 0.05
"""A killed process is gone in about a millisecond; what still lives then was born meanwhile."""

KILL_SECONDS_MAX: Final = 5.0
"""What SIGKILL has not ended by then hangs in the kernel: it is reported, no longer waited for."""

WATCHED_MAX: Final = 64
"""Processes of one tree waited for at a time, so that a fork bomb cannot use up our descriptors."""

_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_PR_SET_CHILD_SUBREAPER: Final = 36


class ProgramCannotStart(RusubanError):
    """The program {file} cannot be started: {why}."""


class Programs:
    """All programs of this runner, each known by its session and its first process, the leader."""

    def __init__(
        self,
        *,
        runner: str,
        clock: Clock,
        groups: Groups | None = None,
        packages: Packages | None = None,
    ) -> None:
        """Begin with none.

        Args:
            runner: what the marks of this runner's programs name it.
            clock: by which an end may take no longer than it is given.
            groups: the cgroups that we may make, where the service manager has delegated them.
            packages: where programs and modules lie that the agent has installed.
        """
        self._packages = packages or Packages()
        self._prepared: dict[str, Prepared] = {}
        self._runner = runner
        self._groups = groups
        self._clock = clock
        self._leaders: dict[str, Identity] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._owns_its_children = False

    def become_subreaper(self) -> None:
        """Make what our programs leave behind our own children, to be ended and reaped by us."""
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        assert not failed, os.strerror(ctypes.get_errno())
        self._owns_its_children = True

    def start(self, session: str, program: Startable) -> Identity:
        """Start a program, or a command, and return its leader.

        Raises:
            ProgramCannotStart: its file, its package, a module or its working folder is not there
                or not to be used, or it is to have rights that the runner may not give.
        """
        try:
            prepared = self._packages.prepare(program)
        except PackageCannotBeUsed as fault:
            raise ProgramCannotStart(file=program.argv[0], why=fault.facts["why"]) from None
        try:
            child = self._spawn(session, program, prepared)
        except (OSError, subprocess.SubprocessError) as fault:
            prepared.let_go()
            if self._groups:
                self._groups.remove(session)
            why = fault.strerror if isinstance(fault, OSError) else str(fault)
            raise ProgramCannotStart(file=program.argv[0], why=why) from None
        self._let_go(session)
        self._prepared[session] = prepared
        self._children[child.pid] = child
        seen = look_at(child.pid)
        assert seen, "a child stays visible until it is reaped, and only we reap"
        self._leaders[session] = seen.identity
        return seen.identity

    def adopt(self, session: str, leader: Identity | None) -> Identity | None:
        """Take over what an earlier runner started, and return its leader, or None if it is gone.

        If that runner was killed before it could write the leader down, the oldest process with
        the session's mark is it.
        """
        if leader is None:
            found = (known for known, named in self.marked().items() if named == session)
            leader = min(found, key=lambda known: (known.born_ticks, known.pid), default=None)
        if leader is None or not is_alive(leader):
            return None
        self._leaders[session] = leader
        return leader

    def sweep(self, live: Collection[str]) -> None:
        """End what is left in groups of sessions that are not live any more."""
        if self._groups:
            self._groups.sweep(live)

    def marked(self) -> dict[Identity, str]:
        """Return every living process with this runner's mark, and its session."""
        return marked(look().values(), self._runner)

    def watch(self, leader: Identity, when_gone: Callable[[int | None], None]) -> None:
        """Call `when_gone` when this process has ended, with the exit code of a child of ours."""
        loop = asyncio.get_running_loop()
        child = self._children.get(leader.pid)
        descriptor = open_pidfd(leader)
        if descriptor is None:
            loop.call_soon(when_gone, None)
            return

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self.reap()
            when_gone(child.returncode if child else None)

        loop.add_reader(descriptor, ended)

    async def run_through(
        self, session: str, command: Startable, *, give_up_at_boot_seconds: float
    ) -> int | None:
        """Start a command, wait until it has ended, and return its exit code.

        Returns:
            The exit code; None where it was killed because it took too long.

        Raises:
            ProgramCannotStart: see `start`.
        """
        gone: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def ended(code: int | None) -> None:
            if not gone.done():
                gone.set_result(code)

        self.watch(self.start(session, command), ended)
        try:
            async with asyncio.timeout(give_up_at_boot_seconds - self._clock.boot_seconds()):
                return await gone
        except TimeoutError:
            return None
        finally:
            await self.end(session, kill_at_boot_seconds=self._clock.boot_seconds())

    async def end(
        self,
        session: str,
        *,
        kill_at_boot_seconds: float,
        asked_by: signal.Signals | None = signal.SIGTERM,
    ) -> int:
        """End every process of a session: asked to leave at once, killed at the given instant.

        Args:
            session: whose processes are to end.
            kill_at_boot_seconds: when they are not asked any more.
            asked_by: the signal that asks; None where something else does.

        Returns:
            How many are left all the same: 0, unless one hangs in the kernel.
        """
        asked: set[Identity] = set()
        if self._clock.boot_seconds() >= kill_at_boot_seconds:
            self._strike(session)
            struck = self._leaders.get(session)  # dying takes the processor that looking would
            await _until_gone({struck} if struck else (), KILL_AGAIN_SECONDS)
        give_up_at = kill_at_boot_seconds + KILL_SECONDS_MAX
        while members := self.members(session):
            now = self._clock.boot_seconds()
            if now >= give_up_at:
                break
            if now >= kill_at_boot_seconds:
                self._strike(session)
                _send_all(members, signal.SIGKILL)
                await _until_gone(members, KILL_AGAIN_SECONDS)
            else:
                if asked_by:
                    _send_all(members - asked, asked_by)
                asked |= members
                await _until_gone(members, min(kill_at_boot_seconds - now, REREAD_SECONDS))
            self.reap()
        self._leaders.pop(session, None)
        self._let_go(session)
        if self._groups:
            self._groups.remove(session)
        return len(members)

    def reap(self) -> None:
        """Take the exit code of every child that has ended, so that none stays as a zombie."""
        while self._owns_its_children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if child := self._children.pop(pid, None):
                child.returncode = os.waitstatus_to_exitcode(status)

    def members(self, session: str) -> set[Identity]:
        """Return every living process of a session.

        As long as its cgroup holds one they are those; when it is empty, and where there is none,
        all processes are looked at: what slipped out of a group has its mark or its parents.
        """
        if self._groups and (pids := self._groups.pids(session)):
            grouped = {one.identity for one in map(look_at, pids) if one and not one.is_dead}
            if grouped:
                return grouped
        return self._family(session)

    def _strike(self, session: str) -> None:
        """Kill at once what can be killed without looking for it: its cgroup, its leader's group.

        The number of a process group is nobody else's while its leader, dead or alive, is a child
        that we have not reaped.
        """
        if self._groups:
            self._groups.kill(session)
        leader = self._leaders.get(session)
        if leader and leader.pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(leader.pid, signal.SIGKILL)

    def _let_go(self, session: str) -> None:
        """Hold no longer what a session's program was started from."""
        if prepared := self._prepared.pop(session, None):
            prepared.let_go()

    def _spawn(
        self, session: str, program: Startable, prepared: Prepared
    ) -> subprocess.Popen[bytes]:
        person = _person(program.user)
        door = self._groups.door(session) if self._groups else None
        try:
            return subprocess.Popen(  # noqa: S603 - argv comes from the terminal's own catalogue
                prepared.argv,
                cwd=program.working_folder,
                env={
                    **_environment(program, person),
                    **prepared.environment,
                    **marks(self._runner, session),
                },
                pass_fds=prepared.locks,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=None if door is None else joining(door),  # noqa: PLW1509 - one write; the runner has one thread
                user=person and person.pw_uid,
                group=person and person.pw_gid,
                extra_groups=person and os.getgrouplist(person.pw_name, person.pw_gid),
            )
        finally:
            if door is not None:
                os.close(door)

    def _family(self, session: str) -> set[Identity]:
        seen = look()
        leader = self._leaders.get(session)
        oldest = leader.born_ticks if leader else 0
        younger = [process for process in seen.values() if process.identity.born_ticks >= oldest]
        members = {
            known for known, named in marked(younger, self._runner).items() if named == session
        }
        if leader:
            taken = seen.get(leader.pid)
            if taken is None or taken.identity == leader:
                members |= {known.identity for known in younger if known.group_pid == leader.pid}
        if self._owns_its_children and self._leaders.keys() <= {session}:
            # No other program is there: what fell to us, even without its mark, was this one's.
            members |= {known.identity for known in younger if known.parent_pid == os.getpid()}
        return family(seen, members)


def _person(user: str | None) -> pwd.struct_passwd | None:
    """Return who a program is to run as; None: as the runner itself.

    Raises:
        OSError: there is no such user, or the runner may not run anything as somebody else.
    """
    if user is None:
        return None
    try:
        person = pwd.getpwnam(user)
    except KeyError:
        raise OSError(errno.ENOENT, f"there is no user {user}") from None
    if person.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise OSError(errno.EPERM, f"the runner may not run it as {user}")
    return person


def _environment(program: Startable, person: pwd.struct_passwd | None) -> dict[str, str]:
    environment = dict(_ENVIRONMENT)
    if person:
        environment |= {"HOME": person.pw_dir, "USER": person.pw_name, "LOGNAME": person.pw_name}
    if program.display:
        kind = "DISPLAY" if program.display.startswith(":") else "WAYLAND_DISPLAY"
        environment[kind] = program.display
    return {**environment, **program.environment}


def _send_all(members: Iterable[Identity], number: signal.Signals) -> None:
    for member in members:
        send(member, number)


async def _until_gone(members: Iterable[Identity], wait_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    all_gone = asyncio.Event()
    waiting: set[int] = set()

    def gone(descriptor: int) -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        waiting.discard(descriptor)
        if not waiting:
            all_gone.set()

    for descriptor in map(open_pidfd, islice(members, WATCHED_MAX)):
        if descriptor is not None:
            waiting.add(descriptor)
            loop.add_reader(descriptor, gone, descriptor)
    try:
        async with asyncio.timeout(wait_seconds):
            if waiting:
                await all_gone.wait()
    except TimeoutError:
        return
    finally:
        for descriptor in tuple(waiting):
            gone(descriptor)
