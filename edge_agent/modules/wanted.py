"""What packages are wanted on this terminal: by its programs, by an operator, by lying here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from common.rules.modules import PackageWish
from edge_agent.flows.modules import Known
from edge_agent.ports import Installed


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramNeeds:
    """What one program of this terminal needs: its own package, where it has one, and modules."""

    package: str | None
    modules: tuple[str, ...] = ()


@dataclass(slots=True)
class Wanted:
    """What is wanted, and which programs' packages need each of the modules.

    `unneeded` is what lies here and nobody needs: its seat is renewed as long as it does.
    """

    programs: set[str] = field(default_factory=set)
    modules: dict[str, set[str]] = field(default_factory=dict)
    unneeded: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        """Return all of it, programs first."""
        return sorted(self.programs) + sorted(self.modules.keys() - self.programs)


def wanted_here(needs: Sequence[ProgramNeeds], known: Known, here: Iterable[Installed]) -> Wanted:
    """Return what is needed, by programs, by what they require, or by an operator's wish.

    A program that is wished away needs nothing any more.
    """
    wanted = Wanted()
    requires = {each.package: each.requires for each in known.offer.packages} if known.offer else {}
    for need in needs:
        client = set() if need.package is None else {need.package}
        wanted.programs |= client
        if need.package is not None and known.wishes.get(need.package) == PackageWish.UNINSTALL:
            continue
        todo = [*need.modules, *(each for name in client for each in requires.get(name, ()))]
        while todo:
            module = todo.pop()
            is_new = not client <= wanted.modules.get(module, set()) or module not in wanted.modules
            wanted.modules.setdefault(module, set()).update(client)
            todo.extend(requires.get(module, ()) if is_new else ())
    for module, wish in known.wishes.items():
        if wish == PackageWish.INSTALL:
            wanted.modules.setdefault(module, set())
    wanted.unneeded = {each.package for each in here} - set(wanted.names())
    wanted.modules.update({name: set() for name in wanted.unneeded})
    return wanted
