"""Imports only go down: the contracts in pyproject.toml hold, and each is shown to work."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.places import LAYERS

HOUSE = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}

BREACHES = {
    "two-programs": {"cloud_controller/courier.py": "import edge_agent.ports"},
    "common-layers": {"common/messages/rights.py": "import common.rules.rights"},
    "controller-layers": {"cloud_controller/flows/rights.py": "import cloud_controller.storage"},
    "agent-layers": {"edge_agent/ports.py": "import edge_agent.flows.sessions"},
    "flows-apart": {"cloud_controller/flows/rights.py": "import cloud_controller.flows.sessions"},
    "rules-apart": {"common/rules/rights.py": "import common.rules.sessions"},
    "messages-apart": {"common/messages/rights.py": "import common.messages.sessions"},
    "pure-core": {"common/rules/rights.py": "import time"},
    "flows-through-ports": {"edge_agent/flows/sessions.py": "import common.system"},
    "one-paho": {"cloud_controller/listener.py": "import paho.mqtt"},
    "one-sql": {"cloud_controller/timers.py": "import sqlite3"},
    "one-qr-reader": {"edge_agent/display.py": "import zxingcpp"},
    "one-qr-writer": {"cloud_controller/web/app.py": "import qrcode"},
    "one-mail": {"cloud_controller/courier.py": "import smtplib"},
    "one-paper": {"cloud_controller/web/app.py": "import reportlab"},
    "two-tuf": {"cloud_controller/listener.py": "import tuf"},
    "two-psutil": {"edge_agent/watchdog.py": "import psutil"},
    "no-circles": {
        "cloud_controller/web/app.py": "import cloud_controller.web.guard",
        "cloud_controller/web/guard.py": "import cloud_controller.web.app",
    },
}

SMALL_HOUSE = (
    *(
        f"{layer}/__init__.py"
        for layer in LAYERS
        if not layer.startswith("tests") and not layer.endswith("/queries")
    ),
    *("common/codec.py", "common/errors.py", "common/ids.py", "common/machine.py"),
    *("common/seals.py", "common/topics.py", "common/channels.py"),
    *("common/logs.py", "common/mqtt.py", "common/system.py"),
    *("common/messages/rights.py", "common/messages/sessions.py"),
    *("common/rules/rights.py", "common/rules/sessions.py"),
    *("cloud_controller/flows/rights.py", "cloud_controller/flows/sessions.py"),
    *("cloud_controller/ports.py", "edge_agent/ports.py", "edge_agent/flows/sessions.py"),
)


def test_imports_only_go_down_in_the_house():
    assert broken(HOUSE) == set()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_breach_of_each_contract_is_caught(tmp_path: Path, contract: str):
    build(tmp_path, BREACHES[contract])
    assert contract in broken(tmp_path)


def test_a_small_house_without_a_breach_breaks_nothing(tmp_path: Path):
    build(tmp_path, {})
    assert broken(tmp_path) == set()


def test_a_file_without_a_place_is_caught(tmp_path: Path):
    build(tmp_path, {"common/tools.py": ""})
    assert "common-layers" in broken(tmp_path)


def build(root: Path, files: dict[str, str]) -> None:
    """Write a small house with its contracts, and the files that break them."""
    shutil.copy(HOUSE / "pyproject.toml", root)
    for path in (*SMALL_HOUSE, *files):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files.get(path, "") + "\n")


def broken(root: Path) -> set[str]:
    """Return the contracts that do not hold in a tree."""
    told = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {id_ for id_, name in CONTRACTS.items() if f"{name} BROKEN" in told.stdout}
    assert bool(found) == bool(told.returncode), told.stdout + told.stderr
    return found
