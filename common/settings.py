"""Settings are a TOML file and the environment; an unknown key is refused in one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from common.errors import SettingsAreWrong

FILE_BYTES_MAX = 262_144
"""Bytes of a settings file; a larger one is something else."""


class Settings(BaseSettings):
    """What a program can be told; the environment wins over the file.

    A nested field is named with two underscores in the environment: `RUSUBAN_WEB__PORT=8080`.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_nested_delimiter="__")

    @classmethod
    def load(cls, file: Path | None) -> Self:
        """Return the settings of this file and the environment.

        Raises:
            SettingsAreWrong: the file cannot be read, or a key is unknown or out of bounds.
        """
        try:
            return cls(_from_file=_read(file))  # type: ignore[call-arg] # taken out again below
        except ValidationError as fault:
            faults = fault.errors(include_url=False, include_input=False)
            first = min(faults, key=lambda each: each["type"] != "extra_forbidden")
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise SettingsAreWrong(why=f"{place}: {first['msg']}") from None

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file below the environment."""
        given = init_settings()
        from_file = InitSettingsSource(settings_cls, given.pop("_from_file", {}))
        return (
            InitSettingsSource(settings_cls, given),
            env_settings,
            file_secret_settings,
            from_file,
        )


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise SettingsAreWrong(why=f"{file} is larger than {FILE_BYTES_MAX} bytes")
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as fault:
        raise SettingsAreWrong(why=f"{file}: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsAreWrong(why=f"{file}: {fault}") from None
