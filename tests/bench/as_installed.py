"""The controller, and the agent's link, as they would be had TCP_NODELAY been left as the libraries come."""

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
    be_prompt, settings_text = connection._be_prompt, EmbeddedBroker._settings_text

    def text(broker: EmbeddedBroker) -> str:
        shipped = settings_text(broker)
        assert _PROMPT_LINE in shipped
        return shipped.replace(_PROMPT_LINE, "")

    connection._be_prompt = lambda *_: None
    EmbeddedBroker._settings_text = text  # type: ignore[method-assign] # that is the point of it
    try:
        yield
    finally:
        connection._be_prompt = be_prompt
        EmbeddedBroker._settings_text = settings_text  # type: ignore[method-assign] # put back


if __name__ == "__main__":
    with as_installed():
        command_line()
