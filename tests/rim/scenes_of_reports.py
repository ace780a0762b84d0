"""Reports and audits: nothing yet, a month that was lived, a period of no kind, what was found."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.auditor import audit_all
from tests.fakes.store import Offer
from tests.rim.figures_kit import lived
from tests.rim.mail_kit import change
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.views import Views, see
from tests.rim.web_kit import web_kit


async def reports(folder: Path) -> Views:
    """What the owner reads of his stores."""
    pages = {"reports": "/operator/reports", "audits": "/operator/reports/audit"}
    async with web_kit(folder) as kit:
        for name, path in pages.items():
            yield see(kit, f"no {name}", path, headers=SIGNED_IN)
        opened = await kit.store.open(Offer(devices=3, title="Ein langes Wort " + "W" * 40))
        yield see(kit, "reports of nothing", pages["reports"], headers=SIGNED_IN)
        lived(folder, opened, kit.store.clock.now)
        await audit_all(kit.store.books, kit.store.clock, "timer")
        for name, path in pages.items():
            yield see(kit, f"{name} of a month", path, headers=SIGNED_IN)
        year = f"{pages['reports']}?period=year"
        yield see(kit, "reports of a year", year, headers=SIGNED_IN)
        never = f"{pages['reports']}?first=2026-10-02&last=2026-10-01"
        yield see(kit, "reports of no period", never, headers=SIGNED_IN)
        change(folder, "INSERT INTO entries (kind, store_id, at) VALUES ('x', 'shinjuku', 1)")
        await audit_all(kit.store.books, kit.store.clock, "Akiko")
        yield see(kit, "an audit that found something", pages["audits"], headers=SIGNED_IN)
