"""Errors as HTTP: the one place where an error gets a status, and the one JSON shape it leaves in.

The body is `{"error": str, "code": str, "details"?: any}`.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts import errors
from wakeful.contracts.config import PreconditionFailed

log = logging.getLogger("wakeful.http")

STATUS: dict[type[errors.WakefulError], int] = {
    errors.WakefulError: 500,
    errors.BadRequest: 400,
    errors.UnsupportedMediaType: 415,
    errors.PayloadTooLarge: 413,
    errors.Unauthorised: 401,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Conflict: 409,
    PreconditionFailed: 412,
    errors.Backlogged: 429,
    errors.Unavailable: 503,
    errors.Damaged: 500,
}
RETRY_SECONDS = 2
"""When a client may ask again that is told of no better time: soon, an outage may be a restart."""
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}


def status_of(error: errors.WakefulError) -> int:
    """The HTTP status of an error: that of its nearest ancestor in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int, code: str, message: str, details: Any = None, headers: dict[str, str] | None = None
) -> Response:
    """The response for an error."""
    body: dict[str, Any] = {"error": message, "code": code}
    if details is not None:
        body["details"] = details
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def answer(error: errors.WakefulError) -> Response:
    """The response for an error of ours."""
    return problem(status_of(error), error.code, error.message, error.details, _headers(error))


def _headers(error: errors.WakefulError) -> dict[str, str]:
    match error:
        case errors.Unauthorised():
            return {"www-authenticate": "Bearer"}
        case errors.Backlogged(retry_after=seconds) | errors.StoreBusy(retry_after=seconds):
            return {"retry-after": str(seconds)}
        case errors.Damaged():
            return {}
        case errors.Unavailable():
            return {"retry-after": str(RETRY_SECONDS)}
        case _:
            return {}


def told(request: Request, error: Exception) -> Response:
    """The response for whatever went wrong; the log is told what a client cannot mend."""
    match error:
        case errors.WakefulError():
            if status_of(error) >= 500:
                log.error("%s %s: %s", request.method, request.url.path, error.message)
            return answer(error)
        case HTTPException(status_code=status):
            message = f"{request.method} {request.url.path}: {error.detail}"
            return problem(status, CODES.get(status, "http_error"), message, headers=dict(error.headers or {}))
        case _:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            return problem(500, "internal", "internal error; the server's log says more")


def is_defect(error: Exception) -> bool:
    """Whether nobody meant it to be told to a client."""
    return not isinstance(error, errors.WakefulError | HTTPException)
