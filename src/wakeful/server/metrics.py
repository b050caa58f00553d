"""What `/metrics` shows, in Prometheus text format."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from wakeful.runtime.runtime import Runtime

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those told apart: a client may invent others without end."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One server's own registry; nothing is registered globally."""

    def __init__(self, runtime: Runtime) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Runs(runtime))
        self._registry.register(_Bus(runtime))
        self.in_flight = Gauge(
            "wakeful_http_requests_in_flight", "HTTP requests being answered.", registry=self._registry
        )
        self.sse_connections = Gauge("wakeful_sse_connections", "Open event streams.", registry=self._registry)
        self._requests = Counter(
            "wakeful_http_requests", "HTTP requests.", ["method", "route", "status"], registry=self._registry
        )
        self._durations = Histogram(
            "wakeful_http_request_duration_seconds",
            "Time until the response was complete.",
            ["method", "route"],
            registry=self._registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answered request under its route's template, never its raw path."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._durations.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)


class _Runs(Collector):
    """Reads the worker's own counts when asked."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        active = GaugeMetricFamily("wakeful_active_runs", "Runs being carried by this process.")
        active.add_metric([], self._runtime.worker.active)
        ended = CounterMetricFamily("wakeful_runs", "Runs that came to rest in this process.", labels=["outcome"])
        for status, count in self._runtime.worker.endings.items():
            ended.add_metric([status], count)
        return [active, ended]


class _Bus(Collector):
    """Reads how the message bus is, where there is one."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        status = self._runtime.bus.status
        if status is None:
            return []
        connected = GaugeMetricFamily("wakeful_bus_connected", "1 while the bus works, 0 while logs are read instead.")
        connected.add_metric([], status.state == "connected")
        batches = CounterMetricFamily(
            "wakeful_bus_batches", "Commits of runs that travelled over the bus.", labels=["way"]
        )
        batches.add_metric(["sent"], status.sent)
        batches.add_metric(["heard"], status.heard)
        return [connected, batches]
