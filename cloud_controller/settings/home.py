"""What Home Assistant is shown of a store, and what its buttons may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cloud_controller.settings.part import Part
from common.messages.base import Name
from common.rules.sessions import EXTENSION_SECONDS_MAX


class HomeAssistantSettings(Part):
    """Home Assistant finds the devices of a store on the controller's own broker."""

    store: Name | None = None
    """The store whose devices it finds; none: those of every store."""

    may_act: bool = True
    """Whether it has buttons that end a session and give it more time."""

    extend_seconds: Annotated[int, Field(ge=60, le=EXTENSION_SECONDS_MAX)] = 900
    """How much time one press of its button gives; it costs the customer nothing."""
