"""Routes that tell the metrics their template and, where they take JSON, who may ask comes before what is asked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette import routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from wakeful.contracts.json import JsonValue
from wakeful.server.body import parse_json, read_json
from wakeful.server.problems import DOCUMENTED


class Route(routing.Route):
    """A plain route; `scope["route"]` names it afterwards, as FastAPI's own routes do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route serves this request."""
        match, found = super().matches(scope)
        return match, {**found, "route": self}


def documented(tag: str, *, prefix: str, admit: Callable[[Request], object]) -> APIRouter:
    """A router of documented routes; `admit` may refuse a request before anything of it is read.

    A body must be JSON by its content type and by RFC 8259; FastAPI by itself would take NaN and lone surrogates.
    """
    return APIRouter(prefix=prefix, tags=[tag], responses=DOCUMENTED, route_class=_guarded(admit))


def _guarded(admit: Callable[[Request], object]) -> type[APIRoute]:

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()
            has_body = self.body_field is not None

            async def handle(request: Request) -> Response:
                admit(request)
                if not has_body:
                    return await answer(request)
                return await answer(_ReadRequest(request, await read_json(request)))

            return handle

    return GuardedRoute


class _ReadRequest(Request):
    """A request whose body is read and parsed already; FastAPI asks for both."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._read = body
        self._parsed = parse_json(body)

    async def body(self) -> bytes:
        return self._read

    async def json(self) -> JsonValue:
        return self._parsed
