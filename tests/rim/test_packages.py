"""Packages: packed alike everywhere, signed by their own keys, whole whoever is killed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from cloud_controller.packages import keys as signing, pack, releasing, replacing
from cloud_controller.packages.lists import EXPIRY_DAYS, ListIsBad
from cloud_controller.packages.publishing import CannotBePacked
from cloud_controller.packages.repository import CannotBePublished, Keys, RepositoryIsThere
from common.messages.modules import CHUNK_BYTES
from common.system import SystemNames
from tests.fakes.packages_kit import FILES, PackagesInHand

NOW = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def kit(tmp_path: Path) -> PackagesInHand:
    return PackagesInHand(tmp_path, NOW)


def laid(folder: Path, *names: str, of: bytes = b"x") -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(of)
    return folder


def test_the_same_files_are_the_same_archive_whenever_they_were_written(tmp_path):
    one, two = (laid(tmp_path / each, "b", "a/c") for each in ("one", "two"))
    os.utime(two / "b", (1, 1))
    assert pack(one, tmp_path / "1.zip").sha256 == pack(two, tmp_path / "2.zip").sha256
    (two / "b").chmod(0o755)
    assert pack(one, tmp_path / "3.zip").sha256 != pack(two, tmp_path / "4.zip").sha256


def test_an_archive_holds_each_file_with_its_name_its_bytes_and_whether_it_is_run(tmp_path):
    folder = laid(tmp_path / "files", "bin/run", "data.bin", of=b"words" * 1000)
    (folder / "bin/run").chmod(0o700)
    (folder / "empty").mkdir()
    made = pack(folder, tmp_path / "made.zip")
    with zipfile.ZipFile(made.path) as archive:
        modes = {each.filename: each.external_attr >> 16 for each in archive.infolist()}
        assert archive.read("data.bin") == b"words" * 1000
    assert modes == {"bin/run": stat.S_IFREG | 0o755, "data.bin": stat.S_IFREG | 0o644}
    assert (made.files, made.unpacked_bytes) == (2, 10_000)


def test_each_chunk_of_an_archive_is_signed_for(tmp_path):
    folder = laid(tmp_path / "files", "noise", of=os.urandom(CHUNK_BYTES + 5))
    made = pack(folder, tmp_path / "made.zip")
    body = made.path.read_bytes()
    parts = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]
    assert made.chunks == tuple(hashlib.sha256(part).hexdigest() for part in parts)
    assert len(parts) == 2
    assert (made.sha256, made.length) == (hashlib.sha256(body).hexdigest(), len(body))


def test_what_a_terminal_could_not_unpack_is_not_packed(tmp_path):
    odd = ("a\nb", "a\\b", "c:d", "end.", "end ./x", "n" * 201, "e\u0301clair", "a/" * 32 + "b")
    for number, name in enumerate(odd):
        with pytest.raises(CannotBePacked, match="its name"):
            pack(laid(tmp_path / str(number), name), tmp_path / f"{number}.zip")
    with pytest.raises(CannotBePacked, match="write beside"):
        pack(laid(tmp_path / "own", "Manifest.json"), tmp_path / "own.zip")
    with pytest.raises(CannotBePacked, match="only in its case"):
        pack(laid(tmp_path / "case", "A", "a"), tmp_path / "case.zip")
    (tmp_path / "case/nothing").mkdir()
    with pytest.raises(CannotBePacked, match="no file is in it"):
        pack(tmp_path / "case/nothing", tmp_path / "none.zip")
    with pytest.raises(CannotBePacked, match="it is no folder"):
        pack(tmp_path / "nowhere", tmp_path / "nowhere.zip")


def test_links_and_pipes_are_not_packed(tmp_path):
    linked = laid(tmp_path / "linked", "a")
    (linked / "away").symlink_to("/etc")
    piped = laid(tmp_path / "piped", "a")
    os.mkfifo(piped / "pipe")
    for folder in (linked, piped):
        with pytest.raises(CannotBePacked, match="link or no plain file"):
            pack(folder, tmp_path / f"{folder.name}.zip")


def test_what_is_published_is_on_the_signed_list_with_its_terms(kit):
    made = kit.publish(basis="concurrent", spdx="MIT", vendor="Acme", royalty_cents=120)
    program = kit.publish("racer", kind="program", requires=("physics",))
    assert kit.repository.releases() == (program, made)
    assert made.target == "modules/physics/1.0.0.zip"
    assert (made.release.release_counter, made.release.files) == (1, len(FILES))
    assert (made.release.basis, made.release.royalty_cents) == ("concurrent", 120)
    archive = kit.archive(made)
    assert archive.name == f"{made.sha256}.1.0.0.zip"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == made.sha256
    assert not list((kit.repository.folder / releasing.INCOMING).iterdir())


def test_a_release_is_published_once_and_its_number_only_grows(kit):
    kit.publish(version="1.0.0", release=5)
    for terms, why in (
        ({"version": "1.0.0"}, "this version is published"),
        ({"version": "0.9.0", "release": 5}, "release 5 is published"),
        ({"version": "0.9.0", "release": 4}, "release 5 is published"),
        ({"version": "2.0.0", "kind": "program"}, "no program so far"),
    ):
        with pytest.raises(CannotBePublished, match=why):
            kit.publish(**terms)
    assert kit.publish(version="2.0.0").release.release_counter == 6


def test_what_is_withdrawn_is_on_the_list_no_more_and_its_archive_stays(kit):
    old, new = kit.publish(version="1.0.0"), kit.publish(version="2.0.0")
    kit.withdraw(new)
    assert kit.repository.releases() == (old,)
    assert kit.archive(new).exists()
    with pytest.raises(CannotBePublished, match="not on the list"):
        kit.withdraw(new)


def test_one_key_of_two_publishes_nothing_and_another_role_s_keys_do_not(kit, tmp_path):
    kit.publish(version="1.0.0")
    before = kit.repository.releases()
    stolen = kit.offline["modules"][:1]
    for keys in (stolen, stolen * 2, kit.offline["programs"], kit.offline["targets"]):
        kit.offline["modules"] = keys
        with pytest.raises(ListIsBad, match="modules"):
            kit.publish(version="6.6.6")
    assert kit.repository.releases() == before
    (tmp_path / "offline/modules-2.pem").unlink()
    with pytest.raises(signing.KeysAreMissing, match="needs 2 keys"):
        signing.offline([tmp_path / "offline"], "modules")


def test_a_list_that_was_touched_is_not_believed(kit):
    kit.publish()
    file = kit.metadata / "2.modules.json"
    told = json.loads(file.read_text())
    told["signed"]["targets"]["modules/physics/1.0.0.zip"]["length"] = 1
    file.write_text(json.dumps(told))
    with pytest.raises(ListIsBad, match="modules"):
        kit.repository.releases()
    file.write_text("{")
    with pytest.raises(ListIsBad, match="it is damaged"):
        kit.repository.releases()
    file.unlink()
    with pytest.raises(ListIsBad):
        kit.repository.releases()


def test_the_controller_signs_its_own_lists_anew_before_they_are_old(kit):
    made = kit.publish()
    versions = []
    for hours in (5, 6, 11, 47, 48):
        renewed = kit.repository.renew(kit.online, NOW + hours * HOUR_MS)
        current = kit.repository.current()
        versions.append((renewed, current.timestamp.version, current.snapshot.version))
    assert versions == [
        *((False, 2, 2), (True, 3, 2), (False, 3, 2)),
        *((True, 4, 2), (True, 5, 3)),
    ]
    ends = kit.repository.current().expires_at()
    assert ends["timestamp"] == NOW + (48 + 24) * HOUR_MS
    assert ends["snapshot"] == NOW + 48 * HOUR_MS + EXPIRY_DAYS["snapshot"] * DAY_MS
    assert ends["modules"] == NOW + EXPIRY_DAYS["modules"] * DAY_MS
    assert kit.repository.releases() == (made,)


def test_keys_that_the_root_does_not_name_keep_nothing_fresh(kit, tmp_path):
    others = signing.online(tmp_path / "elsewhere", SystemNames())
    with pytest.raises(ListIsBad):
        kit.repository.renew(others, NOW + DAY_MS)
    assert kit.repository.current().timestamp.version == 1


def test_two_root_keys_name_other_keys_of_the_controller_s_and_one_does_not(kit, tmp_path):
    made, before = kit.publish(), dict(kit.online)
    new = signing.replace_online(tmp_path / "new", SystemNames())
    for root in (kit.offline["root"][:1], kit.offline["targets"]):
        with pytest.raises(ListIsBad, match="root"):
            replacing.replace_online(kit.repository, root, new, NOW)
    assert kit.repository.current().root.version == 1
    (kit.metadata / "2147483647.snapshot.json").write_text("an intruder's")
    (kit.metadata / "9.modules.json").write_text("his, too")
    (kit.metadata / "2.root.json").write_bytes(kit.root)
    (kit.metadata / "99.root.json").write_text("and his")
    kit.replace_online()
    current = kit.repository.current()
    assert (current.root.version, current.snapshot.version) == (2, 3)
    assert kit.repository.releases() == (made,)
    with pytest.raises(ListIsBad):
        kit.repository.renew(before, NOW + DAY_MS)
    assert kit.repository.renew(kit.online, NOW + DAY_MS)


@pytest.mark.parametrize("role", replacing.ABOVE)
def test_lost_keys_are_replaced_by_those_above_however_often_that_is_cut_short(kit, tmp_path, role):
    made = kit.publish()
    lost, before = kit.offline[role], tmp_path / "before"
    shutil.copytree(kit.metadata, before)
    kit.replace_offline(role)
    written = sorted(kit.metadata.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    new = [(file.name, file.read_bytes()) for file in written if _is_new(file, before)]
    for killed_after in range(len(new)):
        shutil.rmtree(kit.metadata)
        shutil.copytree(before, kit.metadata)
        for name, body in new[:killed_after]:
            (kit.metadata / name).write_bytes(body)
        kit.offline[role] = lost
        kit.replace_offline(role)
        assert kit.repository.releases() == (made,)
    again = kit.publish(version="2.0.0")
    assert kit.repository.releases() == (made, again)
    kit.offline[role] = lost
    with pytest.raises(ListIsBad):
        kit.sign_with(role)


def _is_new(file: Path, before: Path) -> bool:
    old = before / file.name
    return not old.exists() or old.read_bytes() != file.read_bytes()


def test_offline_keys_give_a_list_its_whole_time_again(kit):
    made = kit.publish()
    later = NOW + 80 * DAY_MS
    with kit.repository.alone():
        for role in ("modules", "targets"):
            keys = Keys(role=kit.offline[role], online=kit.online)
            kit.repository.sign_again(role, keys, later)
    ends = kit.repository.current().expires_at()
    assert ends["modules"] == later + EXPIRY_DAYS["modules"] * DAY_MS
    assert ends["targets"] == later + EXPIRY_DAYS["targets"] * DAY_MS
    assert kit.repository.releases() == (made,)


def test_killed_before_its_last_file_is_written_a_change_has_not_happened(kit, tmp_path):
    old = kit.publish(version="1.0.0")
    before = tmp_path / "before"
    shutil.copytree(kit.metadata, before)
    new = kit.publish(version="2.0.0")
    written = sorted(kit.metadata.iterdir(), key=lambda file: file.stat().st_mtime_ns)[-3:]
    names = ["3.modules.json", "3.snapshot.json", "timestamp.json"]
    assert [file.name for file in written] == names
    after = {file.name: file.read_bytes() for file in written}
    for killed_after, listed in enumerate(((old,), (old,), (old,), (old, new))):
        shutil.rmtree(kit.metadata)
        shutil.copytree(before, kit.metadata)
        for name in names[:killed_after]:
            (kit.metadata / name).write_bytes(after[name])
        assert kit.repository.releases() == listed
        again = kit.publish(version="3.0.0")
        assert kit.repository.releases() == (*listed, again)


def test_keys_are_made_once_readable_by_us_alone_and_open_with_their_passphrase(kit, tmp_path):
    with pytest.raises(signing.KeysAreThere):
        signing.make_offline(tmp_path / "offline", SystemNames())
    with pytest.raises(RepositoryIsThere):
        kit.repository.begin(kit.offline, kit.online, NOW)
    signing.make_offline(tmp_path / "locked", SystemNames(), "a long one")
    assert {stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "locked").iterdir()} == {0o600}
    assert len(signing.offline([tmp_path / "locked"], "root", "a long one")) == 2
    for wrong in ("", "another"):
        with pytest.raises(signing.KeyIsUnreadable, match="passphrase"):
            signing.offline([tmp_path / "locked"], "root", wrong)


def test_two_sticks_with_a_key_each_sign_together_and_one_stick_twice_does_not(tmp_path):
    signing.make_offline(tmp_path / "offline", SystemNames())
    sticks = [tmp_path / "one", tmp_path / "two"]
    for number, stick in enumerate(sticks, 1):
        stick.mkdir()
        shutil.copy(tmp_path / f"offline/modules-{number}.pem", stick)
    assert len(signing.offline(sticks, "modules")) == 2
    with pytest.raises(signing.KeysAreMissing):
        signing.offline([sticks[0], sticks[0]], "modules")


def test_a_description_says_what_is_wrong_with_it(tmp_path):
    file = tmp_path / "package.toml"
    for text, why in (
        ('package = "Physics"', "package"),
        ('package = "physics"\nkind = "module"\nversion = "1"\nsize = 3', "size"),
        ("package =", "no TOML"),
    ):
        file.write_text(text)
        with pytest.raises(CannotBePacked, match=why):
            releasing.read_description(file)
    with pytest.raises(CannotBePacked):
        releasing.read_description(tmp_path / "none.toml")
    file.write_text('package = "physics"\nkind = "module"\nversion = "1"\nfolder = "here"')
    assert releasing.read_description(file).folder == tmp_path / "here"
