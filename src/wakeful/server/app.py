"""Assembles the ASGI app: the native API's documentation, the protocols' routes, health, metrics, errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from wakeful.contracts.errors import WakefulError
from wakeful.contracts.json import JsonObject
from wakeful.runtime.runtime import Runtime
from wakeful.server import problems
from wakeful.server.chores import Chore, Chores
from wakeful.server.config import ServerConfig
from wakeful.server.cors import cross_origin
from wakeful.server.edge import Edge
from wakeful.server.metrics import CONTENT_TYPE, Metrics

DESCRIPTION = "One runtime for LLM agents on a durable log. Times are milliseconds since the epoch, UTC."
PROBES = ("/health", "/health/live", "/metrics")

log = logging.getLogger("wakeful.http")


class App:
    """The ASGI app. Starts the runtime with its lifespan, or with its first request where nobody runs that."""

    def __init__(self, runtime: Runtime, config: ServerConfig, metrics: Metrics) -> None:
        self._runtime = runtime
        self._config = config
        self._metrics = metrics
        self._chores = Chores(runtime)
        self._api = FastAPI(
            title="Wakeful",
            version=version("wakeful"),
            description=DESCRIPTION,
            lifespan=self._lifespan,
            redirect_slashes=False,
        )
        problems.install(self._api)
        self.add(self._system().routes)
        self._edge = Edge(
            self._started, max_body_bytes=config.max_body_bytes, metrics=metrics, new_id=runtime.clock.new_id
        )
        self._door = cross_origin(self._edge, config.cors_origins) if config.cors_origins else self._edge

    def add(self, routes: Iterable[BaseRoute]) -> None:
        """Add one protocol's routes: documented ones, or plain ones of `server.routing`."""
        self._api.router.routes.extend(routes)

    def attend(self, chore: Chore) -> None:
        """Add what a protocol does beside answering requests, for as long as the runtime runs."""
        self._chores.add(chore)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._door(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the native API."""
        return self._api.openapi()

    async def _started(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._runtime.running:
            try:
                await self._runtime.start()
            except WakefulError as error:
                log.warning("the runtime does not start: %s", error.message)
                if not scope["path"].endswith(PROBES):
                    await problems.answer(error)(scope, receive, send)
                    return
            else:
                self._chores.start()
        await self._api(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[None]:
        async with self._runtime.lifespan():
            self._chores.start()
            try:
                yield
            finally:
                await self._chores.stop()

    def _system(self) -> APIRouter:
        router = APIRouter(tags=["system"], responses=problems.DOCUMENTED)
        router.add_api_route("/health", self._health, methods=["GET"], summary="Whether every component works")
        router.add_api_route("/health/live", self._live, methods=["GET"], summary="Whether the process answers")
        router.add_api_route(
            "/metrics",
            self._show_metrics,
            methods=["GET"],
            summary="Counts and times in Prometheus text format",
            response_class=Response,
            responses={200: {"content": {CONTENT_TYPE: {}}}},
        )
        return router

    async def _health(self, _: Request) -> Response:
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
        return JSONResponse(body, 200 if healthy else 503)

    async def _probe_store(self) -> str:
        try:
            async with asyncio.timeout(self._config.health_timeout_seconds):
                await self._runtime.store.probe()
        except TimeoutError:
            return "timeout"
        except Exception:
            log.exception("the store's probe failed")
            return "error"
        return "ok"

    async def _live(self) -> Response:
        return Response(status_code=200)

    async def _show_metrics(self) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)
