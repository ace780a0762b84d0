"""What a watcher can ask: is it alive, is it ready, and what does it count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from cloud_controller.ports import Row, Transaction
from cloud_controller.web.actions import counts
from cloud_controller.web.problems import open_count
from cloud_controller.web.routes import Call, Shape, WebParts
from cloud_controller.web.sessions import live_count
from common.rules.problems import SEVERITIES, ProblemKind

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Where the histogram of answer times is cut: from one quick read to what nobody waits for."""

NOT_READY: Final = 503

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Health(Shape):
    """The process turns."""

    alive: bool = True


class Readiness(Shape):
    """Whether each part is up; all of them up is ready."""

    parts: dict[str, bool]


class Requests:
    """Counts what is asked, by route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Have the registry show the counts."""
        self._answered = Counter(
            "rusuban_requests", "Requests answered.", ("route", "status"), registry=registry
        )
        self._took = Histogram(
            "rusuban_request_seconds",
            "Seconds from a request's headers to its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )

    def note(self, route: str, status: int, seconds: float | None) -> None:
        """Count one answer; None: how long it took says nothing."""
        self._answered.labels(route, status).inc()
        if seconds is not None:
            self._took.labels(route).observe(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What the books count at one moment.

    Attributes:
        devices: by store and state.
        terminals: by store, standing and presence.
        problems: open ones by store and kind.
        waiting: what has not gone out yet.
        oldest_seconds: how long the first of the outbox has waited.
    """

    sessions_live: int
    problems_open: int
    switches: Mapping[str, int]
    devices: Sequence[Row]
    terminals: Sequence[Row]
    problems: Sequence[Row]
    waiting: Row
    oldest_seconds: float


class Figures(Collector):
    """The figures of the parts at one moment."""

    def __init__(self, parts: WebParts, counted: Counted) -> None:
        """Remember whom to ask, and what the books count."""
        self._parts = parts
        self._counted = counted

    @override
    def collect(self) -> Iterable[Metric]:
        """Yield one family a figure."""
        yield from self._of_parts()
        yield from self._of_stores()
        yield from self._of_waiting()

    def _of_stores(self) -> Iterable[Metric]:
        counted = self._counted
        devices = GaugeMetricFamily("rusuban_devices", "Devices.", labels=("store", "state"))
        for row in counted.devices:
            devices.add_metric((row["store_id"], row["state"]), row["number"])
        yield devices
        terminals = GaugeMetricFamily(
            "rusuban_terminals", "Terminals.", labels=("store", "standing", "presence")
        )
        for row in counted.terminals:
            terminals.add_metric((row["store_id"], row["standing"], row["presence"]), row["number"])
        yield terminals
        problems = GaugeMetricFamily(
            "rusuban_problems", "Open problems.", labels=("store", "kind", "severity")
        )
        for row in counted.problems:
            severity = SEVERITIES[ProblemKind(row["kind"])]
            problems.add_metric((row["store_id"], row["kind"], severity), row["number"])
        yield problems

    def _of_waiting(self) -> Iterable[Metric]:
        counted = self._counted
        for name, what, value in (
            ("outbox_waiting", "Messages not yet acknowledged.", counted.waiting["outbox"]),
            ("outbox_oldest_seconds", "How long the first waits.", counted.oldest_seconds),
            ("letters_waiting", "Letters not yet sent.", counted.waiting["letters"]),
            ("webhooks_waiting", "Events not yet delivered.", counted.waiting["webhooks"]),
            (
                "webhook_endpoints_failing",
                "Endpoints that answer nothing good.",
                counted.waiting["endpoints_failing"],
            ),
        ):
            yield GaugeMetricFamily(f"rusuban_{name}", what, value=value)

    def _of_parts(self) -> Iterable[Metric]:
        parts, counted = self._parts, self._counted
        yield GaugeMetricFamily(
            "rusuban_transactions_waiting",
            "Transactions that wait for the writer.",
            value=parts.waiting_count(),
        )
        yield GaugeMetricFamily(
            "rusuban_sessions_live", "Sessions that hold a device.", value=counted.sessions_live
        )
        yield GaugeMetricFamily(
            "rusuban_problems_open",
            "Problems that the operator must look at.",
            value=counted.problems_open,
        )
        switches = GaugeMetricFamily(
            "rusuban_switches", "Doors, lights and sockets.", labels=("standing",)
        )
        for standing, number in counted.switches.items():
            switches.add_metric((standing,), number)
        yield switches
        up = GaugeMetricFamily("rusuban_part_up", "1 where a part is up.", labels=("part",))
        for part, is_up in parts.is_ready().items():
            up.add_metric((part,), float(is_up))
        yield up
        dropped = CounterMetricFamily(
            "rusuban_messages_dropped", "Messages dropped.", labels=("reason",)
        )
        for reason, count in parts.dropped_counts().items():
            dropped.add_metric((reason,), count)
        yield dropped


async def show_health(_call: Call[None]) -> Health:
    """Say that the process turns."""
    return Health()


async def show_readiness(call: Call[None]) -> web.Response:
    """Say whether every part is up, and which is not."""
    parts = dict(call.parts.is_ready())
    status = 200 if all(parts.values()) else NOT_READY
    return web.Response(
        status=status,
        text=Readiness(parts=parts).model_dump_json(),
        content_type="application/json",
    )


async def show_metrics(call: Call[None]) -> web.Response:
    """Write every figure in Prometheus's text form."""
    now = CollectorRegistry()
    now.register(Figures(call.parts, await call.parts.books.read(_counts)))
    text = generate_latest(call.parts.registry) + generate_latest(now)
    return web.Response(body=text, headers={"Content-Type": TEXT})


def _counts(books: Transaction) -> Counted:
    waiting = books.metrics.waiting()
    oldest_at = waiting["oldest_at"]
    return Counted(
        sessions_live=live_count(books),
        problems_open=open_count(books),
        switches=counts(books),
        devices=list(books.metrics.devices()),
        terminals=list(books.metrics.terminals()),
        problems=list(books.metrics.problems()),
        waiting=waiting,
        oldest_seconds=0.0 if oldest_at is None else max(0, books.now - oldest_at) / 1000,
    )
