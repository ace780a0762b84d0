"""Tickets as the tests show them to a scanner: drawn, photographed, put into a folder."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from cloud_controller.web.qr import ticket_png
from common.seals import TicketToken, new_signing_key, seal_token
from tests.demo.photograph import photograph

KEY = new_signing_key(bytes(32))


def a_token(seed: int = 0, *, key: Ed25519PrivateKey = KEY) -> str:
    token = TicketToken(
        key_id=1,
        store_number=3,
        ticket=Random(seed).randbytes(8).hex(),
        device_number=2,
        starts_at=1_790_000_000_000,
        length_seconds=3600,
        revision=0,
    )
    return seal_token(token, key)


def a_photograph(token: str, *, seed: int = 1, **how) -> Image.Image:
    return photograph(ticket_png(token, module_pixels=8), seed=seed, **how)


def a_code(text: str) -> Image.Image:
    drawn = io.BytesIO()
    qrcode.make(text, box_size=3, error_correction=qrcode.ERROR_CORRECT_L).save(drawn)
    return Image.open(drawn).convert("L")


def put(file: Path, token: str) -> None:
    """Put a ticket's picture in place as careful programs do: whole, under its name, at once."""
    beside = file.with_name(f".{file.name}.part")
    beside.write_bytes(ticket_png(token, module_pixels=4))
    beside.replace(file)
