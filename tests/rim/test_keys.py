"""The controller's signing keys: made, changed, retired, and whole whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_controller.keys import ANNOUNCED_SECONDS, INDEX_FILE, FileKeys, KeysCannotChange
from common.errors import CannotStart
from common.seals import is_sealed, read_token
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.rim.test_seals import TOKEN

ROTATES = """
import sys
from pathlib import Path
from cloud_controller.keys import FileKeys
from common.system import SystemNames

keys = FileKeys(Path(sys.argv[1]), SystemNames())
print("ready", flush=True)
while True:
    new = keys.rotate(at_once=True)
    keys.retire(next(iter(keys.public_keys())))
"""


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    """Return the keys of a first start."""
    return FileKeys(tmp_path, CountedNames())


def a_text(keys: FileKeys) -> str:
    return keys.seal_token(replace(TOKEN, key_id=keys.key_id))


def is_ours(keys: FileKeys, text: str) -> bool:
    return keys.have_signed(read_token(text))


def test_a_first_start_makes_one_key_and_the_next_finds_it(keys, tmp_path):
    assert list(keys.public_keys()) == [1]
    assert (keys.revision, keys.said()) == (0, None)
    again = FileKeys(tmp_path, CountedNames())
    assert again.public_keys() == keys.public_keys()
    assert is_ours(again, a_text(keys))


def test_c2_a_new_key_signs_and_the_earlier_one_still_verifies(keys, tmp_path):
    before = a_text(keys)
    assert keys.rotate(at_once=True) == keys.key_id == 2
    after = a_text(keys)
    assert read_token(after).token.key_id == 2
    for each in (keys, FileKeys(tmp_path, CountedNames())):
        assert is_ours(each, before)
        assert is_ours(each, after)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_new_key_is_announced_before_it_signs(tmp_path):
    clock = ClockInHand()
    keys = FileKeys(tmp_path, CountedNames(), clock)
    keys.rotate()
    assert (keys.key_id, sorted(keys.public_keys())) == (1, [1, 2])
    clock.move(ANNOUNCED_SECONDS - 0.001)
    assert keys.key_id == 1
    clock.move(0.001)
    assert keys.key_id == 2


def test_c2_a_key_that_is_retired_verifies_nothing_from_that_moment_on(keys, tmp_path):
    beside = FileKeys(tmp_path, CountedNames())
    old = a_text(keys)
    right = keys.seal_document({"right": "g-1"})
    keys.rotate(at_once=True)
    keys.retire(1)
    for each in (keys, beside):  # the other process has not been told
        assert not is_ours(each, old)
        assert not each.have_sealed({"right": "g-1"}, right)
        assert not each.is_live(1)
        with pytest.raises(KeyError):
            each.seal_token(TOKEN)
    assert not (tmp_path / "signing-key-1").exists()


def test_sixteen_keys_may_live_and_no_more_and_an_id_comes_round_last(keys):
    for _ in range(15):
        keys.rotate(at_once=True)
    assert sorted(keys.public_keys()) == list(range(16))
    with pytest.raises(KeysCannotChange, match="all 16 ids"):
        keys.rotate()
    assert keys.key_id == 0
    keys.retire(1)
    keys.retire(5)
    assert keys.rotate(at_once=True) == 1
    assert keys.rotate(at_once=True) == 5


def test_the_key_that_signs_cannot_be_retired_nor_one_that_is_not_there(keys):
    with pytest.raises(KeysCannotChange, match="key 1 signs"):
        keys.retire(1)
    with pytest.raises(KeysCannotChange, match="no live key 7"):
        keys.retire(7)
    assert keys.revision == 0


def test_each_change_is_told_by_every_key_that_was_live_or_is(keys):
    first = keys.verifying_keys()[1]
    keys.rotate(at_once=True)
    said = keys.said()
    assert said is not None
    assert sorted(said.signatures) == [1, 2]
    assert said.document["keys"] == {str(k): raw for k, raw in keys.public_keys().items()}
    keys.retire(1)
    said = keys.said()
    assert said is not None
    assert (said.revision, sorted(said.signatures), list(said.document["keys"])) == (
        2,
        [1, 2],
        ["2"],
    )
    assert is_sealed(said.document, said.signatures[1], first)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _index: "{",
        lambda index: json.dumps(index | {"live": []}),
        lambda index: json.dumps(index | {"live": [[3, 0]]}),
        lambda index: json.dumps(index | {"document": {"revision": 1}}),
        lambda index: json.dumps([index]),
    ],
)
def test_an_index_that_is_none_of_ours_stops_the_start_in_one_sentence(keys, tmp_path, spoil):
    keys.rotate(at_once=True)
    file = tmp_path / INDEX_FILE
    file.write_text(spoil(json.loads(file.read_text())))
    with pytest.raises(CannotStart):
        FileKeys(tmp_path, CountedNames())


def test_b11_killed_at_any_moment_of_a_change_the_keys_are_the_old_or_the_new(tmp_path, seed):
    """Kill a process that does nothing but change keys; the next start finds them whole."""
    revisions = []
    for attempt in range(12):
        changing = subprocess.Popen(
            [sys.executable, "-c", ROTATES, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert changing.stdout is not None
        assert changing.stdout.readline() == "ready\n"
        time.sleep(0.02 + (seed * 7 + attempt * 13) % 50 / 1000)  # whenever: that is the point
        os.kill(changing.pid, signal.SIGKILL)
        changing.communicate()
        keys = FileKeys(tmp_path, CountedNames())
        assert is_ours(keys, a_text(keys))
        assert 1 <= len(keys.public_keys()) <= attempt + 2, "each kill may leave one more"
        revisions.append(keys.revision)
    assert revisions == sorted(revisions)
    assert revisions[-1] > revisions[0]
