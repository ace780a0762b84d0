"""A program that brings a database's schema up to date, so that several can do so at once."""

from __future__ import annotations

import sys
from pathlib import Path

from cloud_controller.storage import postgres, sqlite
from tests.fakes.postgres import PASSWORD

if __name__ == "__main__":
    where = sys.argv[1]
    if where.startswith("postgresql://"):
        postgres.migrate(postgres.Database(url=where, password=PASSWORD))
    else:
        sqlite.migrate(Path(where))
