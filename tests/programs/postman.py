"""One round of a postman in a process of its own, so that it can be killed: FOLDER PORT NOW."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.store import ClockInHand, store_kit
from tests.rim.mail_kit import postman, settings_for


async def main(folder: Path, port: int, now: int) -> None:
    """Send what is due now."""
    async with store_kit(folder, ClockInHand(now=now)) as store:
        await postman(store, settings_for(port)).look()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
