"""Webhooks: who is told, what waits for them, and what became of each word."""

from cloud_controller.flows.hooks.deliveries import (
    Answered,
    Delivery,
    due_endpoints,
    forget,
    note_answer,
    take,
)
from cloud_controller.flows.hooks.endpoints import (
    Endpoint,
    EndpointWanted,
    add,
    change,
    endpoint,
    endpoints,
    remove,
    rotate,
    switch,
)
from cloud_controller.flows.hooks.replays import (
    deliveries,
    delivery,
    replay,
    replay_since,
    test,
    tries,
)

__all__ = [
    "Answered",
    "Delivery",
    "Endpoint",
    "EndpointWanted",
    "add",
    "change",
    "deliveries",
    "delivery",
    "due_endpoints",
    "endpoint",
    "endpoints",
    "forget",
    "note_answer",
    "remove",
    "replay",
    "replay_since",
    "rotate",
    "switch",
    "take",
    "test",
    "tries",
]
