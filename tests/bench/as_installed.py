"""The controller and the agent's link as they are when the libraries' defaults are left alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cloud_controller.broker import EmbeddedBroker
from cloud_controller.main import command_line
from common.mqtt import connection

_PROMPT_LINE = "set_tcp_nodelay true\n"


@contextlib.contextmanager
def as_installed() -> Iterator[None]:
    """Leave paho's sockets and mosquitto's listener as they come, for as long as this lasts."""
    settings_text = EmbeddedBroker._settings_text

    def text(broker: EmbeddedBroker) -> str:
        shipped = settings_text(broker)
        assert _PROMPT_LINE in shipped
        return shipped.replace(_PROMPT_LINE, "")

    with (
        _changed(connection, _be_prompt=lambda *_: None),
        _changed(EmbeddedBroker, _settings_text=text),
    ):
        yield


@contextlib.contextmanager
def _changed(owner: object, **others: object) -> Iterator[None]:
    """Put others in the place of what `owner` has, and put it back afterwards."""
    before = {name: getattr(owner, name) for name in others}
    for name, other in others.items():
        setattr(owner, name, other)
    try:
        yield
    finally:
        for name, own in before.items():
            setattr(owner, name, own)


if __name__ == "__main__":
    with as_installed():
        command_line()
