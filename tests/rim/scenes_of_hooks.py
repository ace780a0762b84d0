"""What owners alone see: who is told of events, and what is known of a customer."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.flows import hooks
from tests.rim.hook_kit import endpoint, receiver, sender
from tests.rim.views import Views, see
from tests.rim.web_kit import web_kit

HOOKS = "/operator/hooks"


async def owners_matters(folder: Path) -> Views:
    """Webhooks from none to some that fail, and the page about one customer's data."""
    there = receiver()
    there.answers = [204, 500]
    async with web_kit(folder) as kit:
        await kit.store.open()
        owner = await kit.signed_in()
        yield see(kit, "no webhooks", HOOKS, headers=owner)
        made = await endpoint(kit.store, there.url, title="Accounts", types=("payment",))
        path = f"{HOOKS}/{made.row['endpoint_id']}"
        yield see(kit, "a webhook that was told nothing", path, headers=owner)
        async with there.up():
            for _ in range(2):
                await kit.store.books.transact(hooks.test, made.row["endpoint_id"], "tests")
                await sender(kit.store).look_once()
        yield see(kit, "a webhook that fails", path, headers=owner)
        yield see(kit, "webhooks", f"{HOOKS}?said=refused", headers=owner)
        privacy = "/operator/privacy"
        yield see(kit, "a customer's data", privacy, headers=owner)
        yield see(kit, "a customer to be reached still", f"{privacy}?said=ahead", headers=owner)
