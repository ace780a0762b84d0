"""What Home Assistant is told of a device: what it is, and how it stands now; pure.

Its device-based discovery: one retained message describes all that belongs to one thing. Nothing
says who uses a device, nor which ticket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.topics import CONTROLLER_STATE, discovery_topic, home_topic

ORIGIN: Final = {"name": "Rusuban"}
MAKER: Final = "Rusuban"
PRESS: Final = "PRESS"
"""What a button says; anything else is none of its words."""

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Something Home Assistant finds: a device that customers use, or a house's switches.

    Attributes:
        name: its id, as topics have it.
        place: which store it stands in, as people call that.
        sensors: its parts by their own names, as discovery has them.
        stands: how it stands now, by the names that its parts read.
    """

    name: str
    title: str
    model: str
    place: str
    sensors: Mapping[str, Mapping[str, Any]]
    stands: Mapping[str, Any] = field(default_factory=dict)

    @property
    def messages(self) -> Iterator[tuple[str, bytes]]:
        """Yield its retained messages with their topics: what it is, and how it stands."""
        yield discovery_topic(self.name), _bytes(_described(self))
        yield home_topic(self.name, "state"), _bytes(self.stands)


def device_thing(row: Mapping[str, Any], now: int, extend_seconds: int | None) -> Thing:
    """Return a device as it stands at `now` (ms); None: it has no buttons."""
    name = str(row["device_id"])
    in_use = row["session_state"] in {"starting", "running", "ending"}
    left = max(0, row["deadline_at"] - now) if in_use and row["deadline_at"] else None
    return Thing(
        name=name,
        title=row["title"] or f"#{row['number']}",
        model="device",
        place=row["store"],
        sensors={
            "in_use": _sensor("binary_sensor", "In use", "in_use", device_class="occupancy"),
            "minutes_left": _sensor(
                "sensor",
                "Minutes left",
                "minutes_left",
                device_class="duration",
                unit_of_measurement="min",
            ),
            "out_of_order": _sensor(
                "binary_sensor", "Out of order", "out_of_order", device_class="problem"
            ),
            **({} if extend_seconds is None else _buttons(name, extend_seconds)),
        },
        stands={
            "there": _on(row["presence"] == "here"),
            "in_use": _on(in_use),
            "minutes_left": None if left is None else -(-left // MINUTE_MS),
            "out_of_order": _on(bool(row["is_out_of_order"])),
        },
    )


def switches_thing(owner: str, rows: Sequence[Mapping[str, Any]], place: str) -> Thing:
    """Return the doors, lights and sockets of one PC, or of the controller, as they stand.

    One that did not answer stands as nobody knows.
    """
    return Thing(
        name=f"switches-{owner}",
        title=f"Doors and lights of {owner}",
        model="switches",
        place=place,
        sensors={
            f"switch_{row['switch']}": _sensor(
                "binary_sensor", row["title"] or row["switch"], row["switch"], icon=_icon(row)
            )
            for row in rows
        },
        stands={"there": "ON"}
        | {
            row["switch"]: _on(row["wanted"] == "on") if row["standing"] == "confirmed" else None
            for row in rows
        },
    )


def _described(thing: Thing) -> dict[str, Any]:
    state = home_topic(thing.name, "state")
    unique = f"rusuban_{thing.name}"
    return {
        "device": {
            "identifiers": [unique],
            "name": thing.title,
            "manufacturer": MAKER,
            "model": thing.model,
            **({"suggested_area": thing.place} if thing.place else {}),
        },
        "origin": ORIGIN,
        "availability_mode": "all",
        "availability": [
            {
                "topic": CONTROLLER_STATE,
                "payload_available": "here",
                "payload_not_available": "gone",
            },
            {
                "topic": state,
                "value_template": "{{ value_json.there }}",
                "payload_available": "ON",
                "payload_not_available": "OFF",
            },
        ],
        "state_topic": state,
        "qos": 1,
        "components": {
            name: {**part, "unique_id": f"{unique}_{name}"} for name, part in thing.sensors.items()
        },
    }


def _sensor(platform: str, name: str, reads: str, **more: str) -> dict[str, Any]:
    return {
        "platform": platform,
        "name": name,
        "value_template": f"{{{{ value_json['{reads}'] }}}}",
        **more,
    }


def _buttons(name: str, extend_seconds: int) -> dict[str, dict[str, Any]]:
    return {
        "end": _button("End the session", home_topic(name, "end"), "mdi:stop-circle-outline"),
        "extend": _button(
            f"{extend_seconds // 60} minutes more",
            home_topic(name, "extend"),
            "mdi:clock-plus-outline",
        ),
    }


def _button(name: str, topic: str, icon: str) -> dict[str, Any]:
    return {
        "platform": "button",
        "name": name,
        "command_topic": topic,
        "payload_press": PRESS,
        "icon": icon,
    }


def _icon(row: Mapping[str, Any]) -> str:
    """Return a sign by what a switch is called; its settings do not say what it is."""
    called = f"{row['switch']} {row['title']}".lower()
    if any(word in called for word in ("door", "lock", "ドア", "鍵", "錠")):
        return "mdi:door"
    if any(word in called for word in ("light", "lamp", "照明", "灯")):
        return "mdi:lightbulb"
    return "mdi:power-socket"


def _on(is_so: bool) -> str:  # noqa: FBT001 - a flag is all there is to say
    return "ON" if is_so else "OFF"


def _bytes(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
