"""What `/metrics` shows, in Prometheus text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from wakeful.runtime.runtime import Runtime

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those told apart: a client may invent others without end."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds, inclusive; one more bucket holds what took longer."""
BOUNDS = (*map(str, BUCKETS), "+Inf")


class Metrics:
    """One server's own numbers. They are plain, because only the event loop counts; they become families when asked."""

    def __init__(self, runtime: Runtime) -> None:
        self.in_flight = Tally()
        self.streams = Tally()
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self.durations: dict[tuple[str, str], Durations] = {}
        self._registry = CollectorRegistry()
        self._registry.register(_Runs(runtime))
        self._registry.register(_Bus(runtime))
        self._registry.register(_Requests(self))

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answered request under its route's template, never its raw path."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.answered[method, route, status] += 1
        durations = self.durations.get((method, route))
        if durations is None:
            durations = self.durations[method, route] = Durations()
        durations.observe(seconds)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)


class Tally:
    """Counts how often it is entered now."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1


class Durations:
    """How long something took, time after time: `counts` per bucket of `BOUNDS`, and the sum in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * len(BOUNDS)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds


class _Requests(Collector):
    """What was counted of HTTP requests."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        counted = self._metrics
        in_flight = GaugeMetricFamily("wakeful_http_requests_in_flight", "HTTP requests being answered.")
        in_flight.add_metric([], counted.in_flight.count)
        streams = GaugeMetricFamily("wakeful_sse_connections", "Open event streams.")
        streams.add_metric([], counted.streams.count)
        requests = CounterMetricFamily("wakeful_http_requests", "HTTP requests.", labels=["method", "route", "status"])
        for (method, route, status), count in counted.answered.items():
            requests.add_metric([method, route, str(status)], count)
        durations = HistogramMetricFamily(
            "wakeful_http_request_duration_seconds",
            "Time until the response was complete.",
            labels=["method", "route"],
        )
        for labels, found in counted.durations.items():
            upto = accumulate(found.counts)
            durations.add_metric(labels, list(zip(BOUNDS, upto, strict=True)), found.sum)
        return [in_flight, streams, requests, durations]


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
