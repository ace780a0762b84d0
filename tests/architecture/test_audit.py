"""The audit of the lock fails for what is weak and for what it could not look up."""

from __future__ import annotations

import runpy
from pathlib import Path

AUDIT = runpy.run_path(str(Path(__file__).parents[2] / ".ci/audit.py"))
judged = AUDIT["judged"]

SOUND = {"name": "sound", "version": "1", "vulns": []}
SKIPPED = {"name": "unheard-of", "skip_reason": "not found"}
WEAK = {"name": "weak", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


def test_sound_packages_pass_the_audit():
    assert judged([SOUND], required=True) == (0, [])


def test_a_known_weakness_fails_and_names_its_mending():
    assert judged([SOUND, WEAK], required=False) == (1, ["weak 1: CVE-1, mended in 2"])


def test_a_single_skipped_package_fails_the_audit():
    code, sentences = judged([SOUND, SKIPPED], required=False)
    assert code == 1
    assert sentences == ["unheard-of: skipped, not found"]


def test_an_audit_that_nobody_answers_fails_only_where_required():
    for packages in ([], [SKIPPED]):
        assert judged(packages, required=False) == (0, [AUDIT["NOT_MADE"]])
        assert judged(packages, required=True) == (1, [AUDIT["NOT_MADE"]])
