"""What is in the books before a migration is there after it, with what it then has besides."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cloud_controller.storage.sqlite import migrate, open_database

BEFORE = """
INSERT INTO stores (store_id, number, title, time_zone, policy, made_at)
VALUES ('s', 1, 'S', 'Asia/Tokyo', 'manual', 0);
INSERT INTO terminals (terminal_id, store_id, hostname, public_key, epoch, secret_salt,
    secret_digest, standing, broker_role, enrolled_at)
VALUES ('t-1', 's', 'pc', 'ab', 'e1', '00', '00', 'confirmed', 'service', 0);
INSERT INTO rights (right_id, comm_id, terminal_id, kind, session_id, issued_at, lease_ends_at)
VALUES ('g-1', 't-1/e0/session:d-1/1/00', 't-1', 'session:d-1', 's-1', 5, 6);
"""


def test_a_right_keeps_the_epoch_it_was_given_under(tmp_path: Path):
    """A terminal that has enrolled anew since has another one."""
    file = tmp_path / "books.sqlite"
    migrate(file)
    migrate(file, to="0002")
    with closing(open_database(file)) as books:
        books.executescript(BEFORE)
    migrate(file)
    with closing(sqlite3.connect(file)) as books:
        found = books.execute("SELECT right_id, party, epoch, amount, session_id FROM rights")
        assert found.fetchall() == [("g-1", "t-1", "e0", 1, "s-1")]
