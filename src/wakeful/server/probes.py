"""What is asked of the process itself: whether it is healthy, whether it lives, and its metrics."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.json import JsonObject
from wakeful.runtime.runtime import Runtime
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import CONTENT_TYPE, Metrics
from wakeful.server.routing import Route

HEALTH, LIVE, METRICS = "/health", "/health/live", "/metrics"

log = logging.getLogger("wakeful.http")


class Probes:
    """Answers everybody, also while the runtime does not start."""

    def __init__(self, runtime: Runtime, config: ServerConfig, metrics: Metrics) -> None:
        self._runtime = runtime
        self._timeout_seconds = config.health_timeout_seconds
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """All of them; `documented` describes them."""
        return [
            Route(HEALTH, self.health, methods=["GET"]),
            Route(LIVE, self.live, methods=["GET"]),
            Route(METRICS, self.show_metrics, methods=["GET"]),
        ]

    async def health(self, _: Request) -> Response:
        """200 when healthy, else 503; `components.store` is `ok`, `error` or `timeout`.

        While the process goes down there is `components.shutdown`, which is `draining`. With a message bus there is
        `components.bus`, `connected` or `degraded`; it changes nothing else, because the log has everything. `sources`
        are the states of connected servers; one that is away fails its calls and makes this process no less healthy.
        """
        components = {"store": await self._probe_store(), "runtime": "ok" if self._runtime.running else "error"}
        if self._runtime.draining:
            components["shutdown"] = "draining"
        healthy = set(components.values()) == {"ok"}
        if (bus := self._runtime.bus.status) is not None:
            components["bus"] = bus.state
        body: JsonObject = {"status": "healthy" if healthy else "unhealthy", "components": components}
        if self._runtime.catalog.sources:
            body["sources"] = {name: source.health.state for name, source in self._runtime.catalog.sources.items()}
        return Response(msgspec.json.encode(body), 200 if healthy else 503, media_type="application/json")

    async def live(self, _: Request) -> Response:
        """200 while the process answers."""
        return Response(status_code=200)

    async def show_metrics(self, _: Request) -> Response:
        """The numbers of this process."""
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)

    async def _probe_store(self) -> str:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._runtime.store.probe()
        except TimeoutError:
            return "timeout"
        except Exception:
            log.exception("the store's probe failed")
            return "error"
        return "ok"
