"""How long it is known whose something was."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from cloud_controller.settings.part import Part

_DAY_SECONDS: Final = 86_400


class PrivacySettings(Part):
    """How long it is known who a customer was; what was sold, when and for how much is kept."""

    orders_days: Annotated[int, Field(ge=30, le=3650)] = 400
    """Days after its last use for which an order keeps its customer's address: a year of questions
    about a receipt, and some weeks."""

    waits_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days for which it is kept who had waited in vain, or was served, in a waiting list."""

    @property
    def orders_seconds(self) -> int:
        """Return the first in seconds."""
        return self.orders_days * _DAY_SECONDS

    @property
    def waits_seconds(self) -> int:
        """Return the second in seconds."""
        return self.waits_days * _DAY_SECONDS
