"""The schema moved forward and back, on either engine, by the steps of `migrations`.

What moves it is loaded where there is something to move: a controller whose schema is at its last
step already, as after a crash, is back a fifth earlier without it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from common.errors import RusubanError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from sqlalchemy.engine import Connection

HEAD: Final = "head"
"""The last step there is."""

BACK_BY_ONE: Final = "-1"
"""The step before the one the schema is at, as far back as to the first."""

IN_USE: Final = "it is in use; stop every controller that serves from it first"

_MIGRATIONS = Path(__file__).parent / "migrations"


class NotMoved(RusubanError):
    """{why}."""


class Moved(NamedTuple):
    """Between which steps the schema has moved; empty is a database with nothing in it."""

    before: str
    after: str


def last_step() -> str:
    """Return the name of the last step: the number that its file begins with."""
    return max(file.name.split("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def move(connection: Connection, to: str, *, alone: Callable[[], None]) -> Moved:
    """Bring the schema to a step: `head`, `base`, `BACK_BY_ONE` or the name of one.

    Args:
        connection: in an open transaction, which takes everything back when a step fails.
        to: where the schema shall be.
        alone: called before the first step; raises when somebody serves from this database.

    Raises:
        NotMoved: there is no such step, or none here knows the one the schema is at.
    """
    from alembic import command  # noqa: PLC0415 - said at the top
    from alembic.config import Config  # noqa: PLC0415 - said at the top
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - said at the top

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    steps = ["", *_names(ScriptDirectory.from_config(config))]
    before = _at(connection, steps)
    if before == _target(to, before, steps):
        return Moved(before, before)
    alone()
    before = _at(connection, steps)  # whoever was alone before us may have moved it
    after = _target(to, before, steps)
    if steps.index(after) > steps.index(before):
        command.upgrade(config, after)
    elif after != before:
        command.downgrade(config, after or "base")
    return Moved(before, after)


def _at(connection: Connection, steps: list[str]) -> str:
    """Return the step the schema is at."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - said at the top

    step = MigrationContext.configure(connection).get_current_revision() or ""
    if step not in steps:
        raise NotMoved(why=f"its schema is at {step}, which is later than this program knows")
    return step


def _names(scripts: ScriptDirectory) -> list[str]:
    return [step.revision for step in scripts.walk_revisions()][::-1]


def _target(to: str, before: str, steps: list[str]) -> str:
    match to:
        case _ if to == HEAD:
            return steps[-1]
        case "base":
            return ""
        case _ if to == BACK_BY_ONE:
            return steps[max(1, steps.index(before) - 1)] if before else before
    if to not in steps:
        raise NotMoved(why=f"there is no step {to}; there are {', '.join(steps[1:])}")
    return to
