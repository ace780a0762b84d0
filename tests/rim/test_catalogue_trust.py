"""Which program files are trusted: those that only root and the runner's user can exchange."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.runner.catalogue.trust import why_not_trusted


@pytest.fixture
def game(tmp_path: Path) -> Path:
    """Return a program in a folder of its own, as it should be."""
    folder = tmp_path / "opt"
    folder.mkdir(mode=0o755)
    file = folder / "game"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def others_may_write_it(game: Path) -> Path:
    game.chmod(0o757)
    return game


def others_may_write_its_folder(game: Path) -> Path:
    game.parent.chmod(0o757)
    return game


def a_group_may_write_a_folder_above(game: Path) -> Path:
    game.parent.chmod(0o775)
    os.chown(game.parent, -1, 12345) if os.geteuid() == 0 else game.parent.chmod(0o777)
    return game


def a_link_leads_where_others_write(game: Path) -> Path:
    elsewhere = game.parent.parent / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    (elsewhere / "game").write_bytes(game.read_bytes())
    (elsewhere / "game").chmod(0o755)
    link = game.parent / "link"
    link.symlink_to("../elsewhere/game")
    return link


def links_lead_in_a_circle(game: Path) -> Path:
    (game.parent / "one").symlink_to("two")
    (game.parent / "two").symlink_to("one")
    return game.parent / "one"


def it_is_a_folder(game: Path) -> Path:
    return game.parent


def it_is_not_to_be_executed(game: Path) -> Path:
    game.chmod(0o644)
    return game


def it_would_run_as_somebody_else(game: Path) -> Path:
    game.chmod(0o4755)
    return game


def it_is_not_there(game: Path) -> Path:
    return game.parent / "nothing"


TRICKS: dict[Callable[[Path], Path], str] = {
    others_may_write_it: "can be changed by others",
    others_may_write_its_folder: "can be changed by others",
    a_group_may_write_a_folder_above: "can be changed by others",
    a_link_leads_where_others_write: "elsewhere can be changed by others",
    links_lead_in_a_circle: "leads through more than 40 links",
    it_is_a_folder: "is not a plain file",
    it_is_not_to_be_executed: "is not to be executed",
    it_would_run_as_somebody_else: "would run as somebody else",
    it_is_not_there: "No such file",
}


def test_a_program_that_only_we_can_change_is_trusted(game: Path):
    assert why_not_trusted(game, os.geteuid()) is None
    (game.parent / "link").symlink_to(game)
    assert why_not_trusted(game.parent / "link", os.geteuid()) is None
    assert why_not_trusted(Path("/bin/sh"), os.geteuid()) is None


@pytest.mark.parametrize("trick", TRICKS)
def test_a_program_that_others_could_have_exchanged_is_not(
    game: Path, trick: Callable[[Path], Path]
):
    assert TRICKS[trick] in str(why_not_trusted(trick(game), os.geteuid()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("part", ["game", "its folder", "a link to it"])
def test_what_belongs_to_another_user_is_not_trusted(game: Path, part: str):
    link = game.parent / "link"
    link.symlink_to(game)
    others = {"game": game, "its folder": game.parent, "a link to it": link}
    os.chown(others[part], 12345, -1, follow_symlinks=False)
    assert "belongs to another user" in str(why_not_trusted(link, 0))
