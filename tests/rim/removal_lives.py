"""Lives of an agent that takes a module off: killed at any moment, the next one goes on from there.

Whenever it is looked at: what was told to be gone is gone; what is not told may be there or not.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from common.rules.modules import RemovalState
from edge_agent.flows import rights
from edge_agent.flows.rights import Copy
from tests.rim.install_kit import Pc
from tests.rim.install_lives import Lives

PHYSICS = "physics"
UNINSTALLS = "uninstalls"
TELLS_FIRST = "tells first"
TELLS = "module.uninstalled"


def allowed(lives: Lives) -> Path:
    """Return a PC with two versions of a module, which may go; nothing is taken away yet."""
    folder = lives.folder / "allowed"
    if not folder.exists():
        shutil.copytree(lives.before["remove"], folder, symlinks=True)
        pc = Pc(folder, None, lives.url)
        here = pc.in_use()
        copy = Copy(version=here.version, sha256=here.sha256, digest=here.digest)
        with pc.journal() as journal:
            journal.transact(rights.wish_away, PHYSICS)
            journal.transact(rights.want_removal, PHYSICS, "module", number=0)
            journal.transact(rights.name_copy, PHYSICS, copy)
            journal.transact(
                lambda open_: open_.rows.move_removal(
                    package=PHYSICS,
                    before=RemovalState.WANTED,
                    state=RemovalState.ALLOWED,
                    reason="",
                    detail="",
                    permission="g-1",
                    changed_at=1,
                )
            )
    return folder


async def moments(lives: Lives) -> int:
    """Return how many moments a removal has when nobody is killed."""
    count = await lives.live(_fresh(lives), "remove", 0, UNINSTALLS)
    assert count is not None
    return count


async def why_broken(lives: Lives, deadly: list[int], variant: str = UNINSTALLS) -> str | None:
    """Be killed at each of these moments in turn, then go on to the end; say what is wrong."""
    folder = _fresh(lives)
    for number, moment in enumerate(deadly):
        await lives.live(folder, "go on" if number else "remove", moment, variant)
        if (why := _why_untrue(Pc(folder, None, lives.url))) is not None:
            return f"killed at {deadly[: number + 1]}: {why}"
    await lives.live(folder, "go on", 0, variant)
    pc = Pc(folder, None, lives.url)
    why = _why_untrue(pc) or _why_not_ended(pc)
    return None if why is None else f"after {deadly}: {why}"


def _fresh(lives: Lives) -> Path:
    before, folder = allowed(lives), lives.folder / "removing"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(before, folder, symlinks=True)
    return folder


def _told(pc: Pc) -> list[str]:
    return [body["permission"] for kind, body in pc.said() if kind == TELLS]


def _why_untrue(pc: Pc) -> str | None:
    is_here = pc.store.current(PHYSICS) is not None
    return "it was told to be gone, and is here" if _told(pc) and is_here else None


def _why_not_ended(pc: Pc) -> str | None:
    if (told := _told(pc)) != ["g-1"]:
        return f"it was told by {told}"
    if set(pc.states().values()) != {"removed"}:
        return f"it ends as {pc.states()}"
    home = pc.store.folder / "modules" / PHYSICS
    left = [each.name for each in home.iterdir()] if home.exists() else []
    return f"{left} are left" if left else None
