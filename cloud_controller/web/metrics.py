"""What a watcher can ask: is it alive, is it ready, and what does it count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from cloud_controller.ports import Transaction
from cloud_controller.web.actions import counts
from cloud_controller.web.problems import open_count
from cloud_controller.web.routes import Call, Shape, WebParts
from cloud_controller.web.sessions import live_count

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


class Figures(Collector):
    """The figures of the parts at one moment."""

    def __init__(
        self,
        parts: WebParts,
        *,
        sessions_live: int,
        problems_open: int,
        switches: Mapping[str, int],
    ) -> None:
        """Remember whom to ask."""
        self._switches = switches
        self._parts = parts
        self._sessions_live = sessions_live
        self._problems_open = problems_open

    @override
    def collect(self) -> Iterable[Metric]:
        """Yield one family a figure."""
        parts = self._parts
        yield GaugeMetricFamily(
            "rusuban_transactions_waiting",
            "Transactions that wait for the writer.",
            value=parts.waiting_count(),
        )
        yield GaugeMetricFamily(
            "rusuban_sessions_live", "Sessions that hold a device.", value=self._sessions_live
        )
        yield GaugeMetricFamily(
            "rusuban_problems_open",
            "Problems that the operator must look at.",
            value=self._problems_open,
        )
        switches = GaugeMetricFamily(
            "rusuban_switches", "Doors, lights and sockets.", labels=("standing",)
        )
        for standing, number in self._switches.items():
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
    sessions_live, problems_open, switches = await call.parts.books.read(_counts)
    figures = Figures(
        call.parts, sessions_live=sessions_live, problems_open=problems_open, switches=switches
    )
    now.register(figures)
    text = generate_latest(call.parts.registry) + generate_latest(now)
    return web.Response(body=text, headers={"Content-Type": TEXT})


def _counts(books: Transaction) -> tuple[int, int, dict[str, int]]:
    return live_count(books), open_count(books), counts(books)
