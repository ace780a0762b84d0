"""A pass for Apple Wallet: its face and pictures, their digests, and a signature of those."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from PIL import Image, ImageDraw

from cloud_controller.settings.wallet import AppleWalletSettings
from cloud_controller.web.wallet.face import LIT, WALL, WALL_INK, WALL_SOFT, Face
from common.errors import CannotStart

MEDIA_TYPE: Final = "application/vnd.apple.pkpass"

ICON_POINTS: Final = 29
"""Points a side of the icon that a lock screen shows."""

LOGO_POINTS: Final = 40
"""Points a side of the mark in the pass's corner; at most fifty are drawn."""

SCALES: Final = (1, 2, 3)
"""Pixels a point of the screens there are."""

_FINER: Final = 4  # times as large as it is drawn at first, so that slopes are smooth


class AppleWallet:
    """Signs passes by one certificate of Apple's."""

    def __init__(self, settings: AppleWalletSettings) -> None:
        """Read certificate and key.

        Raises:
            CannotStart: they cannot be read, or do not belong together.
        """
        self._settings = settings
        try:
            self._certificate = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
            self._above = x509.load_pem_x509_certificate(settings.intermediate.read_bytes())
            key = load_pem_private_key(settings.key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as fault:
            raise CannotStart(why=f"wallet.apple cannot be read: {fault}") from None
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise CannotStart(why="wallet.apple.key_file is neither an RSA nor an EC key")
        if key.public_key() != self._certificate.public_key():
            raise CannotStart(why="wallet.apple.key_file is not the key of its certificate")
        self._key = key

    def pass_of(self, face: Face) -> bytes:
        """Return a ticket as a signed pass."""
        files = {"pass.json": _json(self._described(face)), **pictures()}
        digests = {name: hashlib.sha1(body).hexdigest() for name, body in files.items()}  # noqa: S324 - Apple's format
        files["manifest.json"] = _json(digests)
        files["signature"] = self._signature(files["manifest.json"])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in files.items():
                archive.writestr(zipfile.ZipInfo(name), body)
        return packed.getvalue()

    def _signature(self, manifest: bytes) -> bytes:
        return (
            PKCS7SignatureBuilder()
            .set_data(manifest)
            .add_signer(self._certificate, self._key, SHA256())
            .add_certificate(self._above)
            .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
        )

    def _described(self, face: Face) -> dict[str, Any]:
        code = {"format": "PKBarcodeFormatQR", "message": face.token, "messageEncoding": "utf-8"}
        if face.short_code:
            code["altText"] = face.short_code
        return {
            "formatVersion": 1,
            "passTypeIdentifier": self._settings.pass_type,
            "teamIdentifier": self._settings.team,
            "serialNumber": face.ticket,
            "organizationName": self._settings.organization,
            "description": f"{face.title} · {face.day} {face.time}",
            "logoText": face.store,
            "backgroundColor": _rgb(WALL),
            "foregroundColor": _rgb(WALL_INK),
            "labelColor": _rgb(WALL_SOFT),
            "relevantDate": face.opens_at,
            "expirationDate": face.ends_at,
            "barcodes": [code],
            "eventTicket": _fields(face),
        }


def _fields(face: Face) -> dict[str, list[dict[str, str]]]:
    labels = face.labels
    behind = [("url", face.link_label, face.url)]
    if face.short_code:
        behind.insert(0, ("code", face.short_label, face.short_code))
    if face.directions.strip():
        behind.insert(0, ("way", labels["directions"], face.directions))
    return {
        "headerFields": [_field("booth", "", face.booth)],
        "primaryFields": [_field("title", face.day, face.title)],
        "secondaryFields": [_field("time", labels["when"], face.time)],
        "auxiliaryFields": [_field("store", labels["where"], face.store)],
        "backFields": [_field(*each) for each in behind],
    }


def _field(key: str, label: str, value: str) -> dict[str, str]:
    return {"key": key, "label": label, "value": value}


@cache
def pictures() -> dict[str, bytes]:
    """Return the pictures of a pass: our mark, as sharp as each screen shows it."""
    return {
        f"{name}{'' if scale == 1 else f'@{scale}x'}.png": _mark(points * scale)
        for name, points in (("icon", ICON_POINTS), ("logo", LOGO_POINTS))
        for scale in SCALES
    }


def _mark(pixels: int) -> bytes:
    """Return our mark as PNG: a house with a lit window, as `mark.svg` draws it."""
    side = pixels * _FINER
    unit = side / 32
    picture = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(picture)
    roof = [(x * unit, y * unit) for x, y in ((16, 2.4), (29, 13.2), (29, 18), (3, 18), (3, 13.2))]
    draw.polygon(roof, fill="#b5482a")
    draw.rounded_rectangle((3 * unit, 12 * unit, 29 * unit, 30 * unit), 3 * unit, fill="#b5482a")
    for x, y in ((10, 14), (17, 14), (10, 21), (17, 21)):
        draw.rectangle((x * unit, y * unit, (x + 5) * unit, (y + 5) * unit), fill=LIT)
    file = io.BytesIO()
    picture.resize((pixels, pixels), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
