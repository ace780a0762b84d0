"""Asks pip-audit for known weaknesses in the lock; a package that it skips is a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PATIENCE_SECONDS = 20
"""A closed network answers at once or never; a person waiting for ./dev check should not."""

NOT_MADE = "note: no service that knows of weaknesses answers here, so the audit was not made"
REQUIRED = "RUSUBAN_AUDIT"


def main(lock: str) -> int:
    """Print what is wrong with the packages of the lock file and return the exit code."""
    code, sentences = judged(ask(lock), required=os.environ.get(REQUIRED) == "required")
    print(*sentences, sep="\n")
    return code


def judged(packages: list[dict[str, Any]], *, required: bool) -> tuple[int, list[str]]:
    """Return the exit code and why: knowing nothing at all passes unless the audit is required."""
    if all("skip_reason" in package for package in packages):
        return int(required), [NOT_MADE]
    faults = [fault for package in packages for fault in faults_of(package)]
    return int(bool(faults)), faults


def ask(lock: str) -> list[dict[str, Any]]:
    """Return pip-audit's word on each package; none at all when its service does not answer."""
    with TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        question = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes"]
        question += ["--disable-pip", "--progress-spinner=off", "--timeout=5"]
        question += ["--format=json", f"--output={answer}"]
        try:
            subprocess.run(question, capture_output=True, timeout=PATIENCE_SECONDS, check=False)  # noqa: S603 - only our own words
        except subprocess.TimeoutExpired:
            return []
        packages: list[dict[str, Any]] = []
        if answer.exists():
            packages = json.loads(answer.read_text())["dependencies"]
        return packages


def faults_of(package: dict[str, Any]) -> list[str]:
    """Return a sentence for each weakness, or for having been skipped."""
    if "skip_reason" in package:
        return [f"{package['name']}: skipped, {package['skip_reason']}"]
    return [
        f"{package['name']} {package['version']}: {weakness['id']}, "
        f"mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        for weakness in package["vulns"]
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
