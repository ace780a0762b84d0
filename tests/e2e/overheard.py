"""A broker with one ear more: mosquitto as the controller starts it, and all that crosses it.

As a program it lets the ear in, who may hear everything and say nothing, and becomes mosquitto.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cloud_controller.broker.child import SYSTEM_FOLDERS
from cloud_controller.broker.security import ITERATIONS, SALT_BYTES, hash_secret
from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings, RetrySettings

EAR: Final = "ear"
SECRET: Final = "it hears everything"  # noqa: S105 - for one test's broker
LOOK_SECONDS: Final = 0.02

_AT_ONCE = RetrySettings(
    shortest_seconds=0.02, longest_seconds=0.1, refused_seconds=0.1, taken_over_seconds=(1.0, 2.0)
)


def broker_program(folder: Path) -> Path:
    """Return a program for the controller to start as its broker."""
    program = folder / "overheard-mosquitto"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n', "utf-8")
    program.chmod(0o755)
    return program


@contextmanager
def ear_at(world: Path) -> Iterator[list[Delivery]]:
    """Hear all that crosses the broker of the world that is made in this folder, once it is."""
    heard: list[Delivery] = []
    leave = threading.Event()
    listening = threading.Thread(target=lambda: asyncio.run(_listen(world, heard, leave)))
    listening.start()
    try:
        yield heard
    finally:
        leave.set()
        listening.join()


async def _listen(world: Path, heard: list[Delivery], leave: threading.Event) -> None:
    port = await _port_in(world, leave)
    if port is None:
        return

    def hear(delivery: Delivery) -> None:
        heard.append(delivery)
        if delivery.qos:
            link.acknowledge(delivery)

    def come(_: bool) -> None:  # noqa: FBT001 - the link calls it so
        link.subscribe(["#"])

    def tell(where: str, fault: BaseException) -> None:
        sys.stderr.write(f"{where}: {fault!r}\n")

    link = Link(
        LinkSettings(host="127.0.0.1", port=port, name=EAR, password=SECRET, retry=_AT_ONCE),
        LinkCallbacks(on_message=hear, on_connected=come),
        random=random.random,
        report=tell,
    )
    await link.start()
    while not leave.is_set():  # noqa: ASYNC110 - it is set by another thread
        await asyncio.sleep(LOOK_SECONDS)
    await link.stop()


async def _port_in(world: Path, leave: threading.Event) -> int | None:
    while not leave.is_set():
        if (port := _told_port(world)) is not None:
            return port
        await asyncio.sleep(LOOK_SECONDS)
    return None


def _told_port(world: Path) -> int | None:
    told = [each.read_text("utf-8") for each in world.glob("*/controller/broker/mosquitto.conf")]
    found = re.match(r"listener (\d+) ", "".join(told))
    return None if found is None else int(found[1])


def _let_in(settings: Path) -> None:
    """Let the ear in: it may hear all, and say nothing."""
    found = re.search(r"^plugin_opt_config_file (.+)$", settings.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    file = Path(found[1])
    known = json.loads(file.read_text("utf-8"))
    heard = ("publishClientReceive", "subscribePattern", "unsubscribePattern")
    rights = [{"acltype": what, "topic": "#", "allow": True} for what in heard]
    known["roles"].append({"rolename": EAR, "acls": rights})
    salt = bytes(SALT_BYTES)
    known["clients"].append(
        {
            "username": EAR,
            "clientid": EAR,
            "password": base64.b64encode(hash_secret(SECRET.encode(), salt)).decode(),
            "salt": base64.b64encode(salt).decode(),
            "iterations": ITERATIONS,
            "roles": [{"rolename": EAR}],
        }
    )
    file.write_text(json.dumps(known), "utf-8")


if __name__ == "__main__":
    _let_in(Path(sys.argv[sys.argv.index("-c") + 1]))
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS))
    mosquitto = shutil.which("mosquitto", path=path)
    assert mosquitto is not None
    os.execv(mosquitto, [mosquitto, *sys.argv[1:]])  # noqa: S606 - it becomes the broker itself
