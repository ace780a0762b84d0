"""Archives that would write elsewhere, make links or devices, or fill the disk are not unpacked."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from cloud_controller.packages.publishing import pack
from common.rules.modules import digest_of_contents
from edge_agent.modules.unpack import ArchiveIsUnfit, Bounds, unpack
from tests.fakes.packages_kit import laid_out
from tests.rim.packed import GOOD, archive, entry, tree, with_entry

ROOMY = Bounds(files=100, unpacked_bytes=1 << 20)


def unpacked(tmp_path: Path, content: bytes, bounds: Bounds = ROOMY):
    """Return what is unpacked, below a folder beside which nothing may appear."""
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "into").mkdir()
    return unpack(tmp_path / "a.zip", tmp_path / "into", bounds)


def refused(tmp_path: Path, content: bytes, bounds: Bounds = ROOMY) -> str:
    """Return why an archive is refused; nothing has been written outside its folder."""
    with pytest.raises(ArchiveIsUnfit) as fault:
        unpacked(tmp_path, content, bounds)
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "into"}
    return str(fault.value)


def test_files_come_out_as_they_were_packed_and_only_the_executable_can_be_run(tmp_path: Path):
    content = archive({**GOOD, "empty": b""})
    found = unpacked(tmp_path, content)
    assert tree(tmp_path / "into") == {**GOOD, "empty": b""}
    assert {each.path for each in found if each.is_executable} == {"bin/run"}
    assert digest_of_contents(found) == digest_of_contents(reversed(found))
    modes = {path: stat.S_IMODE((tmp_path / "into" / path).stat().st_mode) for path in GOOD}
    assert modes == {"bin/run": 0o755, "data/words": 0o644}


def test_the_umask_hides_nothing_from_those_who_run_it(tmp_path: Path):
    before = os.umask(0o077)
    try:
        unpacked(tmp_path, archive(GOOD))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "into/bin").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "into/data/words").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "path", ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "a//b", "./a", "C:evil", "a/.."]
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str):
    """Zip-slip: the archive's names are relative, plain, and stay below."""
    assert "relative" in (why := refused(tmp_path, with_entry(entry(path)))) or "leads" in why
    assert not tree(tmp_path / "into")


@pytest.mark.parametrize(
    "kind",
    [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR],
    ids=["link", "character device", "block device", "pipe", "socket", "folder with bytes"],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: int):
    assert "no plain file" in refused(
        tmp_path, with_entry(entry("x", kind | 0o777), b"/etc/passwd")
    )
    assert not tree(tmp_path / "into")


def test_a_file_below_a_link_is_refused_with_the_link(tmp_path: Path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr(entry("out", stat.S_IFLNK | 0o777), "../..")
        opened.writestr(entry("out/evil"), b"x")
    assert "no plain file" in refused(tmp_path, made.getvalue())


def test_a_file_that_would_run_as_somebody_else_is_refused(tmp_path: Path):
    assert "somebody else" in refused(tmp_path, with_entry(entry("x", stat.S_IFREG | 0o4755)))


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path):
    bomb = with_entry(entry("zeros"), bytes(2 << 20))
    assert len(bomb) < 10_000
    assert "signed" in refused(tmp_path, bomb)
    assert not tree(tmp_path / "into")


def test_a_bomb_that_lies_about_its_length_is_cut_off_there(tmp_path: Path):
    honest = with_entry(entry("zeros"), bytes(2 << 20))
    lying = honest.replace(struct.pack("<L", 2 << 20), struct.pack("<L", 1_000))
    assert "damaged" in refused(tmp_path, lying)
    assert sum(map(len, tree(tmp_path / "into").values())) <= 1_000 + len(b"good")


def test_files_that_are_not_those_signed_are_refused(tmp_path: Path):
    signed = Bounds(files=100, unpacked_bytes=1 << 20, contents="0" * 64)
    assert "not those that are signed" in refused(tmp_path, archive(GOOD), signed)


def test_too_many_files_are_refused(tmp_path: Path):
    many = archive({f"f{number}": b"" for number in range(101)})
    assert "files" in refused(tmp_path, many)


@pytest.mark.parametrize("second", ["x", "X", "x/y"])
def test_two_entries_of_one_place_are_refused(tmp_path: Path, second: str):
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as opened:
        warnings.simplefilter("ignore")  # zipfile itself warns of a name that is there twice
        opened.writestr(entry("x"), b"1")
        opened.writestr(entry(second), b"2")
    assert refused(tmp_path, made.getvalue())


def test_a_name_cut_at_a_nought_is_refused(tmp_path: Path):
    lying = with_entry(entry("good-evil")).replace(b"good-evil", b"good\0evil")
    assert "another name" in refused(tmp_path, lying)


def test_what_is_encrypted_or_packed_by_other_means_is_refused(tmp_path: Path):
    made = entry("x")
    made.compress_type = zipfile.ZIP_LZMA
    assert "packed" in refused(tmp_path, with_entry(made))


@pytest.mark.parametrize("damage", ["cut", "bytes", "nothing"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: str):
    content = archive(GOOD)
    broken = {
        "cut": content[:-30],
        "bytes": content.replace(content[60:64], b"\xff\xff\xff\xff", 1),
        "nothing": b"",
    }[damage]
    assert "damaged" in refused(tmp_path, broken)


def test_d8_what_is_unpacked_is_known_by_the_digest_that_was_signed(tmp_path: Path):
    source = laid_out(tmp_path / "source", {**GOOD, "data/Z.txt": b"", "data/a b": b"x" * 300_000})
    (source / "bin/run").chmod(0o755)
    made = pack(source, tmp_path / "made.zip")
    bounds = Bounds(files=made.files, unpacked_bytes=made.unpacked_bytes)
    (tmp_path / "unpacked").mkdir()
    files = unpack(made.path, tmp_path / "unpacked", bounds)
    assert digest_of_contents(files) == made.contents
    assert sum(file.is_executable for file in files) == 1
