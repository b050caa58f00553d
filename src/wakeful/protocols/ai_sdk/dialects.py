"""Which major version of the AI SDK a client speaks, and the places where it can say so."""

from __future__ import annotations

from typing import Literal, get_args

from starlette.requests import Request

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.json import JsonValue

Dialect = Literal["5", "6", "7"]
"""A major version of npm `ai`; what is said to a client is what the schema of that version accepts."""

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
HEADER = "x-wakeful-ai-sdk"
PARAMETER = "ai_sdk"
OPTION = "aiSdkVersion"


def read_dialect(place: str, sent: JsonValue) -> Dialect | None:
    """The version a client named in `place`, as text or as a number; None when it named none.

    Raises `BadRequest` for anything that is no version we speak.
    """
    if sent is None:
        return None
    known: dict[str, Dialect] = {dialect: dialect for dialect in DIALECTS}
    named = str(sent).strip() if isinstance(sent, str | int) and not isinstance(sent, bool) else ""
    if named not in known:
        raise BadRequest(f"expected {place} to be one of {', '.join(DIALECTS)}, found {sent!r}")
    return known[named]


def asked_dialect(request: Request) -> Dialect | None:
    """The version a request names in its header, else in its query; raises `BadRequest` like `read_dialect`."""
    header = read_dialect(f"the header {HEADER!r}", request.headers.get(HEADER))
    query = read_dialect(f"the query parameter {PARAMETER!r}", request.query_params.get(PARAMETER))
    return header or query
