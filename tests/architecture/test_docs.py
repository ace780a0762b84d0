"""The documents say what the code says, and each check is shown to find what is missing."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from common.machine import Machine
from tests.architecture import docs

HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"

TOLD: dict[str, tuple[Callable[[], set[str]], str]] = {
    "topics": (docs.topics, "mqtt.md"),
    "settings": (docs.settings, "operations.md"),
    "commands": (docs.commands, "operations.md"),
    "reasons": (docs.closed_words, "glossary.md"),
}


@pytest.mark.parametrize(("words", "page"), TOLD.values(), ids=TOLD)
def test_the_page_tells_all_of_it(words: Callable[[], set[str]], page: str):
    assert not docs.untold(words(), (DOCS / page).read_text())


@pytest.mark.parametrize(("words", "_page"), TOLD.values(), ids=TOLD)
def test_a_page_that_leaves_one_out_is_caught(words: Callable[[], set[str]], _page: str):
    told = sorted(words())
    assert told, "nothing was found in the code"
    for left_out in told:
        page = "\n".join(f"| `{word}` | … |" for word in told if word != left_out)
        assert docs.untold(told, page) == {left_out}
    assert docs.untold(told, " ".join(told)) == set(told)


def test_a_page_may_say_more_than_the_bare_word():
    page = "`rusuban/v1/{terminal}/service/up/requests/{method}` `web.port` `edge-agent run --once`"
    assert not docs.untold({"service/up/requests", "port", "edge-agent run"}, page)
    assert docs.untold({"up/request", "por", "agent run"}, page)


def test_every_state_machine_is_drawn_as_its_table_says():
    assert not docs.undrawn(docs.machines(), (DOCS / "states.md").read_text())


def test_a_picture_that_lies_is_caught():
    machine = docs.machines()[0]
    drawn = f"```mermaid\n{machine.as_mermaid()}\n```"
    assert docs.undrawn([machine], drawn) == set()
    assert docs.undrawn([machine], drawn.replace("-->", "->", 1)) == {machine.name}


def test_every_rule_that_has_states_is_found():
    class Light(StrEnum):
        RED = "red"

    machine = Machine[Light, Light](name="light", first=Light.RED, table={})
    assert docs.undrawn([machine, *docs.machines()], "") > {"light"}


def test_the_page_names_every_table_and_who_writes_it():
    written = docs.writers((HOUSE / "cloud_controller/storage/queries").glob("*.sql"))
    assert written
    assert docs.told_writers((DOCS / "architecture.md").read_text()) == written


def test_a_table_with_another_writer_is_caught(tmp_path: Path):
    file = tmp_path / "rights.sql"
    file.write_text("INSERT INTO scans (a) VALUES (1)\nON CONFLICT (a) DO UPDATE SET a = 2;\n")
    assert docs.writers([file]) == docs.told_writers("| `scans` | `rights` | readings |")
    assert docs.writers([file]) != docs.told_writers("| `scans` | `rights`, `sessions` | |")


def test_decisions_are_numbered_one_after_the_other():
    names = [path.name for path in (DOCS / "decisions").iterdir()]
    assert names
    assert not docs.misnumbered(names)


@pytest.mark.parametrize("wrong", ["0001-again.md", "0004-gap.md", "2-short.md", "0003-No.md"])
def test_a_decision_with_a_wrong_number_is_caught(wrong: str):
    assert docs.misnumbered(["0001-layers.md", "0002-outbox.md", wrong])


def test_every_clause_names_tests_that_carry_its_id():
    assert not list(docs.unkept_claims((DOCS / "requirements.md").read_text(), HOUSE))


def test_a_claim_that_is_not_kept_is_caught(tmp_path: Path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_x.py").write_text(
        'def test_word_arrives():\n    """A3: it is sent."""\n'
    )
    rows = {clause: f"| {clause} | | |" for clause in docs.CLAUSES}

    def complaints(**changed: str) -> list[str]:
        return list(docs.unkept_claims("\n".join({**rows, **changed}.values()), tmp_path))

    assert not complaints(A3="| **A3** | `tests/test_x.py::test_word_arrives` | mqtt.md |")
    assert complaints(A4="| A4 | `tests/test_x.py::test_word_arrives` | mqtt.md |")
    assert complaints(A4="| A4 | `tests/test_x.py::test_nobody_wrote` | mqtt.md |")
    assert complaints(A4="") == ["A4 is not in the table"]
    assert complaints(A4="| A4 | | |\n| A9 | | |") == ["A9 is no clause"]


@pytest.mark.parametrize("page", ["README.md", *sorted(p.name for p in DOCS.glob("*.md"))])
def test_every_link_of_a_page_leads_somewhere(page: str):
    assert not docs.broken_links(HOUSE / page if page == "README.md" else DOCS / page)


def test_a_link_that_leads_nowhere_is_caught(tmp_path: Path):
    (tmp_path / "a.md").write_text("[b](b.md) [a](a.md#top) [web](https://example.org) [c](#c)")
    assert docs.broken_links(tmp_path / "a.md") == ["b.md"]


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_every_chore_a_page_names_is_in_the_script(page: str):
    assert not docs.unknown_chores((HOUSE / page).read_text(), (HOUSE / "dev").read_text())


def test_a_chore_that_the_script_does_not_know_is_caught():
    script = (HOUSE / "dev").read_text()
    assert docs.unknown_chores("`./dev demo`, `./dev check` and ./dev brew", script) == {"brew"}
