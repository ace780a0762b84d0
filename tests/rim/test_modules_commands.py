"""The operator's words about packages: what they make, print, refuse and enter."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_controller.commands import beside
from cloud_controller.main import EXIT_CANNOT_START, command_line
from tests.fakes.packages_kit import laid_out

DESCRIPTION = """
package = "{package}"
kind = "{kind}"
version = "{version}"
basis = "ever_issued"
requires = {requires}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a controller's settings and a release's files; keys are made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "set_up_logs", lambda **_: None)  # into this process's own stderr
    (tmp_path / "c.toml").write_text('state_folder = "state"\n')
    laid_out(tmp_path / "files")
    root = say("init-keys", "--to", "stick")
    assert root.strip() == "state/packages/metadata/1.root.json"
    return tmp_path


def say(*words: str, entered: str = "") -> str:
    said = CliRunner().invoke(
        command_line, ["modules", *words, "--settings", "c.toml"], input=entered
    )
    assert said.exit_code == 0, said.output
    return said.stdout


def refused(*words: str, entered: str = "") -> str:
    said = CliRunner().invoke(
        command_line, ["modules", *words, "--settings", "c.toml"], input=entered
    )
    assert said.exit_code == EXIT_CANNOT_START, said.output
    return said.stderr


def described(package: str = "physics", version: str = "1.0", kind: str = "module") -> str:
    requires = ["physics"] if kind == "program" else []
    text = DESCRIPTION.format(
        package=package, kind=kind, version=version, requires=json.dumps(requires)
    )
    Path("release.toml").write_text(text)
    return "release.toml"


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "state" / "books.db")) as books:
        return books.execute(sql).fetchall()


def test_the_books_say_what_the_signed_lists_say_and_each_act_is_entered(folder: Path):
    told = say("publish", described(), "--keys", "stick").split()
    say("publish", described("racer", kind="program"), "--keys", "stick")
    say("publish", described(version="1.1"), "--keys", "stick")
    say("withdraw", "physics", "1.1", "--keys", "stick")
    kept = "SELECT package, version, release_counter, requires, withdrawn_at IS NULL FROM"
    assert rows(folder, f"{kept} package_versions ORDER BY package, version") == [
        ("physics", "1.0", 1, "[]", 1),
        ("physics", "1.1", 2, "[]", 0),
        ("racer", "1.0", 1, '["physics"]', 1),
    ]
    first = "SELECT target, sha256, length FROM package_versions WHERE package = 'physics'"
    assert rows(folder, f"{first} AND version = '1.0'") == [(told[0], told[1], int(told[2]))]
    assert rows(folder, "SELECT package, kind, basis FROM packages ORDER BY package") == [
        ("physics", "module", "ever_issued"),
        ("racer", "program", "ever_issued"),
    ]
    assert "was published before" in refused("publish", described(version="1.1"), "--keys", "stick")
    described(version="1.2")
    again = Path("release.toml")
    again.write_text("release = 2\n" + again.read_text())
    assert "release 2 is published, or was" in refused("publish", str(again), "--keys", "stick")
    acts = [act for (act,) in rows(folder, "SELECT act FROM audit")]
    assert acts == ["packages.begun", *["package.published"] * 3, "package.withdrawn"]
    lines = say("list").splitlines()
    shown = [(line.split()[:4], "withdrawn" in line) for line in lines[1:4]]
    assert shown == [
        (["physics", "module", "1.1", "2"], True),
        (["physics", "module", "1.0", "1"], False),
        (["racer", "program", "1.0", "1"], False),
    ]
    ends = {line.split()[0] for line in lines if "is believed until" in line}
    assert ends == {"root", "targets", "modules", "programs", "snapshot", "timestamp"}


def test_keys_on_two_sticks_with_a_passphrase_sign_together(folder: Path):
    shutil.rmtree(folder / "state")
    entered = "a long one\na long one\n"
    say("init-keys", "--to", "locked", "--locked", entered=entered)
    for stick in ("one", "two"):
        (folder / stick).mkdir()
    for number, stick in enumerate(("one", "two"), 1):
        shutil.copy(folder / f"locked/modules-{number}.pem", folder / stick)
    both = ("--keys", "one", "--keys", "two", "--locked")
    assert "needs 2 keys" in refused("publish", described(), *both[:2])
    assert "passphrase" in refused("publish", described(), *both, entered="wrong\n")
    say("publish", described(), *both, entered="a long one\n")
    renewed = say("renew", *both, entered="a long one\n")
    assert [line.split(":")[0] for line in renewed.split("\n") if ":" in line] == ["modules"]


def test_the_controller_and_a_role_are_given_other_keys(folder: Path):
    before = (folder / "state/keys/packages-timestamp-key").read_bytes()
    say("replace-keys", "--keys", "stick")
    assert (folder / "state/keys/packages-timestamp-key").read_bytes() != before
    assert (folder / "state/packages/metadata/2.root.json").exists()
    say("replace-keys", "--role", "modules", "--keys", "stick", "--to", "new")
    assert "list modules" in refused("publish", described(), "--keys", "stick")
    say("publish", described(), "--keys", "new")
    assert "a --role that there is" in refused("replace-keys", "--role", "x", "--keys", "stick")


def test_what_cannot_be_done_is_one_sentence(folder: Path):
    assert "signed lists already" in refused("init-keys", "--to", "other")
    assert not (folder / "other").exists()
    assert "no such release" in refused("withdraw", "physics", "1.0", "--keys", "stick")
    assert "version" in refused("publish", described(version="a b"), "--keys", "stick")
    shutil.rmtree(folder / "state/keys")
    assert "signs no packages" in refused("publish", described(), "--keys", "stick")
