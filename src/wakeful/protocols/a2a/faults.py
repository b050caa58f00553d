"""What goes wrong, as A2A says it (specification 1.0, error handling), in both bindings.

JSON-RPC has a number and an array of details, HTTP+JSON a `google.rpc.Status`; the first detail is an `ErrorInfo`
with the reason, fields that do not fit follow as `BadRequest.fieldViolations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from starlette.responses import Response

from wakeful.contracts import errors
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.a2a.wire import MEDIA_TYPE

DOMAIN = "a2a-protocol.org"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


class Row(NamedTuple):
    """One kind of error: its reason, its number in JSON-RPC, and its HTTP status with gRPC's name for it."""

    reason: str
    number: int
    http: int
    status: str


TASK_NOT_FOUND = Row("TASK_NOT_FOUND", -32001, 404, "NOT_FOUND")
TASK_NOT_CANCELABLE = Row("TASK_NOT_CANCELABLE", -32002, 400, "FAILED_PRECONDITION")
PUSH_NOT_SUPPORTED = Row("PUSH_NOTIFICATION_NOT_SUPPORTED", -32003, 400, "FAILED_PRECONDITION")
UNSUPPORTED_OPERATION = Row("UNSUPPORTED_OPERATION", -32004, 400, "FAILED_PRECONDITION")
CONTENT_TYPE_NOT_SUPPORTED = Row("CONTENT_TYPE_NOT_SUPPORTED", -32005, 400, "INVALID_ARGUMENT")
INVALID_AGENT_RESPONSE = Row("INVALID_AGENT_RESPONSE", -32006, 500, "INTERNAL")
CARD_NOT_CONFIGURED = Row("EXTENDED_AGENT_CARD_NOT_CONFIGURED", -32007, 400, "FAILED_PRECONDITION")
EXTENSION_REQUIRED = Row("EXTENSION_SUPPORT_REQUIRED", -32008, 400, "FAILED_PRECONDITION")
VERSION_NOT_SUPPORTED = Row("VERSION_NOT_SUPPORTED", -32009, 400, "FAILED_PRECONDITION")
INVALID_PARAMS = Row("INVALID_PARAMS", -32602, 400, "INVALID_ARGUMENT")
INVALID_REQUEST = Row("INVALID_REQUEST", -32600, 400, "INVALID_ARGUMENT")
METHOD_NOT_FOUND = Row("METHOD_NOT_FOUND", -32601, 404, "NOT_FOUND")
PARSE_ERROR = Row("PARSE_ERROR", -32700, 400, "INVALID_ARGUMENT")
INTERNAL = Row("INTERNAL_ERROR", -32603, 500, "INTERNAL")
AGENT_NOT_FOUND = Row("AGENT_NOT_FOUND", -32602, 404, "NOT_FOUND")
UNAUTHENTICATED = Row("UNAUTHENTICATED", -32600, 401, "UNAUTHENTICATED")
TOO_LARGE = Row("INVALID_REQUEST", -32600, 413, "INVALID_ARGUMENT")
EXHAUSTED = Row("RESOURCE_EXHAUSTED", -32603, 429, "RESOURCE_EXHAUSTED")
UNAVAILABLE = Row("UNAVAILABLE", -32603, 503, "UNAVAILABLE")


LEGACY_TYPES = {
    -32001: "TaskNotFoundError",
    -32002: "TaskNotCancelableError",
    -32003: "PushNotificationNotSupportedError",
    -32004: "UnsupportedOperationError",
    -32005: "ContentTypeNotSupportedError",
    -32006: "InvalidAgentResponseError",
    -32007: "ExtendedAgentCardNotConfiguredError",
    -32008: "ExtensionSupportRequiredError",
    -32009: "VersionNotSupportedError",
    -32600: "InvalidRequestError",
    -32601: "MethodNotFoundError",
    -32602: "InvalidParamsError",
    -32700: "JSONParseError",
}
"""Numbers as the types that errors have in 0.3."""


class Violation(NamedTuple):
    """One field that does not fit, by its path, and why."""

    field: str
    description: str


class Fault(errors.WakefulError):
    """A request that A2A has an error for: the `row` of the table and what is wrong with which field."""

    code = "a2a_fault"

    def __init__(
        self,
        row: Row,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.row = row
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


def invalid(field: str, description: str) -> Fault:
    """One field does not fit."""
    return Fault(INVALID_PARAMS, f"{field}: {description}", violations=[Violation(field, description)])


_ROWS: dict[type[errors.WakefulError], Row] = {
    errors.WakefulError: INTERNAL,
    errors.BadRequest: INVALID_PARAMS,
    errors.UnsupportedMediaType: CONTENT_TYPE_NOT_SUPPORTED,
    errors.PayloadTooLarge: TOO_LARGE,
    errors.Unauthorised: UNAUTHENTICATED,
    errors.NotFound: AGENT_NOT_FOUND,
    errors.Gone: UNSUPPORTED_OPERATION,
    errors.Conflict: UNSUPPORTED_OPERATION,
    errors.Backlogged: EXHAUSTED,
    errors.Unavailable: UNAVAILABLE,
    errors.StoreUnavailable: INTERNAL,
    errors.StoreBusy: UNAVAILABLE,
}


def fault_of(error: errors.WakefulError) -> Fault:
    """Any error of ours as one of A2A's: by its nearest ancestor in the table."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, errors.NotFound) and error.kind == "run":
        return Fault(TASK_NOT_FOUND, f"task not found: {error.id}", metadata={"taskId": error.id})
    row = next(_ROWS[kind] for kind in type(error).__mro__ if kind in _ROWS)
    waits = error.retry_after if isinstance(error, errors.Backlogged | errors.StoreBusy) else None
    return Fault(row, error.message, retry_after=waits)


def details(fault: Fault) -> list[JsonObject]:
    """What is told beside the message, the `ErrorInfo` first."""
    info: JsonObject = {"@type": ERROR_INFO, "reason": fault.row.reason, "domain": DOMAIN}
    if fault.metadata:
        info["metadata"] = fault.metadata
    if not fault.violations:
        return [info]
    violations = [violation._asdict() for violation in fault.violations]
    return [info, {"@type": BAD_REQUEST, "fieldViolations": violations}]


def rpc_error(fault: Fault) -> JsonObject:
    """The `error` member of a JSON-RPC response."""
    return {"code": fault.row.number, "message": fault.message, "data": details(fault)}


def rpc_answer(fault: Fault, request_id: JsonValue) -> Response:
    """A JSON-RPC error response: 200 as the protocol wants, other statuses only where HTTP itself has a say."""
    status = fault.row.http if fault.row in _HTTP_MATTERS else 200
    body = {"jsonrpc": "2.0", "id": request_id, "error": rpc_error(fault)}
    return Response(msgspec.json.encode(body), status, _headers(fault), media_type="application/json")


def rest_answer(fault: Fault) -> Response:
    """A `google.rpc.Status` as JSON."""
    error = {
        "code": fault.row.http,
        "status": fault.row.status,
        "message": fault.message,
        "details": details(fault),
    }
    return Response(msgspec.json.encode({"error": error}), fault.row.http, _headers(fault), media_type=MEDIA_TYPE)


def legacy_answer(fault: Fault) -> Response:
    """An error of 0.3 over HTTP+JSON: some clients know it by its type, others by its number."""
    kind = LEGACY_TYPES.get(fault.row.number, "InternalError")
    error = {"type": kind, "code": fault.row.number, "message": fault.message, "data": details(fault)}
    return Response(msgspec.json.encode(error), fault.row.http, _headers(fault), media_type="application/json")


_HTTP_MATTERS = (AGENT_NOT_FOUND, UNAUTHENTICATED, TOO_LARGE, EXHAUSTED, UNAVAILABLE)


def _headers(fault: Fault) -> dict[str, str]:
    if fault.row is UNAUTHENTICATED:
        return {"www-authenticate": "Bearer"}
    return {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
