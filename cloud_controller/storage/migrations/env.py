"""How Alembic reaches the database: over the connection and in the transaction it is handed."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Apply the steps asked for; on any fault the caller's transaction takes all of them back."""
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


run()
