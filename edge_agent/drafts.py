"""What this terminal's own settings say of its offerings, with their pictures made small."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from common.errors import RusubanError
from common.files import kept
from edge_agent.flows.offerings import Draft
from edge_agent.settings.devices import DeviceSettings, OfferingPicture, OfferingSettings


def drafts_of(devices: Sequence[DeviceSettings], folder: Path) -> Mapping[str, Draft]:
    """Return the offerings by their devices' keys, as they are registered.

    A picture that cannot be read is left out and named in the log: a file that somebody has moved
    closes no store. `folder` keeps what was made of each, so that no start waits for it again.
    """
    return {
        device.key: _draft(device.offering, folder)
        for device in devices
        if device.offering is not None
    }


def _draft(said: OfferingSettings, folder: Path) -> Draft:
    texts = {each.language: {"title": each.title, "content": each.content} for each in said.texts}
    pictures = [drawn for each in said.pictures if (drawn := _drawn(each, folder)) is not None]
    return {**said.model_dump(exclude={"texts", "pictures"}), "texts": texts, "pictures": pictures}


def _drawn(said: OfferingPicture, folder: Path) -> dict[str, Any] | None:
    try:
        body = _small(said.file.read_bytes(), folder)
    except (OSError, RusubanError) as fault:
        log = structlog.get_logger("agent")
        log.warning("picture cannot be shown", file=str(said.file), why=str(fault))
        return None
    digest = sha256(body).hexdigest()
    return {"sha256": digest, "alt": said.alt, "body": b64encode(body).decode()}


def _small(sent: bytes, folder: Path) -> bytes:
    """Return what a picture was made into; made now, where this one was not seen before."""

    def make() -> bytes:
        from common.pictures import drawn_small  # noqa: PLC0415 - few have any, and then once

        return drawn_small(sent)

    folder.mkdir(mode=0o700, exist_ok=True)
    return kept(folder / f"{sha256(sent).hexdigest()}.webp", make)
