"""Reading a request's body."""

from __future__ import annotations

import msgspec
from starlette.requests import ClientDisconnect, Request

from wakeful.contracts.errors import BadRequest, UnsupportedMediaType
from wakeful.contracts.json import JsonValue


async def read_json(request: Request) -> bytes:
    """The raw body; raises `UnsupportedMediaType` unless the request says that it is JSON, `BadRequest` if cut off."""
    sent = request.headers.get("content-type", "")
    media = sent.partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType(f"expected content-type application/json, found {sent or 'none'}")
    try:
        return await request.body()
    except ClientDisconnect:
        raise BadRequest("the connection was closed before the whole body arrived") from None


def parse_json(body: bytes) -> JsonValue:
    """The body's value; raises `BadRequest` unless it is JSON in UTF-8 (RFC 8259)."""
    try:
        return msgspec.json.decode(body.decode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
