"""Whom webhooks may tell, and how long it is kept what they were told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cloud_controller.settings.part import HostName, Part


class HookSettings(Part):
    """Webhooks: events that are told to addresses which owners name."""

    trusted_hosts: Annotated[tuple[HostName, ...], Field(max_length=50)] = ()
    """Hosts in networks of your own that may be told, also without TLS; all others are public."""

    kept_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days for which what was told to whom is kept, to be looked at and said again."""

    @property
    def hosts(self) -> frozenset[str]:
        """Return the trusted hosts as they are compared: in small letters."""
        return frozenset(host.lower() for host in self.trusted_hosts)
