"""What closes a gate and what does not: digests, and what differs between two looks (A8)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from common.messages.specification import Disk, Display, Gpu, MachineFound, Part, Specification
from common.rules.specification import (
    EVIDENCE,
    MEMORY_STEP_BYTES,
    PARTS,
    differences,
    evidence_of_another,
    is_sealed,
    new_specification,
)
from tests.rules.specification_kit import (
    DEVICES,
    DISPLAY,
    GPU,
    MACHINE,
    PROGRAMS,
    SPECIFICATIONS,
    UNSEEN,
    USUAL,
    WEBCAM,
    a_specification,
)

WATCHED: dict[str, dict[str, Any]] = {
    "another architecture": {"architecture": "aarch64"},
    "another processor": {"processor": "Intel N100"},
    "fewer cores": {"cores": 8},
    "less memory": {"memory_bytes": 34_359_738_368 // 2},
    "unknown memory": {"memory_bytes": None},
    "another GPU": {"gpus": (Gpu(name="10de:2684"),)},
    "one more GPU": {"gpus": (GPU, GPU)},
    "less memory of the GPU": {"gpus": (GPU.model_copy(update={"memory_bytes": 2**33}),)},
    "no GPU": {"gpus": ()},
    "unknown GPUs": {"gpus": None},
    "a display in another size": {"displays": (Display(name="HDMI-A-1", width_pixels=1920),)},
    "a display gone": {"displays": (DISPLAY,)},
    "a camera gone": {"cameras": ()},
    "unknown cameras": {"cameras": None},
    "another scanner": {"scanners": (Part(name="another"),)},
    "a program gone": {"programs": PROGRAMS[:1]},
    "a device gone": {"devices": DEVICES[:1]},
    "a device's other program": {
        "devices": (DEVICES[0].model_copy(update={"program": "tennis"}), DEVICES[1])
    },
    "a device's further programs": {
        "devices": (DEVICES[0].model_copy(update={"also": ()}), DEVICES[1])
    },
}
UNWATCHED: dict[str, dict[str, Any]] = {
    "another agent": {"agent_version": "2.0"},
    "a program's version": {
        "programs": (PROGRAMS[0].model_copy(update={"version": "3"}), PROGRAMS[1])
    },
    "a program's digest": {
        "programs": (PROGRAMS[0].model_copy(update={"digest": "b" * 64}), PROGRAMS[1])
    },
    "a program missing lately": {
        "programs": (PROGRAMS[0].model_copy(update={"is_here": False}), PROGRAMS[1])
    },
    "a device's title": {"devices": (DEVICES[0].model_copy(update={"title": "B 1"}), DEVICES[1])},
    "a monitor asleep": {
        "displays": (DISPLAY.model_copy(update={"is_here": False}), Display(name="DP-1"))
    },
    "what a GPU is called": {"gpus": (GPU.model_copy(update={"model": None}),)},
    "another disk": {"disks": (Disk(name="another"),)},
    "unknown disks": {"disks": None},
    "another interface": {"interfaces": ()},
    "another name": {"hostname": "booth-9"},
    "another system": {"system": "Debian GNU/Linux 13 (trixie)"},
    "another serial": {"serial": "S-2"},
    "a little less memory": {"memory_bytes": 34_359_738_368 - MEMORY_STEP_BYTES // 4},
}


@pytest.mark.parametrize("change", WATCHED.values(), ids=WATCHED)
def test_a8_what_service_information_depends_on_is_watched(change: dict[str, Any]):
    changed = a_specification(**change)
    assert changed.gate_digest != USUAL.gate_digest
    assert changed.digest != USUAL.digest
    assert differences(USUAL, changed)[0].is_watched


@pytest.mark.parametrize("change", UNWATCHED.values(), ids=UNWATCHED)
def test_what_service_information_does_not_depend_on_closes_no_gate(change: dict[str, Any]):
    changed = a_specification(**change)
    assert changed.gate_digest == USUAL.gate_digest
    assert changed.digest != USUAL.digest
    assert {each.is_watched for each in differences(USUAL, changed)} == {False}


@given(said=SPECIFICATIONS, seed=st.integers())
def test_the_same_content_in_another_order_is_the_same_specification(said: Specification, seed):
    shuffled = random.Random(seed)

    def mixed(things: Any) -> Any:
        return None if things is None else tuple(shuffled.sample(things, len(things)))

    machine = {kind: mixed(getattr(said.machine, kind)) for kind in PARTS}
    again = new_specification(
        agent_version=said.agent_version,
        machine=said.machine.model_copy(update=machine),
        devices=mixed(said.devices),
        programs=mixed(said.programs),
    )
    assert again == said
    assert is_sealed(again)


@given(before=SPECIFICATIONS, now=SPECIFICATIONS)
def test_a_difference_is_watched_exactly_when_the_gate_digest_differs(before, now):
    changed = differences(before, now)
    assert any(each.is_watched for each in changed) is (before.gate_digest != now.gate_digest)
    assert bool(changed) is (before.digest != now.digest)
    assert len({each.field for each in changed}) == len(changed)
    assert [each.is_watched for each in changed] == sorted(
        (each.is_watched for each in changed), reverse=True
    )


def changed_in_one_place(document: Any) -> list[Any]:
    """Return a document once for each place in it, with only that place changed."""
    match document:
        case dict():
            return [
                {**document, key: changed}
                for key, value in document.items()
                for changed in changed_in_one_place(value)
            ]
        case list():
            inside = [
                [*document[:place], changed, *document[place + 1 :]]
                for place, value in enumerate(document)
                for changed in changed_in_one_place(value)
            ]
            return [*inside, document[1:]] if document else []
        case bool():
            return [not document]
        case int():
            return [document + 1]
        case str():
            return [document[:-1] + ("1" if document[-1] != "1" else "2")]
        case _:
            return []


def test_a_specification_that_was_changed_anywhere_is_not_sealed():
    assert is_sealed(USUAL)
    changed = changed_in_one_place(USUAL.model_dump(mode="json"))
    assert len(changed) > 50
    for document in changed:
        assert not is_sealed(Specification.model_validate(document)), document


def test_the_digests_of_another_terminal_open_nothing():
    spoofed = {"digest": USUAL.digest, "gate_digest": USUAL.gate_digest}
    assert not is_sealed(a_specification(gpus=()).model_copy(update=spoofed))


# --- differences -----------------------------------------------------------------------------


def told(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str, str]]:
    changed = differences(a_specification(**before), a_specification(**now))
    return [(each.field, each.before, each.now) for each in changed]


def test_differences_are_told_side_by_side_and_what_closes_the_gate_first():
    changed = {
        "agent_version": "2.0",
        "memory_bytes": 2**34,
        "displays": (DISPLAY,),
        "programs": PROGRAMS[:1],
        "hostname": None,
    }
    assert told({}, changed) == [
        ("displays.DP-1", "unknown x unknown pixels, unknown x unknown mm, here", "—"),
        (
            "machine.memory_bytes",
            "32.0 GiB (34,359,738,368 bytes)",
            "16.0 GiB (17,179,869,184 bytes)",
        ),
        ("programs.tennis", "version unknown, SHA-256 unknown, here", "—"),
        ("agent_version", "1.0", "2.0"),
        ("machine.hostname", "booth-1", "unknown"),
    ]


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        ((), (WEBCAM,), ("cameras.Webcam", "—", "here")),
        (None, (WEBCAM,), ("cameras.Webcam", "unknown", "here")),
        ((WEBCAM,), None, ("cameras.Webcam", "here", "unknown")),
        ((WEBCAM,), (UNSEEN,), ("cameras.Webcam", "here", "not seen now")),
        ((), None, ("cameras", "—", "unknown")),
        (None, (), ("cameras", "unknown", "—")),
        ((WEBCAM,), (WEBCAM, WEBCAM), ("cameras.Webcam#2", "—", "here")),
    ],
)
def test_unknown_and_not_there_are_two_things(before, now, line):
    assert told({"cameras": before}, {"cameras": now}) == [line]


def test_a_device_is_told_with_what_it_carries():
    assert told({}, {"devices": DEVICES[1:]}) == [
        ("devices.booth-1", "Booth 1: racer, also tennis", "—")
    ]


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_of_another_pc_is_what_is_known_of_both_and_differs(name: str):
    other = MACHINE.model_copy(update={name: "something else"})
    assert evidence_of_another(MACHINE, other) == (name,)
    assert evidence_of_another(MACHINE, MACHINE.model_copy(update={name: None})) == ()
    assert evidence_of_another(MACHINE.model_copy(update={name: None}), MACHINE) == ()
    assert evidence_of_another(MachineFound(), other) == ()


def test_new_parts_in_a_pc_do_not_make_it_another_one():
    upgraded = MACHINE.model_copy(update={"gpus": (), "hostname": "b"})
    assert evidence_of_another(MACHINE, upgraded) == ()
