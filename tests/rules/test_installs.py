"""How a package comes onto a PC: what may be unpacked, what may go, how long is waited."""

from __future__ import annotations

from itertools import permutations

import pytest

from common.rules.modules import (
    IN_USE,
    INSTALL,
    UNDER_WAY,
    InstallEvent,
    InstallState,
    PackedFile,
    VersionKept,
    digest_of_contents,
    wait_seconds,
    what_can_go,
    why_unfit,
)
from common.rules.modules.contents import DEPTH_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX
from common.rules.modules.installs import LONGEST_WAIT_SECONDS

SHA = "ab" * 32
FILES = [
    PackedFile(path="bin/run", length=3, sha256=SHA, is_executable=True),
    PackedFile(path="data", length=3, sha256=SHA),
    PackedFile(path="lib/a.so", length=9, sha256="cd" * 32),
]


@pytest.mark.parametrize(
    "path",
    [
        *("../evil", "a/../../evil", "a/..", "..", ".", "", "a//b", "a/", "/etc/passwd", "./a"),
        *(
            "C:/windows",
            "c:evil",
            "a\\..\\evil",
            "manifest.json",
            "a\0b",
            "a\nb",
            "\u202egpj.exe",
            "\ud800",
        ),
        *(
            "manifest.json",
            "e\u0301clair",
            "x" * (NAME_BYTES_MAX + 1),
            "é" * (NAME_BYTES_MAX // 2 + 1),
        ),
        *("a/" * DEPTH_MAX + "b", "/".join(["x" * 200] * (PATH_BYTES_MAX // 200 + 1))),
    ],
)
def test_a_path_that_leads_elsewhere_is_unfit(path: str):
    assert why_unfit(path)


@pytest.mark.parametrize("path", ["a", "bin/run", "a b/ünï/日本.txt", "..a", "a..", ".hidden/x"])
def test_a_plain_path_is_fit(path: str):
    assert why_unfit(path) is None


def test_the_digest_of_contents_is_that_of_a_set_and_of_all_that_counts():
    known = digest_of_contents(FILES)
    assert all(digest_of_contents(order) == known for order in permutations(FILES))
    others = [
        FILES[:2],
        [*FILES, PackedFile(path="z", length=0, sha256=SHA)],
        [PackedFile(path="bin/run", length=3, sha256=SHA), *FILES[1:]],
        [PackedFile(path="bin/ran", length=3, sha256=SHA, is_executable=True), *FILES[1:]],
        [PackedFile(path="bin/run", length=4, sha256=SHA, is_executable=True), *FILES[1:]],
    ]
    assert len({known, *map(digest_of_contents, others)}) == len(others) + 1


def test_what_is_current_previous_or_locked_never_goes_and_the_oldest_goes_first():
    kept = [
        VersionKept(name="5", made_at=5, is_current=True),
        VersionKept(name="4", made_at=4, is_previous=True),
        VersionKept(name="3", made_at=3),
        VersionKept(name="2", made_at=2, is_locked=True),
        VersionKept(name="1", made_at=1),
    ]
    assert [each.name for each in what_can_go(kept)] == ["1", "3"]


def test_waits_grow_differ_and_never_pass_the_longest():
    assert [wait_seconds(cuts, 1.0) for cuts in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert wait_seconds(10**6, 1.0) == LONGEST_WAIT_SECONDS
    assert wait_seconds(1, 0.0) < wait_seconds(1, 0.5) < wait_seconds(1, 1.0)


def test_what_is_under_way_can_go_on_or_fail_and_only_one_version_is_ever_in_use():
    for state in UNDER_WAY - {InstallState.REMOVING}:
        assert INSTALL.step(state, InstallEvent.FAIL) is InstallState.FAILED
    for state in IN_USE:
        assert INSTALL.step(state, InstallEvent.SUPERSEDE) is InstallState.SUPERSEDED
    assert INSTALL.step(InstallState.SUPERSEDED, InstallEvent.TRY) is None


def test_nothing_reaches_use_but_by_verify_and_stage():
    before = {after: state for (state, event), after in INSTALL.table.items() if event == "verify"}
    assert before == {InstallState.VERIFIED: InstallState.DOWNLOADING}
    to_probation = {state for (state, _), after in INSTALL.table.items() if after == "probation"}
    assert to_probation == {InstallState.ACTIVATING}
    to_activating = {state for (state, _), after in INSTALL.table.items() if after == "activating"}
    assert to_activating == {InstallState.STAGED}
