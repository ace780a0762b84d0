"""The store of packages: one rename makes a version, one file says which is in use, none mixes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from common.messages.modules import PackageKind
from edge_agent.installed import (
    NotInstalled,
    NotWhole,
    StillRunning,
    all_current,
    current,
    lock_of,
    locked,
)
from edge_agent.modules.store import Store
from edge_agent.modules.unpack import ArchiveIsUnfit, Bounds
from edge_agent.ports import Installed
from tests.rim.packed import GOOD, archive, entry, package_in, tree, with_entry

ROOMY = Bounds(files=100, unpacked_bytes=1 << 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state")


def ours(installed: Installed) -> dict[str, bytes]:
    found = tree(Path(installed.folder))
    assert found.pop("manifest.json")
    return found


def staged(store: Store, number: int = 1) -> Installed:
    content = archive({**GOOD, "number": b"%d" % number})
    made = package_in(content, version=f"1.{number}")
    part = store.part(made.sha256)
    part.write_bytes(content)
    return store.stage(made, number, part, ROOMY)


def test_a_version_is_there_whole_but_nobody_gets_it_before_it_is_activated(store: Store):
    installed = staged(store)
    assert ours(installed) == {**GOOD, "number": b"1"}
    assert current(store.folder, "physics") is None
    store.activate(installed)
    assert current(store.folder, "physics") == installed == store.current("physics")
    assert all_current(store.folder) == (installed,)


def test_current_says_version_digest_and_the_one_before(store: Store):
    first, second = staged(store, 1), staged(store, 2)
    store.activate(first)
    store.activate(second)
    store.activate(second)
    said = json.loads((store.folder / "modules/physics/current.json").read_text())
    assert (said["version"], said["sha256"]) == ("1.2", second.sha256)
    assert said["previous"] == {"version": "1.1", "sha256": first.sha256}


def test_what_goes_back_is_the_version_before_and_without_one_nothing(store: Store):
    first, second = staged(store, 1), staged(store, 2)
    store.activate(first)
    store.activate(second)
    assert store.go_back(second) == first == store.current("physics")
    assert store.go_back(second) == first
    assert store.go_back(first) is None
    assert store.current("physics") is None


@pytest.mark.parametrize("path", ["../evil", "manifest.json", "Manifest.JSON/x"])
def test_an_archive_that_is_unfit_leaves_nothing(store: Store, path: str):
    content = with_entry(entry(path))
    made = package_in(content, version="1.1")
    part = store.part(made.sha256)
    part.write_bytes(content)
    with pytest.raises(ArchiveIsUnfit):
        store.stage(made, 1, part, ROOMY)
    assert not list((store.folder / "modules/physics").iterdir())


def test_a_version_that_was_staged_is_not_staged_again(store: Store):
    installed = staged(store)
    before = Path(installed.folder).stat()
    assert staged(store) == installed
    assert Path(installed.folder).stat().st_ino == before.st_ino


@pytest.mark.parametrize("change", ["bytes", "more", "fewer", "link", "mode", "manifest"])
def test_what_was_changed_afterwards_is_not_whole(store: Store, change: str):
    installed = staged(store)
    store.check(installed)
    words = Path(installed.folder) / "data/words"
    match change:
        case "bytes":
            words.write_bytes(words.read_bytes()[:-1] + b"!")
        case "more":
            (Path(installed.folder) / "more").write_bytes(b"")
        case "fewer":
            words.unlink()
        case "link":
            words.rename(words.with_name("elsewhere"))
            words.symlink_to("elsewhere")
        case "mode":
            words.chmod(0o755)
        case _:
            (Path(installed.folder) / "manifest.json").write_bytes(b"{}")
    with pytest.raises(NotWhole):
        store.check(installed)


def test_a_version_in_use_is_neither_collected_nor_removed(store: Store):
    versions = [staged(store, number) for number in (1, 2, 3)]
    store.activate(versions[0])
    with locked(store.folder, "physics") as used:
        for version in versions[1:]:
            store.activate(version)
        assert store.what_can_go(PackageKind.MODULE, "physics") == []
        with pytest.raises(StillRunning):
            store.remove(used)
        assert ours(used)
    assert store.what_can_go(PackageKind.MODULE, "physics") == [versions[0]]
    store.remove(versions[0])
    assert list(store.versions(PackageKind.MODULE, "physics")) == versions[1:]
    assert store.what_can_go(PackageKind.MODULE, "physics") == []


def test_a_lock_outlives_its_block_where_a_child_has_its_descriptor(store: Store):
    installed = staged(store)
    store.activate(installed)
    used, handle = lock_of(store.folder, "physics")
    inherited = os.dup(handle)
    os.close(handle)
    with pytest.raises(StillRunning):
        store.remove(used)
    os.close(inherited)
    store.remove(used)
    with pytest.raises(NotInstalled), locked(store.folder, "physics"):
        pass


def test_removing_takes_our_files_and_leaves_what_others_put_there(store: Store):
    installed = staged(store)
    store.activate(installed)
    (Path(installed.folder) / "data/theirs").write_bytes(b"keep")
    store.remove(installed)
    store.remove(installed)
    assert store.current("physics") is None
    left = tree(store.folder / "modules/physics")
    assert [path for path in left if not path.endswith("manifest.json")] == [
        f".left-{Path(installed.folder).name}/data/theirs"
    ]


def test_what_was_begun_and_never_finished_is_cleared_up(store: Store):
    installed = staged(store)
    home = Path(installed.folder).parent
    (home / ".staging-1.2-0/bin").mkdir(parents=True)
    Path(installed.folder).rename(home / ".trash-1.1-0")
    old, new = store.part("0" * 64), store.part("1" * 64)
    for part in (old, new):
        part.write_bytes(b"x")
    os.utime(old, (0, 0))
    store.clear_up(new.stat().st_mtime)
    assert list(home.iterdir()) == []
    assert not old.exists()
    assert new.exists()


def test_a_current_file_that_says_nothing_is_none(store: Store):
    installed = staged(store)
    store.activate(installed)
    (Path(installed.folder).parent / "current.json").write_bytes(b"{")
    assert store.current("physics") is None
