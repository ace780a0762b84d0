"""A chain's opening day: PCs that have a code and are not registered yet, programs for them."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_controller import listener
from cloud_controller.flows import enrolment, registration, service
from cloud_controller.flows.enrolment import Asking, Enrolled, Given
from cloud_controller.ports import Received, Transaction
from common.messages.base import Message
from common.messages.service import Level, OfferingDraft, Program, Requirements, ServiceRequest
from common.messages.specification import (
    DeviceFound,
    Disk,
    Display,
    Gpu,
    MachineFound,
    Part,
    ProgramFound,
    Specification,
)
from common.rules.registration import Policy
from common.rules.service import GIB
from common.rules.specification import new_specification
from common.seals import digest_of
from common.topics import Channel
from tests.bench.books import FILE, books_in
from tests.bench.by_statements import GROUP, Script, ear_in
from tests.fakes.store import GIVEN, SHINJUKU, a_new_store

A_PC = MachineFound(
    vendor="Maker",
    model="Tower 5",
    system="Debian GNU/Linux 12 (bookworm)",
    architecture="x86_64",
    processor="Sixteen Core Processor",
    cores=16,
    memory_bytes=32 * GIB,
    disks=(Disk(name="SSD 980", size_bytes=2**40), Disk(name="SSD 990", size_bytes=2**41)),
    gpus=(Gpu(name="10de:2684", model="GeForce RTX 4090", memory_bytes=24 * GIB),),
    displays=(
        Display(name="DP-1", width_pixels=3840, height_pixels=2160, width_mm=600, height_mm=340),
        Display(name="HDMI-A-1", width_pixels=1920, height_pixels=1080),
    ),
    cameras=(Part(name="Front camera"),),
    scanners=(Part(name="Counter scanner"),),
    interfaces=(Part(name="enp3s0"), Part(name="wlp4s0")),
)
"""What a PC in a store is like; what tells one from another is added."""


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """A PC with a good code, and what it is going to say that it is."""

    asking: Asking
    specification: Specification

    def says(self, enrolled: Enrolled, message: Message) -> Received:
        """Return a message of it as the controller's listener has read it."""
        return Received(
            terminal=enrolled.terminal, epoch=enrolled.epoch, seq=0, corr="c-1", message=message
        )

    @property
    def request(self) -> ServiceRequest:
        return ServiceRequest(gate_digest=self.specification.gate_digest)


@dataclass(frozen=True, kw_only=True)
class Newcomers:
    """Books in a folder, and who is about to be registered there."""

    folder: Path
    each: tuple[Newcomer, ...]


async def newcomers_in(
    folder: Path, known: Sequence[Program], specifications: Sequence[Specification]
) -> Newcomers:
    """Prepare a store that confirms by itself, its programs and a code for each PC."""
    books = books_in(folder)
    await books.open()
    try:
        await books.transact(registration.add_store, a_new_store(SHINJUKU, Policy.AUTOMATIC))
        for program in known:
            await books.transact(service.keep_program, program)
        codes = [
            await books.transact(enrolment.make_code, SHINJUKU, "an operator")
            for _ in specifications
        ]
    finally:
        await books.close()
    each = map(_newcomer, itertools.count(), codes, specifications)
    return Newcomers(folder=folder, each=tuple(each))


def enrol(books: Transaction, newcomer: Newcomer, given: Given = GIVEN) -> Enrolled:
    """Give a PC its identity."""
    enrolled = enrolment.enrol(books, newcomer.asking, given)
    assert isinstance(enrolled, Enrolled)
    return enrolled


def specify(books: Transaction, newcomer: Newcomer, enrolled: Enrolled) -> None:
    """Take its specification as the controller's listener has it taken; it is confirmed at once."""
    said = newcomer.says(enrolled, newcomer.specification)
    listener._admit(books, said, Channel.SPECIFICATION, registration.specify)


def ask(books: Transaction, newcomer: Newcomer, enrolled: Enrolled) -> None:
    """Take its request for service as the controller's listener has it taken."""
    said = newcomer.says(enrolled, newcomer.request)
    listener._admit(books, said, Channel.REQUESTS, service.give)


def recorded(newcomers: Newcomers) -> Script:
    """Return what registering says to the database: of 32 the first step, the second, the third."""
    with ear_in(newcomers.folder) as ear:
        for first in range(0, len(newcomers.each), GROUP):
            group = newcomers.each[first : first + GROUP]
            enrolled = [ear.do(enrol, each) for each in group]
            for step in (specify, ask):
                for each, identity in zip(group, enrolled, strict=True):
                    ear.do(step, each, identity)
        return ear.script


def registered_in(folder: Path) -> tuple[int, ...]:
    """Count codes spent, terminals confirmed, profiles and device numbers: as many as came."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        return tuple(int(connection.execute(query).fetchone()[0]) for query in _COUNTS)


_COUNTS = (
    "SELECT count(*) FROM enrolment_codes WHERE spent_at IS NOT NULL",
    "SELECT count(*) FROM terminals WHERE standing = 'confirmed' AND broker_role = 'service'",
    "SELECT count(*) FROM profiles AS p JOIN terminals USING (terminal_id, gate_digest)",
    "SELECT count(DISTINCT number) FROM devices",
)


def a_program(number: int) -> Program:
    """Return a program that asks something of a PC, in three levels; A_PC has the second."""
    asked = Requirements(
        architectures=("x86_64",), cores_min=4, memory_bytes_min=8 * GIB, needs_gpu=True
    )
    levels = tuple(
        Level(
            level=level,
            requires=Requirements(gpu_memory_bytes_min=memory * GIB, display_width_min=width),
            settings={"quality": level, "shadows": True, "frames": 90},
        )
        for level, memory, width in (("ultra", 32, 3840), ("high", 16, 2560), ("low", 4, 1280))
    )
    name = f"program-{number}"
    draft = OfferingDraft(key=name, title=f"Program {number}", price_cents=1500)
    return Program(
        program=name, requires=asked, levels=levels, modules=(f"module-{number}",), offering=draft
    )


def a_pc(number: int, carries: Sequence[Program], devices: int, also: int) -> Specification:
    """Return what the PC of this number is.

    Each of its devices has a program of its own and may carry so many of the others.
    """
    evidence = {"serial": f"S-{number:06}", "machine_id": f"{number:032x}"}
    names = [each.program for each in carries]
    return new_specification(
        agent_version="0.1.0",
        machine=A_PC.model_copy(update={"hostname": f"pc-{number}", **evidence}),
        devices=[
            DeviceFound(
                key=f"booth-{nth}",
                title=f"Booth {nth}",
                program=names[nth],
                also=tuple(names[nth + 1 : nth + 1 + also]),
            )
            for nth in range(devices)
        ],
        programs=[
            ProgramFound(program=name, version="1.4.2", digest=digest_of({"program": name}))
            for name in names
        ],
    )


def _newcomer(number: int, code: str, specification: Specification) -> Newcomer:
    asking = Asking(code=code, public_key=f"{number:064x}", hostname=f"pc-{number}")
    return Newcomer(asking=asking, specification=specification)
