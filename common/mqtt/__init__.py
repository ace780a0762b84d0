"""MQTT for both programs: bytes only, nothing kept; only the file `connection` knows paho."""

from common.mqtt.link import Link
from common.mqtt.values import (
    Delivery,
    LinkCallbacks,
    LinkCounts,
    LinkSettings,
    LossReason,
    Outcome,
    RetrySettings,
    SubscriptionIsRefused,
    Token,
    Will,
)

__all__ = [
    "Delivery",
    "Link",
    "LinkCallbacks",
    "LinkCounts",
    "LinkSettings",
    "LossReason",
    "Outcome",
    "RetrySettings",
    "SubscriptionIsRefused",
    "Token",
    "Will",
]
