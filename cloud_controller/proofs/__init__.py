"""By what an operator proves who he is: a password, a code that changes, a passkey."""

from cloud_controller.proofs.codes import SECRET_BYTES, code_address, fresh_secret, step_of
from cloud_controller.proofs.passkeys import (
    CHALLENGE_BYTES,
    PasskeyIsRefused,
    PasskeyMade,
    asked_of_passkeys,
    made_by,
    may_have_passkeys,
    shown_by,
    wanted_of_browser,
)
from cloud_controller.proofs.passwords import (
    LENGTH_MAX,
    LENGTH_MIN,
    hashed,
    is_common,
    is_password,
)

__all__ = [
    "CHALLENGE_BYTES",
    "LENGTH_MAX",
    "LENGTH_MIN",
    "SECRET_BYTES",
    "PasskeyIsRefused",
    "PasskeyMade",
    "asked_of_passkeys",
    "code_address",
    "fresh_secret",
    "hashed",
    "is_common",
    "is_password",
    "made_by",
    "may_have_passkeys",
    "shown_by",
    "step_of",
    "wanted_of_browser",
]
