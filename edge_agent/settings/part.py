"""What every section of the settings is: frozen, and without anything that is not known."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from common.ids import NAME_PATTERN

Key = Annotated[str, Field(pattern=NAME_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class Part(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")
