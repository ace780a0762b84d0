"""Home Assistant's side of device discovery: it reads and refuses what the real one would.

After its own shapes of MQTT discovery: what a description must have, which options its parts share,
and what a part of each platform shows for a payload.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import Environment

from common.mqtt import Delivery

DEVICE: Final = frozenset(
    "identifiers connections manufacturer model name hw_version serial_number sw_version "
    "via_device suggested_area configuration_url".split()
)
WHOLE: Final = frozenset(
    "device components origin availability availability_mode state_topic command_topic qos "
    "encoding".split()
)
SHARED: Final = ("availability", "availability_mode", "state_topic", "command_topic")
NEEDS: Final = {
    "binary_sensor": {"state_topic"},
    "sensor": {"state_topic"},
    "button": {"command_topic"},
}
CLASSES: Final = {
    "binary_sensor": {"occupancy", "problem", "door", "lock", "light", "power"},
    "sensor": {"duration"},
}
DURATIONS: Final = {"d", "h", "min", "s", "ms"}

_CONFIG = re.compile(r"homeassistant/device/(?P<object>[a-zA-Z0-9_-]+)/config")


@dataclass
class HomeAssistant:
    """What it has found, and what it last heard on each topic."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: dict[str, str] = field(default_factory=dict)

    def hear(self, delivery: Delivery) -> None:
        """Take a message; an empty description takes its device away."""
        described = _CONFIG.fullmatch(delivery.topic)
        payload = delivery.payload.decode()
        if described is None:
            self.heard[delivery.topic] = payload
        elif payload:
            self.found[described["object"]] = _checked(json.loads(payload))
        else:
            self.found.pop(described["object"], None)

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return every entity by its unique id, with the options that its device shares."""
        entities: dict[str, dict[str, Any]] = {}
        for device in self.found.values():
            shared = {name: device[name] for name in SHARED if name in device}
            for part in device["components"].values():
                whole = {**shared, **part}
                assert NEEDS[part["platform"]] <= set(whole), part
                assert part["unique_id"] not in entities
                entities[part["unique_id"]] = whole
        return entities

    def shows(self, unique_id: str) -> str:
        """Return what an entity shows: `unavailable`, `unknown`, or its state."""
        part = self.parts()[unique_id]
        if not all(self._is_there(each) for each in part["availability"]):
            return "unavailable"
        if part["platform"] == "button":
            return "ready"
        said = self._read(part["state_topic"], part["value_template"])
        if said is None or said == "None":
            return "unknown"
        if part["platform"] == "binary_sensor":
            return {"ON": "on", "OFF": "off"}[said]
        return said

    def _is_there(self, told: dict[str, str]) -> bool:
        said = self._read(told["topic"], told.get("value_template", ""))
        return said == told["payload_available"]

    def _read(self, topic: str, template: str) -> str | None:
        payload = self.heard.get(topic)
        if payload is None or not template:
            return payload
        read = Environment(autoescape=False).from_string(template)  # noqa: S701 - no page is made
        return read.render(value=payload, value_json=json.loads(payload))


def _checked(told: dict[str, Any]) -> dict[str, Any]:
    assert {"device", "components", "origin"} <= set(told) <= WHOLE, set(told) - WHOLE
    assert set(told["device"]) <= DEVICE
    assert told["device"].get("identifiers") or told["device"].get("connections")
    assert told["origin"]["name"]
    assert told["availability_mode"] in {"all", "any", "latest"}
    for name, part in told["components"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", name), name
        kind = part.get("device_class")
        assert kind is None or kind in CLASSES[part["platform"]], part
        assert kind != "duration" or part["unit_of_measurement"] in DURATIONS
    return told
