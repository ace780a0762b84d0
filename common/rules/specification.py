"""What a specification is as a whole, what of it is watched, and what differs between two (A8).

Watched is what service information depends on: its change closes the gate. An agent's upgrade, a
program's new version or a monitor that sleeps for a while is no such change.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Final, TypeVar

from common.messages.base import PROGRAMS_MAX
from common.messages.specification import (
    PARTS_MAX,
    DeviceFound,
    Disk,
    Display,
    Gpu,
    MachineFound,
    Part,
    ProgramFound,
    Specification,
)
from common.seals import digest_of

MEMORY_STEP_BYTES: Final = 268_435_456
"""Memory is watched in steps of a quarter of a gibibyte: a kernel keeps more or less for itself."""

ABSENCE_SECONDS: Final = 600
"""A part not seen for so long is gone; until then a sleeping monitor counts as here."""

PARTS: Final = ("disks", "gpus", "displays", "cameras", "scanners", "interfaces")
"""The lists of parts of a PC."""

PARTS_WATCHED: Final = ("gpus", "displays", "cameras", "scanners")
"""The parts of a PC that programs ask for."""

WATCHED: Final = ("architecture", "processor", "cores", "memory_bytes")
"""What else of a PC programs ask for, or run as fast as."""

EVIDENCE: Final = ("vendor", "model", "serial", "machine_id")
"""What tells one PC from another; none of it is an identity."""

UNKNOWN: Final = "unknown"
NOT_THERE: Final = "—"

_GIB = 2**30
_NOT_WATCHED = {"is_here", "model"}
"""Of a part: a sleeping monitor is here, and a model's name is only its number looked up."""

_Thing = Part | DeviceFound | ProgramFound
_AnyThing = TypeVar("_AnyThing", bound=_Thing)
_AnyPart = TypeVar("_AnyPart", Part, ProgramFound)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What a terminal is taken to be: what was found, and for a while what is missing.

    `missing_since` has the instant of each thing missing: `displays:HDMI-A-1`, or `displays` where
    none of that kind can be known any more.
    """

    specification: Specification
    missing_since: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One fact that is not as it was, in words; `is_watched`: it closes the gate."""

    field: str
    before: str
    now: str
    is_watched: bool


def new_specification(
    *,
    agent_version: str,
    machine: MachineFound,
    devices: Sequence[DeviceFound],
    programs: Sequence[ProgramFound],
) -> Specification:
    """Return a specification with both its digests, every list in one order."""
    ordered = {kind: _in_order(getattr(machine, kind)) for kind in PARTS}
    parts: dict[str, Any] = {
        "agent_version": agent_version,
        "machine": machine.model_copy(update=ordered),
        "devices": _in_order(devices),
        "programs": _in_order(programs),
    }
    unsealed = Specification.model_construct(digest="", gate_digest="", **parts)
    return Specification(digest=whole_digest(unsealed), gate_digest=gate_digest(unsealed), **parts)


def whole_digest(specification: Specification) -> str:
    """Return the SHA-256 of the canonical form of everything but the two digests."""
    return digest_of(specification.model_dump(mode="json", exclude={"digest", "gate_digest"}))


def gate_digest(specification: Specification) -> str:
    """Return the SHA-256 of the canonical form of what is watched."""
    return digest_of(watched(specification))


def is_sealed(specification: Specification) -> bool:
    """Say whether both digests are those of what it says: another's digest opens nothing."""
    digests = whole_digest(specification), gate_digest(specification)
    return (specification.digest, specification.gate_digest) == digests


def watched(specification: Specification) -> dict[str, Any]:
    """Return what service information depends on, in one order; unknown stays None.

    Memory is in steps of `MEMORY_STEP_BYTES`. A part or program missing for a while is among them.
    """
    machine = specification.machine
    return {
        **{name: _watched_fact(machine, name) for name in WATCHED},
        **{kind: _watched_list(getattr(machine, kind)) for kind in PARTS_WATCHED},
        "devices": _watched_list(specification.devices),
        "programs": _watched_list(specification.programs),
    }


LIKE_NAMED_MAX: Final = 4
"""Looks at the same again after which parts of one name have found their places."""


def settled(found: Specification, remembered: Remembered | None, now: int) -> Remembered:
    """Return what a terminal is to be taken for: what is missing only lately still counts as here.

    A part or program that was known and is not found, or of which less is known, keeps what was
    known for `ABSENCE_SECONDS` from when it was first missed; then it is as found. So does a whole
    list that was known. What comes back, what is new and what is set or measured counts at once.

    Where the clock was set back an absence begins anew; where it was set forward one may end at
    once, which closes the gate early and is never unsafe.

    Args:
        found: what was found now.
        remembered: what this returned for the look before, or None at the first.
        now: the wall clock, in milliseconds.
    """
    if remembered is None:
        return Remembered(specification=found, missing_since={})
    after = _settled_once(found, remembered, now)
    for _ in range(LIKE_NAMED_MAX):
        again = _settled_once(found, after, now)
        if again == after:
            break
        after = again
    return after


def _settled_once(found: Specification, remembered: Remembered, now: int) -> Remembered:
    """Settle a look by the one before; what is filled in may change which of two is the second."""
    before = remembered.specification
    since = {
        key: min(remembered.missing_since.get(key, now), now) for key in _missing(found, before)
    }
    lately = {key: at for key, at in since.items() if now - at < ABSENCE_SECONDS * 1000}
    lists = {
        kind: _as_known(kind, getattr(found.machine, kind), getattr(before.machine, kind), lately)
        for kind in PARTS
    }
    programs = _with_missing("programs", found.programs, before.programs, lately)
    specification = new_specification(
        agent_version=found.agent_version,
        machine=found.machine.model_copy(update=lists),
        devices=found.devices,
        programs=programs[:PROGRAMS_MAX],
    )
    return Remembered(specification=specification, missing_since=lately)


def differences(before: Specification, now: Specification) -> tuple[Difference, ...]:
    """Return each fact that changed, for people: what closes the gate first, then by name."""
    old, new = dict(_facts(before)), dict(_facts(now))
    fields = [field for field in old.keys() | new.keys() if _is_one_fact(field, old, new)]
    compared = ((field, _fact(field, old, before), _fact(field, new, now)) for field in fields)
    changed = [
        Difference(
            field=field,
            before=was.words,
            now=is_now.words,
            is_watched=was.watched != is_now.watched,
        )
        for field, was, is_now in compared
        if was != is_now
    ]
    return tuple(sorted(changed, key=lambda each: (not each.is_watched, each.field)))


def evidence_of_another(before: MachineFound, now: MachineFound) -> tuple[str, ...]:
    """Return the evidence that these are two PCs: what is known of both and differs."""
    pairs = {name: (getattr(before, name), getattr(now, name)) for name in EVIDENCE}
    return tuple(name for name, (a, b) in pairs.items() if a != b and None not in {a, b})


def _in_order(said: Sequence[_AnyThing] | None) -> tuple[_AnyThing, ...] | None:
    return None if said is None else tuple(sorted(said, key=_order))


def _order(said: _Thing) -> tuple[str, str, str]:
    """Return where a thing stands among its kind; of two by one name, what is watched decides."""
    return _name(said), repr(_watched_of(said)), repr(said)


def _name(said: _Thing) -> str:
    match said:
        case DeviceFound():
            return said.key
        case ProgramFound():
            return said.program
        case _:
            return said.name


def _watched_fact(machine: MachineFound, name: str) -> Any:  # noqa: ANN401 - whatever a fact is
    value = getattr(machine, name)
    if name != "memory_bytes" or value is None:
        return value
    return (value + MEMORY_STEP_BYTES // 2) // MEMORY_STEP_BYTES


def _watched_list(said: Sequence[_Thing] | None) -> list[Any] | None:
    return None if said is None else sorted((_watched_of(each) for each in said), key=repr)


def _watched_of(said: _Thing) -> Any:  # noqa: ANN401 - a document as it goes into the digest
    match said:
        case DeviceFound():
            return [said.key, said.program, *said.also]
        case ProgramFound():
            return said.program
        case _:
            return said.model_dump(mode="json", exclude=_NOT_WATCHED)


def _missing(found: Specification, before: Specification) -> Iterator[str]:
    """Name what was known and is not found now, or of which less is known."""
    for kind in PARTS:
        here, known = getattr(found.machine, kind), getattr(before.machine, kind)
        if here is None and known is not None:
            yield kind
        yield from _missing_of(kind, here or (), known or ())
    known_programs = _sought("programs", before.programs)
    yield from known_programs.keys() - _sought("programs", found.programs).keys()


def _missing_of(kind: str, found: Sequence[Part], known: Sequence[Part]) -> Iterator[str]:
    here = _sought(kind, found)
    for key, part in _sought(kind, known).items():
        if key not in here or _filled(here[key], part) != here[key]:
            yield key


def _as_known(
    kind: str,
    found: Sequence[Part] | None,
    known: Sequence[Part] | None,
    lately: Container[str],
) -> tuple[Part, ...] | None:
    if found is None and kind not in lately:
        return None
    was = _sought(kind, known or ())
    seen = [
        _filled(part, was[key]) if key in was and key in lately else part
        for key, part in _sought(kind, found or ()).items()
    ]
    return _with_missing(kind, seen, known or (), lately)[:PARTS_MAX]


def _filled(found: Part, known: Part) -> Part:
    """Return a part with what was known of it where nothing is now."""
    unknown = [name for name in type(found).model_fields if getattr(found, name) is None]
    return found.model_copy(update={name: getattr(known, name) for name in unknown})


def _with_missing(
    kind: str, found: Sequence[_AnyPart], known: Sequence[_AnyPart], lately: Container[str]
) -> tuple[_AnyPart, ...]:
    """Return what is found, which goes first where room is short, then what is missing."""
    here = _sought(kind, found)
    known_by_key = _sought(kind, known).items()
    gone = [each for key, each in known_by_key if key in lately and key not in here]
    return tuple(chain(found, (each.model_copy(update={"is_here": False}) for each in gone)))


def _sought(kind: str, said: Iterable[_AnyPart]) -> dict[str, _AnyPart]:
    """Return parts or programs by key; of two by one name the one that is missing comes last."""
    return _by_key(kind, sorted(said, key=lambda each: (not each.is_here, _order(each))))


def _by_key(kind: str, ordered: Iterable[_AnyThing]) -> dict[str, _AnyThing]:
    """Return things by kind and name; a second one of a name is numbered."""
    keyed: dict[str, _AnyThing] = {}
    for each in ordered:
        plain = f"{kind}:{_name(each)}"
        numbered = (f"{plain}#{number}" for number in count(2))
        keyed[next(key for key in chain([plain], numbered) if key not in keyed)] = each
    return keyed


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fact:
    """One fact in words; `watched` is what the gate sees of it, None for nothing."""

    words: str
    watched: list[Any] | None = None


def _facts(specification: Specification) -> Iterator[tuple[str, _Fact]]:
    machine = specification.machine
    yield "agent_version", _Fact(words=specification.agent_version)
    for name in MachineFound.model_fields.keys() - set(PARTS):
        seen = [_watched_fact(machine, name)] if name in WATCHED else None
        yield f"machine.{name}", _Fact(words=_value(name, getattr(machine, name)), watched=seen)
    for kind in PARTS:
        yield from _facts_of(kind, getattr(machine, kind), is_watched=kind in PARTS_WATCHED)
    yield from _facts_of("devices", specification.devices, is_watched=True)
    yield from _facts_of("programs", specification.programs, is_watched=True)


def _facts_of(
    kind: str, said: Sequence[_Thing] | None, *, is_watched: bool
) -> Iterator[tuple[str, _Fact]]:
    """Go through a list, a fact a thing; an empty or unknown list is one fact itself."""
    for key, each in _by_key(kind, sorted(said or (), key=_order)).items():
        seen = [_watched_of(each)] if is_watched else None
        yield key.replace(":", ".", 1), _Fact(words=", ".join(_words(each)), watched=seen)
    if said is None:
        yield kind, _Fact(words=UNKNOWN)
    elif not said:
        yield kind, _Fact(words=NOT_THERE, watched=[] if is_watched else None)


def _is_one_fact(field: str, old: Mapping[str, _Fact], new: Mapping[str, _Fact]) -> bool:
    """Say whether a field is told by itself: a list is, where it names nothing on either side."""
    return "." in field or field == "agent_version" or (field in old and field in new)


def _fact(field: str, facts: Mapping[str, _Fact], specification: Specification) -> _Fact:
    """Return a fact, or what is to be said where there is none."""
    kind = field.partition(".")[0]
    is_known = getattr(specification.machine, kind, ()) is not None
    return facts.get(field, _Fact(words=NOT_THERE if is_known else UNKNOWN))


def _words(said: _Thing) -> Iterator[str]:
    """Say of a thing what a person looks for; its name stands before it."""
    match said:
        case DeviceFound():
            yield f"{said.title}: {said.program}"
            yield from (f"also {program}" for program in said.also)
            return
        case ProgramFound():
            yield f"version {said.version or UNKNOWN}"
            yield f"SHA-256 {said.digest or UNKNOWN}"
        case Disk():
            yield _value("size_bytes", said.size_bytes)
        case Gpu():
            yield f"model {said.model or UNKNOWN}"
            yield f"memory {_value('memory_bytes', said.memory_bytes)}"
        case Display():
            yield _size(said.width_pixels, said.height_pixels, "pixels")
            yield _size(said.width_mm, said.height_mm, "mm")
        case _:
            pass
    yield "here" if said.is_here else "not seen now"


def _size(width: int | None, height: int | None, unit: str) -> str:
    return f"{width or UNKNOWN} x {height or UNKNOWN} {unit}"


def _value(name: str, value: object) -> str:
    """Say a fact, bytes both as a person reads them and exactly."""
    if value is None:
        return UNKNOWN
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{value / _GIB:.1f} GiB ({value:,} bytes)"
    return str(value)
