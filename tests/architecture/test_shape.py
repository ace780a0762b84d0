"""The house keeps its shape, and each rule of it is shown to catch what it forbids."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import shape

HOUSE = Path(__file__).parents[2]
LONG_BODY = "    pass\n" * 60
BRANCHES = "    if a: b\n" * 6
SOMEBODY = "/" + "home/somebody"

PLANTED: tuple[tuple[shape.Rule, str, str], ...] = (
    (shape.files_fit_the_head, "common/ids.py", "x = 1\n" * 401),
    (shape.files_fit_the_head, "cloud_controller/storage/queries/rights.sql", "-- x\n" * 401),
    (shape.functions_fit_a_screen, "common/codec.py", f"def read():\n{LONG_BODY}"),
    (shape.functions_fit_a_screen, "tests/rim/test_x.py", f"async def test_it():\n{LONG_BODY}"),
    (shape.composition_roots_are_flat, "edge_agent/main.py", f"def run():\n{BRANCHES}"),
    (shape.files_open_with_a_sentence, "common/ids.py", "x = 1\n"),
    (shape.files_open_with_a_sentence, "common/ids.py", '"""Ids"""\nx = 1\n'),
    (
        shape.files_open_with_a_sentence,
        "edge_agent/queries/post.sql",
        "CREATE TABLE a (seq);\n",
    ),
    (shape.files_open_with_a_sentence, "dev", "#!/bin/sh\nset -e\n"),
    (shape.no_file_is_empty, "common/__init__.py", ""),
    (shape.no_file_is_empty, "common/ids.py", '"""Names of things."""\n'),
    (shape.only_listed_names, "common/tools.py", ""),
    (shape.only_listed_names, "cloud_controller/flows/bookings.py", ""),
    (shape.only_listed_names, "edge_agent/scanners/nose/__init__.py", ""),
    (shape.only_listed_names_at_the_top, "notes.md", ""),
    (shape.core_is_pure, "common/rules/tickets.py", "import time\n"),
    (shape.core_is_pure, "common/machine.py", "from os import path\n"),
    (shape.core_is_pure, "common/rules/sessions.py", "def f(x):\n    return x.now()\n"),
    (shape.core_is_pure, "common/messages/rights.py", "print('x')\n"),
    (shape.core_is_pure, "cloud_controller/flows/rights.py", "async def redeem(): ...\n"),
    (shape.core_is_pure, "edge_agent/flows/sessions.py", "def f():\n    import sqlite3\n"),
    (shape.one_place_each, "cloud_controller/listener.py", "import paho.mqtt.client\n"),
    (shape.one_place_each, "cloud_controller/courier.py", "import sqlite3\n"),
    (shape.one_place_each, "edge_agent/display/app.py", "from pyzbar import pyzbar\n"),
    (shape.one_place_each, "edge_agent/watchdog.py", "import psutil\n"),
    (shape.silenced_checks_say_why, "common/ids.py", "x = 1  # noqa\n"),
    (shape.silenced_checks_say_why, "common/ids.py", "x = 1  # noqa: S105\n"),
    (shape.silenced_checks_say_why, "common/ids.py", "x = 1  # type: ignore[misc]\n"),
    (shape.silenced_checks_say_why, "common/ids.py", "x = 1  # pragma: no cover\n"),
    (shape.skipped_tests_say_why, "tests/x/test_x.py", "import pytest\npytest.skip()\n"),
    (shape.skipped_tests_say_why, "tests/x/test_x.py", "@pytest.mark.xfail\ndef test_a(): ...\n"),
    (shape.tests_are_sentences, "tests/x/test_x.py", "def test_redeem_works(): ...\n"),
    (shape.nothing_happens_on_import, "edge_agent/main.py", "print('hello')\n"),
    (shape.tasks_have_a_name_and_a_parent, "edge_agent/timers.py", "group.create_task(tick())\n"),
    (shape.tasks_have_a_name_and_a_parent, "common/mqtt.py", "asyncio.create_task(t(), name='t')"),
    (shape.names_are_our_own, "edge_agent/timers.py", "class TimerManager: ...\n"),
    (shape.names_are_our_own, "edge_agent/utils.py", ""),
    (shape.no_path_of_one_machine, "docs/operations.md", f"See {SOMEBODY}/notes.\n"),
)

A_GOOD_HOUSE = {
    ".gitignore": "/.venv/\n*.egg-info/\n",
    ".venv/lib/x.py": "",
    "LICENSE": "Anybody may.\n",
    "dev": "#!/usr/bin/env bash\n# Everything a person does.\n",
    "common/__init__.py": '"""What both speak."""\n',
    "common/mqtt.py": '"""The wire, the only file that knows paho."""\nimport paho\n',
    "common/rules/tickets.py": '"""What opens."""\nx = 1  # noqa: S105 - a prefix\n',
    "edge_agent/queries/post.sql": "-- What must not be forgotten.\nCREATE TABLE a (seq);\n",
    "edge_agent/timers.py": '"""Time in."""\nx = group.create_task(tick(), name="tick")\n',
    "tests/rim/test_mqtt.py": '"""The wire."""\ndef test_a_message_arrives_only_once(): ...\n',
}


@pytest.mark.parametrize("rule", shape.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_shape(rule: shape.Rule):
    assert not list(rule(HOUSE))


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_what_a_rule_forbids_is_caught(tmp_path: Path, rule: shape.Rule, path: str, text: str):
    plant(tmp_path, {path: text})
    assert list(rule(tmp_path))


@pytest.mark.parametrize("rule", shape.RULES, ids=lambda rule: rule.__name__)
def test_what_a_rule_allows_is_left_alone(tmp_path: Path, rule: shape.Rule):
    plant(tmp_path, A_GOOD_HOUSE)
    assert not list(rule(tmp_path))


def test_no_rule_is_without_a_planted_violation():
    assert {rule for rule, _, _ in PLANTED} == set(shape.RULES)


def plant(root: Path, files: dict[str, str]) -> None:
    """Write the files of a small tree."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
