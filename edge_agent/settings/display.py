"""The customer's screen, served on loopback to a browser of the same PC."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge_agent.settings.part import Part

DISPLAY_PORT = 8390
"""What the kiosk unit opens; of no other service that IANA knows of."""


class DisplayPart(Part):
    """The screen; without this section there is none, and the log alone says what is told."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    """The loopback address it is served on; there is no other, since nobody is asked who he is."""

    port: Annotated[int, Field(ge=0, le=65_535)] = DISPLAY_PORT
    """The port it is served on; 0 is any free one, which the log then names."""

    language: Literal["ja", "en"] = "ja"
    """What it speaks until somebody chooses otherwise, and again for each next customer."""

    phone: Annotated[str, Field(max_length=40)] = ""
    """A telephone number shown beside the call for help; empty: there is none."""

    has_sound: bool = True
    """Whether verdicts and warnings are heard too."""
