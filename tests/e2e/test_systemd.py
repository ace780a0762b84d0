"""The units, as systemd sees them: understood, as closed as stated, and never giving up."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from edge_agent.settings.display import DISPLAY_PORT

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "systemd"
CONTROLLER, AGENT, RUNNER = "cloud-controller", "edge-agent", "edge-agent-runner"
SCREEN = "edge-agent-display"
UNITS = [CONTROLLER, AGENT, RUNNER]
PROGRAMS = "opt/rusuban/.venv/bin"
ANALYZE_SECONDS = 20
EXPOSURE_MAX = 2.0
REST_SECONDS_MIN = 10


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the root of a machine that has the units, the programs they start and nothing else."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in (*UNITS, SCREEN):
        shutil.copy(FOLDER / f"{unit}.service", units)
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/cage").touch(mode=0o755)
    (tmp_path / PROGRAMS).mkdir(parents=True)
    for program in installed_programs():
        (tmp_path / PROGRAMS / program).touch(mode=0o755)
    return tmp_path


def installed_programs() -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return set(project["project"]["scripts"])


def settings_of(unit: str) -> dict[str, list[str]]:
    """Return what the unit's file sets: each key with all its values."""
    settings = defaultdict(list)
    for line in (FOLDER / f"{unit}.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings[key].append(value)
    return settings


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        capture_output=True,
        text=True,
        timeout=ANALYZE_SECONDS,
        check=False,
    )


def complaints(machine: Path, unit: str) -> str:
    """Return what systemd finds wrong with the unit: it may warn and still exit with 0."""
    verdict = analyze(
        "verify", "--man=no", "--recursive-errors=no", f"--root={machine}", f"{unit}.service"
    )
    return verdict.stderr or f"exit code {verdict.returncode}" * verdict.returncode


def exposure(unit: str) -> float:
    words = analyze("security", "--offline=true", FOLDER / f"{unit}.service").stdout
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d)", words)
    assert found, words
    return float(found[1])


@pytest.mark.parametrize("unit", [*UNITS, SCREEN])
def test_systemd_understands_each_unit_without_complaint(machine: Path, unit: str):
    assert complaints(machine, unit) == ""


@pytest.mark.parametrize("line", ["ProtectSytem=strict", "WatchdogSec=soon", "Restart=maybe"])
def test_a_slip_in_a_unit_would_be_noticed(machine: Path, line: str):
    file = machine / f"etc/systemd/system/{AGENT}.service"
    file.write_text(file.read_text().replace("[Install]", f"[Service]\n{line}\n\n[Install]"))
    assert f"{AGENT}.service:" in complaints(machine, AGENT)


def test_a_unit_whose_program_is_missing_would_be_noticed(machine: Path):
    (machine / PROGRAMS / "edge-agent").unlink()
    assert "edge-agent" in complaints(machine, AGENT)


@pytest.mark.parametrize("unit", [CONTROLLER, AGENT])
def test_a_unit_that_faces_the_network_can_do_little_else(unit: str):
    assert exposure(unit) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", [*UNITS, SCREEN])
def test_the_notes_state_the_true_exposure_of_each_unit(unit: str):
    notes = (FOLDER / "README.md").read_text()
    row = re.search(rf"^\| `{unit}\.service` \|.*?\| (\d\.\d) \|", notes, re.MULTILINE)
    assert row
    assert float(row[1]) == exposure(unit)


@pytest.mark.parametrize("unit", [*UNITS, SCREEN])
def test_each_unit_is_started_again_for_ever(unit: str):
    settings = settings_of(unit)
    assert settings["Restart"] == ["always"]
    assert settings["StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_says_itself_that_it_is_ready_and_alive(unit: str):
    settings = settings_of(unit)
    assert settings["Type"] == ["notify"]
    assert settings["NotifyAccess"] == ["main"]
    assert int(settings["WatchdogSec"][0].removesuffix("s")) / 2 >= REST_SECONDS_MIN


@pytest.mark.parametrize("unit", [*UNITS, SCREEN])
def test_each_unit_has_a_user_and_folders_of_its_own_name(unit: str):
    settings = settings_of(unit)
    assert {key: settings[key] for key in ("User", "Group", "StateDirectory")} == {
        "User": [unit],
        "Group": [unit],
        "StateDirectory": [unit],
    }
    assert re.search(rf"^u {unit} ", (FOLDER / "sysusers.conf").read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_starts_a_program_that_the_project_installs(unit: str):
    program, *arguments = shlex.split(settings_of(unit)["ExecStart"][0])
    assert Path(program).parent == Path("/") / PROGRAMS
    assert Path(program).name in installed_programs()
    assert arguments[1:] == ["--settings", f"/etc/rusuban/{Path(program).name}.toml"]


def test_the_controller_may_make_the_call_without_which_no_broker_starts():
    *_, last = settings_of(CONTROLLER)["SystemCallFilter"]
    assert last == "capset"  # what is said later wins; setpriv ends where it is refused


def test_the_end_of_the_runner_ends_no_program():
    settings = settings_of(RUNNER)
    assert settings["KillMode"] == ["process"]
    assert settings["OOMPolicy"] == ["continue"]


def test_the_runner_may_give_each_program_a_group_of_its_own():
    settings = settings_of(RUNNER)
    assert settings["Delegate"] == ["yes"]
    assert "ProtectControlGroups" not in settings  # it would make the tree read-only


def test_neither_agent_nor_runner_takes_the_other_along():
    assert settings_of(AGENT)["Wants"] == [f"{RUNNER}.service"]
    binding = {"Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts"}
    for unit in (AGENT, RUNNER):
        assert not binding & settings_of(unit).keys()


def test_a_customers_program_cannot_be_the_agent():
    assert settings_of(AGENT)["User"] != settings_of(RUNNER)["User"]
    assert settings_of(AGENT)["SupplementaryGroups"] == settings_of(RUNNER)["Group"]


def test_the_screen_shows_the_page_that_the_agent_serves_and_looks_up_no_name():
    shown = f"RUSUBAN_SCREEN=http://127.0.0.1:{DISPLAY_PORT}/"
    assert settings_of(SCREEN)["Environment"] == [shown]
    command = (FOLDER / f"{SCREEN}.service").read_text()
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" in command
    assert "--no-sandbox" not in command
