"""A link by which a ticket goes into Google Wallet: the whole of it, signed by an account's key."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cloud_controller.settings.wallet import GoogleWalletSettings
from cloud_controller.web.wallet.face import WALL, Face
from common.errors import CannotStart

SAVE_URL: Final = "https://pay.google.com/gp/v/save/"

TITLE_BYTES: Final = (120, 60, 42, 24)
"""How many bytes of a title go with it, as many as the link has room for: eight letters of
Japanese at the least."""

LINK_LENGTH_MAX: Final = 1_800
"""Letters that Google takes of such a link's word."""

_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._-]")


class GoogleWallet:
    """Signs links by the key of one service account."""

    def __init__(self, settings: GoogleWalletSettings) -> None:
        """Read the account's file.

        Raises:
            CannotStart: it cannot be read, or is no such file.
        """
        self._issuer = settings.issuer
        try:
            account = json.loads(settings.account_file.read_bytes())
            self._account = str(account["client_email"])
            key = load_pem_private_key(str(account["private_key"]).encode(), password=None)
        except (OSError, ValueError, TypeError, KeyError) as fault:
            raise CannotStart(why=f"wallet.google.account_file cannot be read: {fault!r}") from None
        if not isinstance(key, RSAPrivateKey):
            raise CannotStart(why="wallet.google.account_file holds no RSA key")
        self._key = key

    def save_url(self, face: Face, now: int) -> str:
        """Return the address at which Google asks whether to keep the ticket; `now` in ms."""
        words = (self._word(face, now, each) for each in TITLE_BYTES)
        fitting = [word for word in words if len(word) <= LINK_LENGTH_MAX]
        return SAVE_URL + (fitting[0] if fitting else self._word(face, now, TITLE_BYTES[-1]))

    def _word(self, face: Face, now: int, title_bytes: int) -> str:
        claims = {
            "iss": self._account,
            "aud": "google",
            "typ": "savetowallet",
            "iat": now // 1000,
            "payload": {
                "genericClasses": [{"id": f"{self._issuer}.rusuban"}],
                "genericObjects": [self._described(face, title_bytes)],
            },
        }
        said = f"{_coded({'alg': 'RS256', 'typ': 'JWT'})}.{_coded(claims)}"
        return f"{said}.{_base64(self._key.sign(said.encode(), PKCS1v15(), SHA256()))}"

    def _described(self, face: Face, title_bytes: int) -> dict[str, Any]:
        """Return the ticket as Google has it; another revision is another object."""
        name = _NOT_IN_IDS.sub("_", f"{face.ticket}.{face.revision}")
        code: dict[str, str] = {"type": "QR_CODE", "value": face.token}
        if face.short_code:
            code["alternateText"] = face.short_code
        return {
            "id": f"{self._issuer}.{name}",
            "classId": f"{self._issuer}.rusuban",
            "state": "ACTIVE",
            "cardTitle": _said(face.store, face, title_bytes),
            "header": _said(face.title, face, title_bytes),
            "subheader": _said(f"{face.day} {face.time} · {face.booth}", face),
            "hexBackgroundColor": WALL,
            "barcode": code,
            "validTimeInterval": {
                "start": {"date": face.opens_at},
                "end": {"date": face.ends_at},
            },
            "linksModuleData": {"uris": [{"id": "t", "uri": face.url}]},
        }


def _said(text: str, face: Face, most: int | None = None) -> dict[str, Any]:
    said = text.encode()
    short = text if most is None or len(said) <= most else f"{_cut(said, most)}…"
    return {"defaultValue": {"language": face.language, "value": short}}


def _cut(said: bytes, most: int) -> str:
    return said[: most - len("…".encode())].decode(errors="ignore")


def _coded(said: dict[str, Any]) -> str:
    return _base64(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())


def _base64(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()
