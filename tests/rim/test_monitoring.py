"""What watches a controller asks for figures that there are; its rules find what they are for."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.fakes.store import SHINJUKU
from tests.rim.web_kit import web_kit

MONITORING = Path(__file__).parents[2] / "docs" / "monitoring"
ASKED = re.compile(r"\brusuban_[a-z_]+")


async def figures(folder: Path) -> str:
    async with web_kit(folder) as kit:
        await kit.store.open()
        await kit.get("/readyz")
        return (await kit.told("/metrics")).text


async def test_the_dashboard_and_the_rules_ask_only_for_figures_that_there_are(tmp_path: Path):
    text = await figures(tmp_path)
    given = set(re.findall(r"^# TYPE (rusuban_\w+)", text, re.MULTILINE))
    given |= {f"{name}_bucket" for name in given} | told_by_others()
    for name in ("dashboard.json", "alerts.yml", "alerts_test.yml"):
        asked = set(ASKED.findall((MONITORING / name).read_text("utf-8")))
        assert asked <= given, name
    assert f'rusuban_devices{{state="available",store="{SHINJUKU}"}} 2.0' in text
    assert "rusuban_outbox_oldest_seconds 0.0" in text


def told_by_others() -> set[str]:
    """Return what the controller's other parts count, which a served store alone has not."""
    return {"rusuban_scanner_there", "rusuban_scanner_decoded_total"}


def test_each_panel_of_the_dashboard_has_a_place_of_its_own_a_name_and_something_to_show():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert all(target["expr"] for target in panel["targets"])
        place: dict[str, Any] = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_promtool_accepts_the_rules_and_finds_by_them_what_they_are_for():
    for words in (
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
    ):
        assert promtool(*words).returncode == 0, promtool(*words).stdout


def test_promtool_reads_every_expression_of_the_dashboard(tmp_path: Path):
    """As rules: what it cannot parse it names."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    rules = [
        {"record": f"panel:{panel['id']}_{target['refId']}", "expr": expression(target["expr"])}
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    done = promtool("check", "rules", str(file))
    assert f"{len(rules)} rules found" in done.stdout, done.stdout + done.stderr


async def test_promtool_finds_nothing_wrong_in_the_figures(tmp_path: Path):
    done = promtool("check", "metrics", told=await figures(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def expression(text: str) -> str:
    """Return an expression with the dashboard's own names filled in."""
    return text.replace("$instance", ".*").replace("$store", ".*")


def promtool(*words: str, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *words],
        cwd=MONITORING,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
