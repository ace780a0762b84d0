"""A program's package and its modules: where they are now, that they are whole, that they stay.

Its law: what a program was started from is locked for as long as the program lives, whoever of us
is killed meanwhile; whoever tidies up takes a lock of its own before it takes a version away.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.errors import RusubanError
from edge_agent.installed import NotInstalled, current, lock_of, manifest_of
from edge_agent.ports import Installed
from edge_agent.runner.catalogue import IN_PACKAGE, Program, Startable
from edge_agent.runner.catalogue.checks import MODULE_VARIABLE
from edge_agent.runner.catalogue.trust import why_folder_not_trusted, why_not_trusted

PACKAGE_VARIABLE: Final = "RUSUBAN_PACKAGE"
"""The environment variable that tells a program where its own package is."""

_BLOCK_BYTES = 1_048_576


class PackageCannotBeUsed(RusubanError):
    """The package {package} cannot be used: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A program as it can be started now, and the locks on what it is started from.

    `locks` are descriptors: the program gets them too, and whoever has one of them holds it.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[int, ...] = ()

    def let_go(self) -> None:
        """Close our own hold; what runs keeps its."""
        for lock in self.locks:
            os.close(lock)


class Packages:
    """The folder in which the agent keeps packages, as whoever starts programs reads it."""

    def __init__(
        self,
        folder: Path | None = None,
        elsewhere: Mapping[str, Path] | None = None,
        owners: Collection[int] = (),
    ) -> None:
        """Take where packages are.

        Args:
            folder: where `programs` and `modules` lie; None: there are none.
            elsewhere: the folders of modules that are here already, not from us.
            owners: users who may have put packages there, besides root and ourselves.
        """
        self._folder = folder
        self._elsewhere = elsewhere or {}
        self._owners = owners
        self._digests: dict[tuple[int, int, int, int], str] = {}

    def prepare(self, program: Startable) -> Prepared:
        """Return how a program, or a command, is to be started now; its file may be started.

        Raises:
            PackageCannotBeUsed: its package or one of its modules is not here, or not as it was
                installed; or somebody else could have exchanged its file.
        """
        locks: list[int] = []
        try:
            return self._prepared(program, locks)
        except BaseException:
            for lock in locks:
                os.close(lock)
            raise

    def _prepared(self, program: Startable, locks: list[int]) -> Prepared:
        if not isinstance(program, Program) or program.package is None:
            argv = program.argv
            self._refuse_untrusted(argv[0], ())
            environment = {}
        else:
            package = self._locked(program.package, locks)
            folder = package.folder
            argv = tuple(word.replace(IN_PACKAGE, folder) for word in program.argv)
            environment = {PACKAGE_VARIABLE: folder}
            is_of_it = program.argv[0].startswith(IN_PACKAGE)
            self._refuse_untrusted(argv[0], self._owners if is_of_it else ())
            if is_of_it:
                self._refuse_changed(package, Path(argv[0]))
        for module in program.modules if isinstance(program, Program) else ():
            where = self._module(module, locks)
            environment[MODULE_VARIABLE + module.upper().replace("-", "_")] = str(where)
        return Prepared(argv=argv, environment=environment, locks=tuple(locks))

    def _module(self, module: str, locks: list[int]) -> Path:
        """Return where a module is: ours where we have it, else the one that was here."""
        known = self._elsewhere.get(module)
        if known is None or (self._folder and current(self._folder, module)):
            return Path(self._locked(module, locks).folder)
        if not known.is_dir():
            raise PackageCannotBeUsed(package=module, why=f"{known} is no folder")
        return known

    def _locked(self, package: str, locks: list[int]) -> Installed:
        """Return the version that is current, locked so that it stays."""
        if self._folder is None:
            raise PackageCannotBeUsed(package=package, why="no package is installed here")
        try:
            installed, lock = lock_of(self._folder, package)
        except NotInstalled:
            raise PackageCannotBeUsed(package=package, why="it is not installed here") from None
        except OSError as fault:
            raise PackageCannotBeUsed(package=package, why=fault.strerror) from None
        locks.append(lock)
        if why := why_folder_not_trusted(Path(installed.folder), os.geteuid(), self._owners):
            raise PackageCannotBeUsed(package=package, why=why)
        return installed

    def _refuse_untrusted(self, file: str, owners: Collection[int]) -> None:
        if why := why_not_trusted(Path(file), os.geteuid(), owners):
            raise PackageCannotBeUsed(package=file, why=why)

    def _refuse_changed(self, package: Installed, file: Path) -> None:
        """Return if the file that is to be started is, byte for byte, the one that was installed.

        Raises:
            PackageCannotBeUsed: it is not, or belongs to no package.
        """
        path = file.relative_to(package.folder).as_posix()
        try:
            manifest = manifest_of(Path(package.folder))
            digest = self._digest_of(file)
        except OSError as fault:
            raise PackageCannotBeUsed(package=package.package, why=fault.strerror) from None
        listed = {each.path: each.sha256 for each in manifest.files} if manifest else {}
        if path not in listed:
            raise PackageCannotBeUsed(package=package.package, why=f"{path} is none of its files")
        if listed[path] != digest:
            why = f"{path} is not as it was installed"
            raise PackageCannotBeUsed(package=package.package, why=why)

    def _digest_of(self, file: Path) -> str:
        """Return the SHA-256 of a file; one that stands as it did is not read again."""
        seen = file.stat()
        state = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        if state not in self._digests:
            found = hashlib.sha256()
            with file.open("rb", buffering=0) as opened:
                while chunk := opened.read(_BLOCK_BYTES):
                    found.update(chunk)
            self._digests[state] = found.hexdigest()
        return self._digests[state]
