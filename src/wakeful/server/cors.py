"""Lets pages of other origins call the server, where the operator says so."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
READABLE = ("x-request-id", "x-vercel-ai-ui-message-stream", "retry-after", "location")
"""Headers of an answer that such a page may read."""


def cross_origin(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The app, answering preflight requests and naming the allowed origin (Fetch standard, CORS protocol).

    Cookies are never allowed: who calls is told by a bearer token, which pages send themselves.
    """
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=METHODS, allow_headers=["*"], expose_headers=READABLE, max_age=600
    )
