"""For programs that watch and integrate."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import metrics
from cloud_controller.web.routes import EVERY, Route, Who
from common.rules.accounts import Permission

# fmt: off
PROGRAM_ROUTES: Final = (
    Route("GET", "/healthz", metrics.show_health, Who.ANYBODY, EVERY,
          "Is the process alive?", answers=metrics.Health),
    Route("GET", "/readyz", metrics.show_readiness, Who.ANYBODY, EVERY,
          "Is every part up?", answers=metrics.Readiness),
    Route("GET", "/metrics", metrics.show_metrics, Who.OPERATOR, EVERY,
          "What does it count?", media_type="text/plain", permission=Permission.LOOK),
)
# fmt: on
