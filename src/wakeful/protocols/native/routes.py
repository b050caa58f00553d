"""All native routes, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from wakeful.protocols.native import messages, runs, threads
from wakeful.protocols.native.wire import Problem
from wakeful.server.operations import Operations

ERRORS = {status: {"model": Problem} for status in (400, 401, 404, 409, 413, 415, 500)}


def router(operations: Operations) -> APIRouter:
    """The router of the whole native API."""
    api = APIRouter(prefix="/v1", responses={**ERRORS})
    api.include_router(threads.router(operations))
    api.include_router(messages.router(operations))
    api.include_router(runs.router(operations))
    return api
