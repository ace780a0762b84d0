"""Where the controller listens: pages and API, the broker, other controllers."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator

from cloud_controller.settings.part import HostName, Part, Port, is_on_this_machine
from common.rules.enrolment import Ladder


class WebSettings(Part):
    """Where pages and API are served: in the clear on this machine only, else over TLS."""

    host: str = "127.0.0.1"
    """The address to listen on; beyond this machine only with `tls`."""

    port: Port = 8080
    """The TCP port; 0 takes a free one, as the demo does."""

    tls: bool = False
    """Whether to speak TLS with a certificate of our own; off behind a proxy of this machine."""

    public_url: str = ""
    """How customers reach the pages, such as `https://play.example`; empty: the address above."""

    viewers_max: Annotated[int, Field(ge=0, le=100_000)] = 8_000
    """How many pages may be told of changes at once; the others read themselves now and then."""

    idle_seconds: Annotated[int, Field(ge=60, le=86_400)] = 1_800
    """After how long without a call an operator's browser has to sign in again."""

    whole_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)] = 43_200
    """After how long it has to in any case: twelve hours, a long shift."""

    viewers_of_a_peer_max: Annotated[int, Field(ge=0, le=100_000)] = 1_000
    """How many of them from one address; behind a proxy, which is one, as many as `viewers_max`."""

    @model_validator(mode="after")
    def _is_not_in_the_clear(self) -> Self:
        if not self.tls and not is_on_this_machine(self.host):
            message = "beyond this machine only with `tls = true`"
            raise ValueError(message)
        return self


class BrokerSettings(Part):
    """The embedded MQTT broker, a mosquitto that lives and dies with the controller."""

    ladder: Ladder = Ladder.PASSWORD
    """How terminals prove themselves: 1 by a password over TLS, 2 by a certificate of their own.

    0 is a password in the clear, for the demo, on this machine only. It never goes down again.
    """

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every network of this machine."""

    names: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """Names and addresses by which terminals reach it, the first told to them; empty: `host`."""

    port: Port = 18_830
    """The TCP port; fixed, since terminals remember it. 0 takes a free one, as the demo does."""

    program: str = "mosquitto"
    """The broker's program, by name or path."""

    @model_validator(mode="after")
    def _is_not_in_the_clear(self) -> Self:
        if self.ladder is Ladder.LOOPBACK and not is_on_this_machine(self.host):
            message = "ladder 0 encrypts nothing: only an address of this machine"
            raise ValueError(message)
        if not self.names and ipaddress.ip_address(self.host).is_unspecified:
            message = "say in `names` how terminals reach it"
            raise ValueError(message)
        return self

    @property
    def all_names(self) -> tuple[str, ...]:
        """Return every name by which it is reached, the one told to terminals first."""
        return self.names or (self.host,)


class PeersSettings(Part):
    """Where other controllers, which take seats from us, speak to us: over mutual TLS only."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every network of this machine."""

    port: Port = 8443
    """The TCP port; fixed, since peers remember it."""

    names: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """Names and addresses by which peers reach it, the first told to them; empty: `host`."""

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if not self.names and ipaddress.ip_address(self.host).is_unspecified:
            message = "say in `names` how peers reach it"
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """Return what peers are told to call."""
        name = self.names[0] if self.names else self.host
        return f"https://{f'[{name}]' if ':' in name else name}:{self.port}"
