"""Reading a request's body, for handlers that decode it themselves."""

from __future__ import annotations

from starlette.requests import Request

from wakeful.contracts.errors import UnsupportedMediaType


def require_json(request: Request) -> None:
    """Raise `UnsupportedMediaType` unless the request says that its body is JSON."""
    sent = request.headers.get("content-type", "")
    media = sent.partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType(f"expected content-type application/json, found {sent or 'none'}")


async def read_json(request: Request) -> bytes:
    """The raw body of a JSON request."""
    require_json(request)
    return await request.body()
