"""ETags of records, and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1)."""

from __future__ import annotations

import re

from starlette.requests import Request

from wakeful.contracts.errors import BadRequest

ETAG = re.compile(r'"(\d{1,12})"')


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def expected(request: Request) -> int | None:
    """The version a change is for; None where the request does not say, or says `*`. Raises `BadRequest` for others."""
    sent = request.headers.getlist("if-match")
    if not sent or sent == ["*"]:
        return None
    tag = ETAG.fullmatch(sent[0].strip()) if len(sent) == 1 else None
    if tag is None:
        raise BadRequest(
            f'expected If-Match with one entity tag like "7" as GET gave it, found {", ".join(sent)[:200]}'
        )
    return int(tag[1])
