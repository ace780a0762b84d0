"""A ticket goes into the wallet of a phone, signed so that others' tools find it good."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from PIL import Image

from cloud_controller.settings import (
    AppleWalletSettings,
    GoogleWalletSettings,
    WalletSettings,
)
from cloud_controller.web.wallet import wallets_of
from cloud_controller.web.wallet.google import LINK_LENGTH_MAX, SAVE_URL
from common.errors import CannotStart
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.rim.mail_kit import change
from tests.rim.test_web_pages import page
from tests.rim.web_kit import WebKit, assert_problem, web_kit

JAPANESE = {"Accept-Language": "ja"}
LONG_TITLE = "夜景の見える二人用VRレーシングシミュレーター・ハンドルとペダル付き" * 3
LATER = {"starts_at": "2026-10-23T02:00:00Z", "length_seconds": 1800}
A_DAY = timedelta(days=1)


@cache
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def certificate(
    name: str, key: Any, above: tuple[x509.Certificate, Any] | None = None
) -> x509.Certificate:
    """Return a certificate of a key, signed by the one above or by itself."""
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if above is None else above[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - A_DAY)
        .not_valid_after(now + A_DAY)
        .add_extension(x509.BasicConstraints(ca=above is None, path_length=None), critical=True)
        .sign(key if above is None else above[1], SHA256())
    )


def settings(folder: Path) -> WalletSettings:
    """Return the settings of both wallets, with keys made for the test."""
    root_key, pass_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = certificate("WWDR", root_key)
    of_passes = certificate("pass", pass_key, (root, root_key))
    (folder / "wwdr.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "pass.pem").write_bytes(of_passes.public_bytes(Encoding.PEM))
    (folder / "pass.key").write_bytes(pem(pass_key))
    account = {
        "client_email": "rusuban-tickets@a-store-with-a-long-name-1234.iam.gserviceaccount.com",
        "private_key": pem(rsa_key()).decode(),
    }
    (folder / "account.json").write_text(json.dumps(account))
    return WalletSettings(
        apple=AppleWalletSettings(
            pass_type="pass.org.example.ticket",  # noqa: S106 - a name, not a word to pass
            team="A1B2C3D4E5",
            certificate=folder / "pass.pem",
            key_file=folder / "pass.key",
            intermediate=folder / "wwdr.pem",
        ),
        google=GoogleWalletSettings(issuer="338800", account_file=folder / "account.json"),
    )


async def booked(kit: WebKit, title: str = "VR Arena") -> str:
    return await kit.store.book(await kit.store.open(Offer(title=title)), MORNING_AT + HOUR_MS)


async def test_a_pass_for_apple_wallet_is_whole_signed_and_says_the_ticket(tmp_path: Path):
    async with web_kit(tmp_path, wallets=wallets_of(settings(tmp_path))) as kit:
        link = await booked(kit)
        assert f"/api/v1/tickets/{link}/ticket.pkpass" in await page(kit, f"/t/{link}")
        answered = await kit.get(f"/api/v1/tickets/{link}/ticket.pkpass", headers=JAPANESE)
        assert answered.headers["Content-Type"] == "application/vnd.apple.pkpass"
        assert answered.headers["Cache-Control"] == "no-store"
        token = (await kit.get(f"/api/v1/tickets/{link}")).json["token"]
    files = unpacked(answered.body)
    told = json.loads(files["pass.json"])
    assert told["barcodes"][0]["message"] == token
    assert told["relevantDate"] == "2026-10-23T00:55:00Z"
    assert told["eventTicket"]["headerFields"][0]["value"] == "ブース 1"
    assert told["eventTicket"]["backFields"][-1]["value"].endswith(f"/t/{link}")
    digests = json.loads(files["manifest.json"])
    assert set(digests) == set(files) - {"manifest.json", "signature"}
    assert all(hashlib.sha1(files[name]).hexdigest() == said for name, said in digests.items())  # noqa: S324 - Apple's format
    assert Image.open(io.BytesIO(files["icon@3x.png"])).size == (87, 87)
    assert openssl_finds_good(tmp_path, files)
    assert not openssl_finds_good(tmp_path, {**files, "manifest.json": b"{}"})


async def test_a_link_to_google_wallet_is_short_signed_and_says_the_ticket(tmp_path: Path):
    async with web_kit(tmp_path, wallets=wallets_of(settings(tmp_path))) as kit:
        link = await booked(kit, LONG_TITLE)
        change(tmp_path, "UPDATE tickets SET short_code = 'K7M2PQ9XTA'")
        change(tmp_path, "UPDATE stores SET title = ?", LONG_TITLE)
        path = f"/api/v1/tickets/{link}/google-wallet"
        assert path in await page(kit, f"/t/{link}")
        answered = await kit.get(path, headers=JAPANESE)
        token = (await kit.get(f"/api/v1/tickets/{link}")).json["token"]
    assert answered.status == 303
    assert answered.headers["Location"].startswith(SAVE_URL)
    word = answered.headers["Location"].removeprefix(SAVE_URL)
    assert len(word) <= LINK_LENGTH_MAX
    header, claims, signature = (decoded(part) for part in word.split("."))
    said = word.rpartition(".")[0].encode()
    rsa_key().public_key().verify(signature, said, PKCS1v15(), SHA256())
    assert json.loads(header) == {"alg": "RS256", "typ": "JWT"}
    told = json.loads(claims)
    assert (told["aud"], told["typ"], told["iat"]) == ("google", "savetowallet", MORNING_AT // 1000)
    (thing,) = told["payload"]["genericObjects"]
    assert thing["barcode"]["value"] == token
    assert thing["linksModuleData"]["uris"][0]["uri"].endswith(f"/t/{link}")


async def test_a_ticket_that_was_moved_is_another_pass_and_one_that_is_dead_is_none(tmp_path: Path):
    async with web_kit(tmp_path, wallets=wallets_of(settings(tmp_path))) as kit:
        link = await booked(kit)
        path = f"/api/v1/tickets/{link}"
        before = (await kit.get(f"{path}/google-wallet")).headers["Location"]
        await kit.post(f"{path}/reschedule", json=LATER)
        after = (await kit.get(f"{path}/google-wallet")).headers["Location"]
        assert id_in(before) != id_in(after)
        await kit.post(f"{path}/cancel")
        for wallet in ("ticket.pkpass", "google-wallet"):
            assert_problem(await kit.get(f"{path}/{wallet}"), 409, "not_allowed")
            assert_problem(await kit.get(f"/api/v1/tickets/no/{wallet}"), 404, "not_found")


async def test_without_keys_there_is_no_button_and_no_pass(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        assert "allet" not in await page(kit, f"/t/{link}")
        for wallet in ("ticket.pkpass", "google-wallet"):
            assert_problem(await kit.get(f"/api/v1/tickets/{link}/{wallet}"), 404, "not_found")


def test_keys_that_are_of_no_use_are_told_at_the_start(tmp_path: Path):
    good = settings(tmp_path)
    assert good.apple is not None
    assert good.google is not None
    (tmp_path / "other.key").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "empty.json").write_text("{}")
    for apple in ({"key_file": tmp_path / "other.key"}, {"certificate": tmp_path / "none.pem"}):
        with pytest.raises(CannotStart, match=r"wallet\.apple"):
            wallets_of(good.model_copy(update={"apple": good.apple.model_copy(update=apple)}))
    no_account = good.google.model_copy(update={"account_file": tmp_path / "empty.json"})
    with pytest.raises(CannotStart, match=r"wallet\.google"):
        wallets_of(good.model_copy(update={"google": no_account}))


def unpacked(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def id_in(url: str) -> str:
    claims = json.loads(decoded(url.removeprefix(SAVE_URL).split(".")[1]))
    return str(claims["payload"]["genericObjects"][0]["id"])


def openssl_finds_good(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Say whether openssl finds the signature of a pass's manifest good."""
    for name in ("signature", "manifest.json"):
        (folder / name).write_bytes(files[name])
    asked = [
        *("openssl", "smime", "-verify", "-inform", "DER", "-purpose", "any"),
        *("-in", str(folder / "signature"), "-content", str(folder / "manifest.json")),
        *("-CAfile", str(folder / "wwdr.pem"), "-out", "/dev/null"),
    ]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
