"""The embedded broker: mosquitto as our child, its accounts written from our database."""

from cloud_controller.broker.child import (
    BrokerDoesNotStart,
    BrokerEnded,
    BrokerFiles,
    BrokerIsMissing,
    BrokerPortIsTaken,
    BrokerSettings,
    EmbeddedBroker,
)
from cloud_controller.broker.security import (
    CONTROL_RESPONSES,
    SALT_BYTES,
    AccountRole,
    BrokerAccount,
    BrokerCommand,
    Refusal,
    change_role,
    create_account,
    hash_secret,
    refusals_in,
    remove_account,
)

__all__ = [
    "CONTROL_RESPONSES",
    "SALT_BYTES",
    "AccountRole",
    "BrokerAccount",
    "BrokerCommand",
    "BrokerDoesNotStart",
    "BrokerEnded",
    "BrokerFiles",
    "BrokerIsMissing",
    "BrokerPortIsTaken",
    "BrokerSettings",
    "EmbeddedBroker",
    "Refusal",
    "change_role",
    "create_account",
    "hash_secret",
    "refusals_in",
    "remove_account",
]
