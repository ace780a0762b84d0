"""What this terminal's own settings say of its offerings, with their pictures made small."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import structlog

from edge_agent.flows.offerings import Draft
from edge_agent.settings.devices import DeviceSettings, OfferingPicture, OfferingSettings


def drafts_of(devices: Sequence[DeviceSettings]) -> Mapping[str, Draft]:
    """Return the offerings by their devices' keys, as they are registered.

    A picture that cannot be read is left out and named in the log: a file that somebody has moved
    closes no store.
    """
    return {
        device.key: _draft(device.offering) for device in devices if device.offering is not None
    }


def _draft(said: OfferingSettings) -> Draft:
    texts = {each.language: {"title": each.title, "content": each.content} for each in said.texts}
    pictures = [drawn for each in said.pictures if (drawn := _drawn(each)) is not None]
    return {**said.model_dump(exclude={"texts", "pictures"}), "texts": texts, "pictures": pictures}


def _drawn(said: OfferingPicture) -> dict[str, Any] | None:
    from common.pictures import PictureIsWrong, drawn_small  # noqa: PLC0415 - few have any

    try:
        body = drawn_small(said.file.read_bytes())
    except (OSError, PictureIsWrong) as fault:
        log = structlog.get_logger("agent")
        log.warning("picture cannot be shown", file=str(said.file), why=str(fault))
        return None
    digest = sha256(body).hexdigest()
    return {"sha256": digest, "alt": said.alt, "body": b64encode(body).decode()}
