"""Packages in a world of real processes: published by the operator, needed by a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping

from typer.testing import CliRunner

from cloud_controller.main import command_line as controller_commands
from tests.demo.terminal import Terminal
from tests.demo.world import World


def controller_does(world: World, *words: str) -> str:
    """Return what a command of the controller prints, beside the one that serves."""
    settings = ["--settings", str(world.folder / "controller.toml")]
    said = CliRunner().invoke(controller_commands, [*words, *settings])
    assert said.exit_code == 0, said.output
    return said.stdout


def begin_packages(world: World) -> None:
    controller_does(world, "modules", "init-keys", "--to", str(world.folder / "stick"))


def publish(
    world: World,
    package: str,
    version: str,
    *,
    kind: str,
    files: Mapping[str, bytes],
    terms: str = "",
) -> str:
    """Publish a release by the operator's command, with more terms; return what that says."""
    source = world.folder / f"{package}-{version}"
    for name, content in files.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if name.startswith("bin/") else 0o644)
    description = world.folder / f"{package}-{version}.toml"
    description.write_text(
        f'package = "{package}"\nkind = "{kind}"\nversion = "{version}"\n'
        f'folder = "{source.name}"\ntitle = "{package}"\n{terms}',
        "utf-8",
    )
    stick = str(world.folder / "stick")
    return controller_does(world, "modules", "publish", str(description), "--keys", stick)


def needs_packages(world: World, terminal: Terminal, *modules: str) -> None:
    """Have the terminal's program come from a package, and need these modules."""
    catalogue = terminal.folder / "catalogue.toml"
    catalogue.write_text(
        '[programs.racer]\nargv = ["{package}/bin/racer"]\n'
        f'package = "racer"\nmodules = {json.dumps(modules)}\n',
        "utf-8",
    )
    (root,) = (world.folder / "controller" / "packages" / "metadata").glob("1.root.json")
    with terminal.settings.open("a", encoding="utf-8") as settings:
        settings.write(f'\n[modules]\nroot = "{root}"\nask_each_seconds = 1\n')
