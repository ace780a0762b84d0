"""A signed catalogue: made by the operator's commands, refused when it is not the one signed."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.runner.catalogue import CatalogueIsWrong, read_catalogue
from edge_agent.runner.catalogue.seal import (
    KeyIsUnusable,
    SignatureIsMissing,
    SignatureIsWrong,
    make_key,
    sign,
)

TEXT = '[programs.game]\nargv = ["/bin/sleep", "3600"]\n'
PROGRAM = "from edge_agent.main import command_line; command_line()"


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Return a catalogue that nobody has signed."""
    file = tmp_path / "catalogue.toml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return where the operator's key is to be."""
    return tmp_path / "operator.key"


def seed(count: int) -> bytes:
    return bytes(range(count))


def other_seed(count: int) -> bytes:
    return bytes(range(1, count + 1))


def test_an_operator_makes_a_key_signs_and_checks(catalogue: Path, key_file: Path):
    made = typed("init-key", key_file)
    key = made.stdout.strip()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert typed("check", catalogue, "--key", key).returncode == 2
    signed = typed("sign", catalogue, "--key", key_file)
    assert signed.stdout == f"Signed: {catalogue}.sig\n"
    checked = typed("check", catalogue, "--key", key)
    assert (checked.returncode, checked.stdout) == (0, "programs.game: /bin/sleep: ready\n")
    assert read_catalogue(catalogue, key).programs.keys() == {"game"}
    catalogue.write_text(TEXT + '[commands.gone]\nargv = ["/nowhere"]\n')
    assert typed("check", catalogue, "--key", key).returncode == 2
    unsigned = typed("check", catalogue)
    assert unsigned.returncode == 1
    assert unsigned.stdout.endswith("commands.gone: /nowhere: No such file or directory\n")


def test_a_catalogue_without_a_signature_is_refused_where_one_is_asked_for(
    catalogue: Path, key_file: Path
):
    with pytest.raises(SignatureIsMissing):
        read_catalogue(catalogue, make_key(key_file, seed))


@pytest.mark.parametrize("text", [TEXT + "\n", TEXT.replace("3600", "36000"), ""])
def test_a_catalogue_that_was_changed_is_refused_before_it_is_read(
    catalogue: Path, key_file: Path, text: str
):
    key = make_key(key_file, seed)
    sign(catalogue, catalogue.read_bytes(), key_file)
    catalogue.write_text(text)
    with pytest.raises(SignatureIsWrong):
        read_catalogue(catalogue, key)


@pytest.mark.parametrize("text", ["", "no signature", "00" * 64, "é" * 64, "0" * 100_000])
def test_what_is_no_signature_of_the_operators_is_refused(
    catalogue: Path, key_file: Path, text: str
):
    (catalogue.parent / "catalogue.toml.sig").write_text(text)
    with pytest.raises(SignatureIsWrong):
        read_catalogue(catalogue, make_key(key_file, seed))


def test_another_key_than_the_terminals_signs_nothing_for_it(catalogue: Path, key_file: Path):
    make_key(key_file, seed)
    sign(catalogue, catalogue.read_bytes(), key_file)
    with pytest.raises(SignatureIsWrong):
        read_catalogue(catalogue, make_key(key_file.with_suffix(".other"), other_seed))


def test_a_key_is_never_written_over_and_no_other_file_is_one(catalogue: Path, key_file: Path):
    make_key(key_file, seed)
    with pytest.raises(KeyIsUnusable):
        make_key(key_file, other_seed)
    with pytest.raises(KeyIsUnusable):
        sign(catalogue, b"", catalogue)


def test_a_catalogue_that_is_not_in_order_is_not_signed(catalogue: Path, key_file: Path):
    make_key(key_file, seed)
    catalogue.write_text("[programs.game]\n")
    refused = typed("sign", catalogue, "--key", key_file)
    assert refused.returncode == 2
    assert not catalogue.with_name("catalogue.toml.sig").exists()
    with pytest.raises(CatalogueIsWrong):
        read_catalogue(catalogue)


def typed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "catalogue", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
