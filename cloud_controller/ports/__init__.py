"""What the flows need of the world, in the flows' own words; the rim stands behind it."""

from cloud_controller.ports.books import (
    LATELY_MAX,
    LATELY_SECONDS,
    Books,
    Flow,
    Queries,
    Row,
    Transaction,
)
from cloud_controller.ports.faults import (
    CodeIsSpent,
    NotAllowed,
    NotFound,
    SlotIsTaken,
    WebhookIsForged,
)
from cloud_controller.ports.values import (
    Actor,
    Certified,
    Movement,
    Problem,
    Published,
    Received,
    Registered,
    RoleGiven,
    Said,
    SetupChange,
)
from cloud_controller.ports.world import (
    Clock,
    Keys,
    Names,
    Packages,
    PaymentDesk,
    Registry,
)

__all__ = [
    "LATELY_MAX",
    "LATELY_SECONDS",
    "Actor",
    "Books",
    "Certified",
    "Clock",
    "CodeIsSpent",
    "Flow",
    "Keys",
    "Movement",
    "Names",
    "NotAllowed",
    "NotFound",
    "Packages",
    "PaymentDesk",
    "Problem",
    "Published",
    "Queries",
    "Received",
    "Registered",
    "Registry",
    "RoleGiven",
    "Row",
    "Said",
    "SetupChange",
    "SlotIsTaken",
    "Transaction",
    "WebhookIsForged",
]
