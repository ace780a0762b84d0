"""Every check of the audit, run over a house's books as they are."""

from __future__ import annotations

from typing import Any

from cloud_controller.flows import audit
from common.rules.audit import Finding
from tests.fakes.house import HouseInHand


def found_in(house: HouseInHand) -> list[Finding]:
    """Return what every check finds, slice by slice."""
    found: list[Finding] = []
    for check in audit.CHECKS:
        after: Any = check.first
        while after is not None:
            looked = house.books.do(check.look, after)
            found += looked.findings
            after = looked.last
    return found
