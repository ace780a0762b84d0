"""A description of what crosses a broker, and whether a message is as it says."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes without types

from common.mqtt import Delivery


class Described:
    """Judges messages by an AsyncAPI document, and by nothing else."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._shape_of = cache(self._shape)
        self._channels = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(each["address"]))), each)
            for each in document["channels"].values()
        ]

    def kind_of(self, delivery: Delivery) -> str:
        """Return the name of the message that this is; none, or one of another shape, is a fault.

        A field that the description does not name is a fault too: there are none on a wire whose
        both ends are of today.
        """
        found = [each for topic, each in self._channels if topic.fullmatch(delivery.topic)]
        assert len(found) == 1, f"{delivery.topic} is the address of {len(found)} channels"
        names = found[0]["messages"]
        payload = delivery.payload.decode()
        plain = [each for each in names if "contentType" in self._message(each)]
        if plain and not payload.startswith("{"):
            self._shape_of(plain[0]).validate(payload)
            return str(plain[0])
        body = json.loads(payload)
        kind = str(body["type"])
        assert kind in names, f"{kind} on {delivery.topic}"
        self._shape_of(kind).validate(body)
        fields = self._message(kind)["payload"]["allOf"][1]["properties"]["data"]
        assert set(body["data"]) <= set(self._resolved(fields).get("properties", ())), kind
        return kind

    def _message(self, name: str) -> dict[str, Any]:
        message: dict[str, Any] = self._document["components"]["messages"][name]
        return message

    def _resolved(self, reference: dict[str, str]) -> dict[str, Any]:
        shape: dict[str, Any] = self._document
        for part in reference["$ref"].removeprefix("#/").split("/"):
            shape = shape[part]
        return shape

    def _shape(self, message: str) -> jsonschema.Draft202012Validator:
        payload = self._message(message)["payload"]
        return jsonschema.Draft202012Validator(
            {**payload, "components": self._document["components"]}
        )
