"""A person asks beside a running controller why a terminal carries what it carries."""

from __future__ import annotations

import subprocess

from cloud_controller.main import EXIT_CANNOT_START
from tests.demo.world import SCRIPTS, World
from tests.e2e.worlds import a_world


def explain(world: World, terminal: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    command = [str(SCRIPTS / "cloud-controller"), "explain", terminal]
    settings = ["--settings", str(world.folder / "controller.toml")]
    return subprocess.run([*command, *settings], capture_output=True, text=True, check=False)


def test_what_a_terminal_would_be_allowed_is_explained_while_it_waits_for_its_operator():
    with a_world(policy="manual") as world:
        world.add_terminal()

        def waiting() -> str | None:
            known = world.operator("GET", "/api/v1/terminals")["terminals"]
            names = [each["terminal"] for each in known if each["standing"] == "pending"]
            return names[0] if names else None

        terminal = world.wait_for("a terminal that waits", waiting)
        told = explain(world, terminal)
        assert (told.returncode, told.stderr) == (0, "")
        lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
        assert lines[1] == "pending: an operator has to look at the specification"
        assert "in racer nothing is asked of it" in lines
        assert lines[-2:] == ["What confirming it would allow", "in booth-1 Booth 1 racer"]
        assert world.api("GET", "/readyz")["parts"] == {"books": True, "broker": True}

        stranger = explain(world, "t-nobody")
        assert stranger.returncode == EXIT_CANNOT_START
        assert stranger.stderr == "There is no such terminal.\n"
