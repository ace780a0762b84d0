"""What a controller gives another one that it lets in, kept in a file of that one's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_controller.flows.rights.upstream import Branch
from common.codec import first_fault_of
from common.errors import CannotStart
from common.ids import NAME_PATTERN
from common.seals import is_sealed, verifying_key

BUNDLE_BYTES_MAX: Final = 65_536
"""Bytes of a bundle; ours has some three thousand."""


class Bundle(BaseModel):
    """All that a branch needs to speak with its root, made by the root; it holds a secret key.

    Attributes:
        url: where the root listens for its peers.
        keys: the public keys in hex by which the root signs rights, by key id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https://[^\s/?#@]+/?$", max_length=300)]
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    epoch: Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]
    authority: str
    certificate: str
    key: str
    keys: dict[int, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return the bundle of this file.

        Raises:
            CannotStart: it cannot be read, or is none.
        """
        try:
            with file.open("rb") as opened:
                return cls.model_validate_json(opened.read(BUNDLE_BYTES_MAX))
        except OSError as fault:
            raise CannotStart(why=f"the bundle {file}: {fault.strerror}") from None
        except ValidationError as fault:
            why = f"{file} is no bundle of `peers add`: {first_fault_of(fault)}"
            raise CannotStart(why=why) from None

    def branch(self) -> Branch:
        """Return who we are to the root, and how a right of it is known."""
        keys = [verifying_key(bytes.fromhex(raw)) for raw in self.keys.values()]

        def has_sealed(document: Mapping[str, Any], signature: str) -> bool:
            return any(is_sealed(document, signature, key) for key in keys)

        return Branch(name=self.name, epoch=self.epoch, has_sealed=has_sealed)
