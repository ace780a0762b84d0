"""How Alembic reaches the database: over the connection it is handed, inside one explicit transaction."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Apply the steps asked for; on any fault the caller's transaction takes all of them back."""
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


run()
