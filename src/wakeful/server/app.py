"""Assembles the ASGI app: the protocols' routes, the documented API, the probes, errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette import routing
from starlette.types import Receive, Scope, Send

from wakeful.contracts.errors import WakefulError
from wakeful.runtime.runtime import Runtime
from wakeful.server import problems
from wakeful.server.chores import Chore, Chores
from wakeful.server.config import ServerConfig
from wakeful.server.cors import cross_origin
from wakeful.server.edge import Edge
from wakeful.server.metrics import Metrics
from wakeful.server.probes import HEALTH, LIVE, METRICS, Probes
from wakeful.server.routing import Route, Router

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger("wakeful.http")


class App:
    """The ASGI app. Starts the runtime with its lifespan, or with its first request where nobody runs that."""

    def __init__(self, runtime: Runtime, config: ServerConfig, metrics: Metrics) -> None:
        self._runtime = runtime
        self._chores = Chores(runtime)
        self._probes = Probes(runtime, config, metrics)
        self._documented = _DocumentedLater(self._probes)
        self._router = Router(self._documented)
        self._router.add(self._probes.routes())
        self._lifespan = routing.Router(lifespan=self._running).lifespan
        edge = Edge(self._started, max_body_bytes=config.max_body_bytes, metrics=metrics, new_id=runtime.clock.new_id)
        self._door = cross_origin(edge, config.cors_origins) if config.cors_origins else edge

    def add(self, routes: Iterable[Route]) -> None:
        """Add one protocol's routes."""
        self._router.add(routes)

    def document(self, routes: Callable[[], Iterable[routing.BaseRoute]]) -> None:
        """Add documented routes, made when first one of them is asked for."""
        self._documented.sources.append(routes)

    def attend(self, chore: Chore) -> None:
        """Add what a protocol does beside answering requests, for as long as the runtime runs."""
        self._chores.add(chore)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._door(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the documented routes."""
        return self._documented.app().openapi()

    async def _started(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] == "http" and not self._runtime.running:
            try:
                await self._runtime.start()
            except WakefulError as error:
                log.warning("the runtime does not start: %s", error.message)
                if not scope["path"].endswith((HEALTH, LIVE, METRICS)):
                    await problems.answer(error)(scope, receive, send)
                    return
            else:
                self._chores.start()
        await self._router(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _: object) -> AsyncGenerator[None]:
        async with self._runtime.lifespan():
            self._chores.start()
            try:
                yield
            finally:
                await self._chores.stop()


class _DocumentedLater:
    """The documented API, made by its first request: FastAPI is a good part of what starting would cost.

    It is made in a thread, so that streams go on meanwhile.
    """

    def __init__(self, probes: Probes) -> None:
        self.sources: list[Callable[[], Iterable[routing.BaseRoute]]] = []
        self._probes = probes
        self._made: FastAPI | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            async with self._making:
                await asyncio.to_thread(self.app)
        await self.app()(scope, receive, send)

    def app(self) -> FastAPI:
        """The app of all routes there are by now."""
        if self._made is None:
            from wakeful.server.documented import documented_app, documented_probes

            routes = [*documented_probes(self._probes).routes, *(one for source in self.sources for one in source())]
            self._made = documented_app(routes)
        return self._made
