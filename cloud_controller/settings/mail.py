"""By which mail server customers are written to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from cloud_controller.settings.part import HostName, Part, Port, is_on_this_machine
from common.rules.letters import address_of


class MailTls(StrEnum):
    """How the line to a mail server is hidden."""

    TLS = "tls"
    """From its first byte."""
    STARTTLS = "starttls"
    """After a word in the clear; a server that will not is not written to."""
    NONE = "none"
    """Not at all: only on this machine."""


class MailSettings(Part):
    """By which mail server customers are written to."""

    host: HostName
    """The mail server's name, the one in its certificate."""

    port: Port = 587
    """Its TCP port: 587 for `starttls`, 465 for `tls`."""

    tls: MailTls = MailTls.STARTTLS
    """How the line is hidden."""

    authority: Path | None = None
    """A PEM file of who certifies the server; without it, whom this system trusts."""

    sender: str
    """The address that letters come from, which answers go to as well."""

    sender_name: Annotated[str, Field(max_length=100)] = "Rusuban"
    """The name that stands before it."""

    user: Annotated[str, Field(max_length=254)] = ""
    """Who we are to the server; empty where it asks nobody."""

    password_file: Path | None = None
    """A file that holds only the password, for the controller's user alone; read at start."""

    timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 20.0
    """How long each word of the server may take."""

    kept_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after which it is forgotten whom a letter went to, and what it said."""

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        address = address_of(text)
        if address is None:
            message = "is no mail address"
            raise ValueError(message)
        return address

    @model_validator(mode="after")
    def _says_no_password_in_the_clear(self) -> Self:
        if self.tls is MailTls.NONE and not is_on_this_machine(self.host):
            message = "beyond this machine only with `tls` or `starttls`"
            raise ValueError(message)
        if bool(self.user) != (self.password_file is not None):
            message = "`user` and `password_file` come together"
            raise ValueError(message)
        return self
