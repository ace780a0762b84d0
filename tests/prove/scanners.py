"""`./dev prove scanners`: real drivers in a virtual machine, and thirty held tickets of a kind.

A camera (v4l2loopback) in each layout it can give, a USB serial scanner and a keyboard that are
plugged in, pulled out and plugged in again; the agent's own code reads from each. Built once, the
machine is kept in the temporary folder. Without one, the pictures alone are counted.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from common.rules.scanners import ScannerHint, hint_of
from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.layouts import CALIBRATION_CODE
from edge_agent.scanners.lens import PixelFormat
from edge_agent.scanners.looking import measures_of
from tests.prove import scanners_guest
from tests.prove.counts import Counts
from tests.prove.scanners_machine import Machine, MachineIsMissing, a_machine
from tests.rim.camera_kit import laid_out, layout_of
from tests.rim.held import HELD, RIGHT_PART_MIN
from tests.rim.keyboard_kit import FRENCH
from tests.rim.scanner_kit import a_photograph, a_token

NAME: Final = "scanners"
SECONDS: Final = 3_600.0
"""It comes to an end by itself."""

OF_A_KIND: Final = 30
REOPENED_SECONDS_MAX: Final = 3.0

LOOPBACK_LAYOUTS: Final = (PixelFormat.GREY, PixelFormat.YUYV)
"""What this loopback can carry, of what we read."""

LOOK_SECONDS: Final = 0.3
LET_GO_LOOKS: Final = 60
"""Looks at whether the machine has let go of what was pulled out."""

_QCODES = {"-": "minus", ";": "semicolon"}
_BY_CODE = {
    **{2 + n: sign for n, sign in enumerate("1234567890-")},
    **{16 + n: sign for n, sign in enumerate("qwertyuiop")},
    **{30 + n: sign for n, sign in enumerate("asdfghjkl;")},
    **{44 + n: sign for n, sign in enumerate("zxcvbnm")},
}
_SERIAL = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_1-0000:00:03.0-1-if00-port0"
_KEYBOARD = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard_68284-0000:00:03.0-2-event-kbd"

Told = dict[str, Any]


async def prove(seconds: float, seed: int) -> Counts:
    """Judge the held tickets, then read from every kind of device."""
    told, violations = _judge(seed)
    try:
        async with asyncio.timeout(seconds):
            found = await _in_a_machine(seed)
    except (MachineIsMissing, TimeoutError) as fault:
        found = [(why := str(fault) or "the time was not enough", why)]
    told += [sentence for sentence, _ in found]
    violations = [*violations, *(broken for _, broken in found if broken)]
    return Counts(
        name=NAME,
        seed=seed,
        states=len(HELD),
        schedules=len(found),
        executions=len(HELD) * OF_A_KIND,
        violations=violations,
        variants=(),
        caught=(),
        told=told,
    )


def _judge(seed: int) -> tuple[list[str], list[str]]:
    """Count for each kind how often the hint is the right one, of those that are not read."""
    told, violations = [], []
    for kind, (hint, draw) in HELD.items():
        right = read = 0
        for number in range(seed, seed + OF_A_KIND):
            picture = draw(number)
            frame = Frame(width=picture.width, height=picture.height, pixels=picture.tobytes())
            if decode(frame, lambda: 0.0) is not None:
                read += 1
            else:
                right += hint_of(measures_of(frame)) is hint
        unread = OF_A_KIND - read
        told.append(f"{kind}: {right} of {unread} are told {hint.value}, {read} are read")
        if right < RIGHT_PART_MIN * unread:
            violations.append(f"{kind}: only {right} of {unread} are told {hint.value}")
    return told, violations


async def _in_a_machine(seed: int) -> list[tuple[str, str]]:
    """Return a sentence for each device, and what was wrong with it, if anything."""
    steps: Sequence[tuple[str, Callable[[Machine, int], Awaitable[str]]]] = (
        *((f"camera, {pixels}", _camera_of(pixels)) for pixels in LOOPBACK_LAYOUTS),
        ("serial", _serial),
        ("keyboard, AZERTY", _keyboard),
    )
    found = []
    with tempfile.TemporaryDirectory(prefix="rusuban-prove-") as name:
        project = Path(name)
        _write_project(project, seed)
        async with a_machine(project) as machine:
            await machine.does("modprobe v4l2loopback video_nr=10")
            for what, step in steps:
                try:
                    found.append((f"{what}: {await step(machine, seed)}", ""))
                except (TimeoutError, AssertionError, MachineIsMissing) as fault:
                    why = str(fault) or "a word did not come"
                    broken = f"{what}: {why}; {machine.lines[-4:]}"
                    found.append((broken, broken))
                await machine.does("kill $(jobs -p) 2>/dev/null; wait; true")
    return found


def _write_project(project: Path, seed: int) -> None:
    shutil.copy(str(scanners_guest.__file__), project / "scanners_guest.py")
    for pixels in LOOPBACK_LAYOUTS:
        layout = layout_of(pixels)
        picture = laid_out(a_photograph(a_token(seed), seed=seed), layout)
        (project / f"ticket.{pixels}").write_bytes(picture)


def _camera_of(pixels: PixelFormat) -> Callable[[Machine, int], Awaitable[str]]:
    async def camera(machine: Machine, seed: int) -> str:
        """A ticket is read; when no picture comes any more it is gone, and read when some do."""
        at = await _feed(machine, pixels, len(machine.told))
        await _watch(machine, "camera", "/dev/video10")
        at = await machine.hears("there", at)
        at = await machine.hears("read", at)
        assert machine.told[at]["text"] == a_token(seed)
        await machine.does("kill %?feed")
        gone = await machine.hears("gone", at)
        await _feed(machine, pixels, gone)
        there = await machine.hears("there", gone)
        again = await machine.hears("read", there)
        assert machine.told[again]["text"] == a_token(seed)
        return "read, gone without pictures, and read again"

    return camera


async def _serial(machine: Machine, seed: int) -> str:
    at = len(machine.told)
    await _watch(machine, "serial", _SERIAL)
    at = await machine.hears("gone", at)
    _heard, wire = await asyncio.open_unix_connection(machine.folder / "wire.sock")
    slowest = 0.0
    for number in range(3):
        always = {"always-plugged": True}
        await _plug_in(
            machine, driver="usb-serial", id="scanner", chardev="wire", port="1", **always
        )
        there = await machine.hears("there", at)
        slowest = max(slowest, _since_it_appeared(machine.told[: there + 1]))
        wire.write(f"{a_token(seed + number)}\r".encode())
        read = await machine.hears("read", there)
        assert machine.told[read]["text"] == a_token(seed + number)
        wire.write(b"RSB1HALF")
        await machine.asks("device_del", id="scanner")
        at = await machine.hears("gone", read)
    wire.close()
    assert slowest <= REOPENED_SECONDS_MAX, f"opened only after {slowest:.1f} s"
    return f"plugged in, read and pulled out 3 times; opened at most {slowest:.1f} s after it came"


async def _plug_in(machine: Machine, **device: str | bool) -> None:
    """Plug it in as soon as the machine has let go of what was there before."""
    for _ in range(LET_GO_LOOKS):
        try:
            await machine.asks("device_add", **device)
        except MachineIsMissing:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return
    raise MachineIsMissing(why=f"{device['driver']} is never let go of")


async def _keyboard(machine: Machine, seed: int) -> str:
    """A scanner set to AZERTY is no ticket, is calibrated, and is one; then it is pulled out."""
    at = len(machine.told)
    await _plug_in(machine, driver="usb-kbd", id="wedge", port="2")
    await _watch(machine, "keyboard", _KEYBOARD)
    at = await machine.hears("there", at)
    await _type(machine, CALIBRATION_CODE)
    at = await machine.hears("layout calibrated", at, 180)
    await _type(machine, a_token(seed))
    at = await machine.hears("read", at, 180)
    assert machine.told[at]["text"] == a_token(seed), machine.told[at]["text"]
    await machine.asks("device_del", id="wedge")
    at = await machine.hears("gone", at)
    await _plug_in(machine, driver="usb-kbd", id="wedge2", port="2")
    there = await machine.hears("there", at)
    slowest = _since_it_appeared(machine.told[: there + 1])
    assert slowest <= REOPENED_SECONDS_MAX, f"opened only after {slowest:.1f} s"
    return f"calibrated by one code, read, pulled out; opened {slowest:.1f} s after it came back"


def _since_it_appeared(told: Sequence[Told]) -> float:
    appeared = max(word["at"] for word in told if word["event"] == "appeared")
    return float(told[-1]["at"] - appeared)


async def _type(machine: Machine, text: str) -> None:
    for sign in (*text, "\n"):
        keys = ["ret"]
        if sign != "\n":
            qcode = _BY_CODE[FRENCH[sign]]
            keys = [_QCODES.get(qcode, qcode)]
            if sign != "-":
                keys = ["shift", *keys]
        pressed = [{"type": "qcode", "data": key} for key in keys]
        await machine.asks("send-key", keys=pressed, **{"hold-time": 20})
        await asyncio.sleep(0.1)


async def _watch(machine: Machine, kind: str, path: str) -> None:
    await machine.type(f"python3 tests/prove/scanners_guest.py {kind} {path} &")


async def _feed(machine: Machine, pixels: PixelFormat, at: int) -> int:
    """Have a ticket before the camera until it is taken away; return when it is there."""
    file = f"tests/prove/ticket.{pixels}"
    await machine.type(
        f"python3 tests/prove/scanners_guest.py feed /dev/video10 {pixels} {file} 600 &"
    )
    return await machine.hears("feeding", at)


assert ScannerHint.READS not in {hint for hint, _ in HELD.values()}
