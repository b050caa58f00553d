"""The documented API: FastAPI's routes, which read and check what they are sent, and describe themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from wakeful.contracts.errors import WakefulError
from wakeful.contracts.json import JsonValue
from wakeful.server import problems
from wakeful.server.body import parse_json, read_json
from wakeful.server.metrics import CONTENT_TYPE
from wakeful.server.probes import HEALTH, LIVE, METRICS, Probes

DESCRIPTION = "One runtime for LLM agents on a durable log. Times are milliseconds since the epoch, UTC."


class Problem(BaseModel):
    """Every error's body."""

    error: str
    code: str
    details: Any = None


# "default" also keeps FastAPI from documenting its own 422, which never leaves the app.
DOCUMENTED: dict[int | str, dict[str, Any]] = {"default": {"model": Problem, "description": "An error."}}


def documented_app(routes: Iterable[BaseRoute]) -> FastAPI:
    """An app of these routes and their documentation, whose errors are problems."""
    app = FastAPI(title="Wakeful", version=version("wakeful"), description=DESCRIPTION, redirect_slashes=False)
    for kind in (WakefulError, HTTPException, Exception):
        app.add_exception_handler(kind, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.router.routes.extend(routes)
    return app


def documented_probes(probes: Probes) -> APIRouter:
    """The description of the probes; what answers them are their plain routes."""
    router = APIRouter(tags=["system"], responses=DOCUMENTED)
    router.add_api_route(HEALTH, probes.health, methods=["GET"], summary="Whether every component works")
    router.add_api_route(LIVE, probes.live, methods=["GET"], summary="Whether the process answers")
    router.add_api_route(
        METRICS,
        probes.show_metrics,
        methods=["GET"],
        summary="Counts and times in Prometheus text format",
        response_class=Response,
        responses={200: {"content": {CONTENT_TYPE: {}}}},
    )
    return router


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


async def _told(request: Request, error: Exception) -> Response:
    return problems.told(request, error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows what Starlette types as Exception
    found = [{"at": ".".join(map(str, item["loc"])), "problem": item["msg"]} for item in error.errors()]
    text = "; ".join(f"{item['at']}: {item['problem']}" for item in found)
    return problems.problem(400, "bad_request", f"the request is not valid: {text}", found)
