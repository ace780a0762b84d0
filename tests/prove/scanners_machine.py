"""A virtual machine with real drivers: built once, then started, and plugged into by QMP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from common.errors import RusubanError

NEEDED: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
}
"""Programs, and the Debian packages they are in."""

INSIDE: Final = (
    "systemd-sysv,udev,dbus,kmod,python3,libzbar0,linux-image-amd64,initramfs-tools,zstd,"
    "linux-headers-amd64,v4l2loopback-dkms,python3-evdev"
)
"""Packages of the machine: the full kernel, since the small one has no v4l2loopback."""

OF_THE_VENV: Final = (
    *("PIL", "pillow.libs", "pyzbar", "zxingcpp", "structlog", "pydantic", "pydantic_core"),
    *("pydantic_settings", "annotated_types", "typing_inspection", "typing_extensions.py"),
    *("cryptography", "cffi", "linuxpy", "serial", "asyncinotify", "dotenv", "paho", "aiosql"),
    *("aiohttp", "multidict", "yarl", "propcache", "frozenlist", "aiosignal", "attr", "attrs"),
    *("aiohappyeyeballs", "jinja2", "markupsafe", "idna"),
)

BUILD_SECONDS_MAX: Final = 900.0
BOOT_SECONDS_MAX: Final = 300.0
SAID_SECONDS_MAX: Final = 150.0
"""Seconds; without hardware virtualisation everything inside takes ten times as long."""

_GETTY = "[Service]\\nExecStart=\\nExecStart=-/sbin/agetty -a root --keep-baud 115200 %%I dumb\\n"


class MachineIsMissing(RusubanError):
    """No virtual machine can be had here: {why}."""


def missing_programs() -> list[str]:
    """Return the Debian packages that would have to be installed."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [package for name, package in NEEDED.items() if shutil.which(name, path=path) is None]


class Machine:
    """A machine that runs; what it says on its console comes line by line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._console: asyncio.StreamWriter | None = None
        self._qmp: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._came = asyncio.Event()

    async def type(self, line: str) -> None:
        """Type a line at the machine's prompt."""
        assert self._console is not None
        self._console.write(f"{line}\n".encode())
        await self._console.drain()

    async def does(self, line: str) -> None:
        """Type a line and return when it is done.

        Raises:
            MachineIsMissing: it failed, or took too long.
        """
        mark = f"did-{len(self.lines)}-{time.monotonic_ns()}"
        await self.type(f"{line}; echo {mark[:4]}''{mark[4:]}=$?")
        said = await self._line_with(mark, SAID_SECONDS_MAX)
        if not said.strip().endswith("=0"):
            raise MachineIsMissing(why=f"{line}: {said} after {self.lines[-5:]}")

    async def asks(self, command: str, **words: Any) -> Any:
        """Say a QMP command and return its answer."""
        assert self._qmp is not None
        heard, say = self._qmp
        say.write(json.dumps({"execute": command, "arguments": words}).encode() + b"\n")
        while True:
            answer = json.loads(await heard.readline())
            if "error" in answer:
                raise MachineIsMissing(why=f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    async def hears(self, event: str, after: int, seconds: float = SAID_SECONDS_MAX) -> int:
        """Return the place of the next such word of the guest at or after a place.

        Raises:
            TimeoutError: it did not come.
        """
        async with asyncio.timeout(seconds):
            while True:
                for place, told in enumerate(self.told[after:], after):
                    if told["event"] == event:
                        return place
                self._came.clear()
                await self._came.wait()

    async def _line_with(self, text: str, seconds: float) -> str:
        async with asyncio.timeout(seconds):
            at = 0
            while True:
                for line in self.lines[at:]:
                    at += 1
                    if text in line:
                        return line
                self._came.clear()
                await self._came.wait()

    async def listen(self) -> None:
        """Connect to the console and the machine's monitor, and hear what comes."""
        reader, self._console = await _connected(self.folder / "console.sock")
        self._qmp = await _connected(self.folder / "qmp.sock")
        await self._qmp[0].readline()
        await self.asks("qmp_capabilities")
        self._hearing = asyncio.create_task(self._hear(reader))

    async def is_up(self) -> None:
        """Return when a person could type at its prompt."""
        async with asyncio.timeout(BOOT_SECONDS_MAX):
            while True:
                with suppress(TimeoutError):
                    await self.type("echo up''-and-running")
                    await self._line_with("up-and-running", 3.0)
                    return

    async def stop(self) -> None:
        """Hear no more."""
        self._hearing.cancel()
        assert self._console is not None
        assert self._qmp is not None
        for writer in (self._console, self._qmp[1]):
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while raw := await reader.readline():
            line = raw.decode("utf-8", "replace").rstrip()
            self.lines.append(line)
            _, is_told, body = line.partition("TOLD ")
            with suppress(ValueError):
                if is_told:
                    self.told.append(json.loads(body))
            self._came.set()


@asynccontextmanager
async def a_machine(project: Path) -> AsyncIterator[Machine]:
    """Build the machine if there is none yet, start it with the project in it, end it after.

    Raises:
        MachineIsMissing: a program is not here, or what was built does not start.
    """
    if missing := missing_programs():
        raise MachineIsMissing(why=f"apt-get install --no-install-recommends {' '.join(missing)}")
    kept = Path(tempfile.gettempdir()) / f"rusuban-machine-{os.getuid()}"
    await _build(kept)
    with tempfile.TemporaryDirectory(prefix="rusuban-vm-") as name:
        folder = Path(name)
        await _run(
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            "raw",
            "-b",
            str(kept / "vm.img"),
            str(folder / "vm.qcow2"),
        )
        await _image_of(project, folder)
        process = await asyncio.create_subprocess_exec(*_command(kept, folder))
        machine = Machine(folder)
        try:
            await machine.listen()
            await machine.is_up()
            await machine.does("mkdir -p /mnt/p && mount -o ro /dev/vdb /mnt/p && cd /mnt/p")
            yield machine
            await machine.stop()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _build(kept: Path) -> None:
    """Build the machine's disk; an interrupted one is begun anew."""
    if not _begin(kept):
        return
    drop_in = "etc/systemd/system/serial-getty@ttyS0.service.d"
    print("building a virtual machine, once: some two minutes …", file=sys.stderr, flush=True)
    await _run(
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={INSIDE}"),
        '--customize-hook=chroot "$1" passwd -d root',
        f'--customize-hook=mkdir -p "$1/{drop_in}"; printf "{_GETTY}" > "$1/{drop_in}/a.conf"',
        *("bookworm", str(kept / "tree")),
        seconds=BUILD_SECONDS_MAX,
    )
    disk = kept / "vm.img.part"
    await _run("truncate", "-s", "2500M", str(disk))
    await _run("mkfs.ext4", "-q", "-d", str(kept / "tree"), str(disk), seconds=BUILD_SECONDS_MAX)
    _end(kept, disk)


def _begin(kept: Path) -> bool:
    """Say whether there is something to build, and make room for it."""
    if (kept / "vm.img").exists():
        return False
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    return True


def _end(kept: Path, disk: Path) -> None:
    for found, to in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd")):
        shutil.copy(next((kept / "tree/boot").glob(found)), kept / to)
    shutil.rmtree(kept / "tree")
    disk.rename(kept / "vm.img")


async def _image_of(project: Path, folder: Path) -> None:
    """Make a disk of the project and of what it needs from our environment."""
    tree = folder / "project"
    _copy(project, tree)
    await _run("truncate", "-s", "300M", str(folder / "project.img"))
    await _run("mkfs.ext4", "-q", "-d", str(tree), str(folder / "project.img"))
    shutil.rmtree(tree)


def _copy(project: Path, tree: Path) -> None:
    site, root = Path(sysconfig.get_paths()["purelib"]), Path(__file__).parents[2]
    for part in ("common", "edge_agent"):
        shutil.copytree(root / part, tree / part)
    shutil.copytree(project, tree / "tests/prove")
    for name in OF_THE_VENV:
        if (site / name).is_dir():
            shutil.copytree(site / name, tree / "site" / name)
        elif (site / name).exists():
            shutil.copy(site / name, tree / "site" / name)
    for file in site.glob("_cffi_backend*"):
        shutil.copy(file, tree / "site" / file.name)


def _command(kept: Path, folder: Path) -> Sequence[str]:
    return [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024"),
        *("-smp", "2", "-display", "none", "-no-reboot", "-nic", "none"),
        *("-kernel", str(kept / "vmlinuz"), "-initrd", str(kept / "initrd")),
        *("-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0"),
        *("-drive", f"file={folder / 'vm.qcow2'},if=virtio"),
        *("-drive", f"file={folder / 'project.img'},if=virtio,format=raw,readonly=on"),
        *("-device", "qemu-xhci,id=x"),
        *("-serial", f"unix:{folder / 'console.sock'},server=on,wait=off"),
        *("-chardev", f"socket,id=wire,path={folder / 'wire.sock'},server=on,wait=off"),
        *("-qmp", f"unix:{folder / 'qmp.sock'},server=on,wait=off"),
    ]


async def _run(*words: str, seconds: float = SAID_SECONDS_MAX) -> None:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise MachineIsMissing(why=f"{words[0]} took more than {seconds:g} s") from None
    if process.returncode:
        raise MachineIsMissing(why=f"{words[0]}: {said.decode(errors='replace')[-500:]}")


async def _connected(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(SAID_SECONDS_MAX):
        while True:
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return await asyncio.open_unix_connection(path, limit=1 << 20)
            await asyncio.sleep(0.05)
