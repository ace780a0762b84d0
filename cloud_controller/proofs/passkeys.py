"""Passkeys (WebAuthn): a key that a browser or a phone keeps, for our pages alone."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from common.errors import RusubanError
from common.rules.accounts import Operator

ISSUER: Final = "Rusuban"

CHALLENGE_BYTES: Final = 32
"""Bytes of what a passkey signs once."""


class PasskeyIsRefused(RusubanError):
    """This passkey does not prove who you are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PasskeyMade:
    """A passkey as it is kept: name and public key as base64url, and how often it has signed."""

    credential: str
    public_key: str
    signs: int


def may_have_passkeys(public_url: str) -> bool:
    """Say whether browsers know passkeys there: at a host's name, over TLS or on this machine."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and (parts.scheme == "https" or host == "localhost")
    return False


def wanted_of_browser(
    public_url: str, operator: Operator, challenge: str, known: Sequence[str]
) -> str:
    """Return what a browser is asked that shall make a passkey, as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=_host(public_url),
        rp_name=ISSUER,
        user_id=operator.operator.encode(),
        user_name=operator.name,
        challenge=base64url_to_bytes(challenge),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_described(known),
    )
    return webauthn.options_to_json(options)


def made_by(answer: str, public_url: str, challenge: str) -> PasskeyMade:
    """Return the passkey that a browser has made.

    Raises:
        PasskeyIsRefused: it was not made for us, or not for this question.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=json.loads(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(public_url),
            expected_origin=_origin(public_url),
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyIsRefused from None
    return PasskeyMade(
        credential=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        signs=verified.sign_count,
    )


def asked_of_passkeys(public_url: str, challenge: str, known: Sequence[str]) -> str:
    """Return what a browser is asked that shall show one of these passkeys, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(public_url),
        challenge=base64url_to_bytes(challenge),
        allow_credentials=_described(known),
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return webauthn.options_to_json(options)


def shown_by(
    answer: str, public_url: str, challenge: str, kept: Sequence[PasskeyMade]
) -> PasskeyMade:
    """Return which passkey has signed the question, with its new count.

    Raises:
        PasskeyIsRefused: none of these, or not this question, or its count went back.
    """
    try:
        said = json.loads(answer)
        passkey = next(each for each in kept if each.credential == said["id"])
        verified = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(public_url),
            expected_origin=_origin(public_url),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.signs,
        )
    except (WebAuthnException, StopIteration, ValueError, KeyError, TypeError):
        raise PasskeyIsRefused from None
    return PasskeyMade(
        credential=passkey.credential,
        public_key=passkey.public_key,
        signs=verified.new_sign_count,
    )


def _described(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]


def _host(public_url: str) -> str:
    return urlsplit(public_url).hostname or ""


def _origin(public_url: str) -> str:
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}"
