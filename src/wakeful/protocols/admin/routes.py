"""All admin routes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from wakeful.protocols.admin import audit, config
from wakeful.server.administration import Administration


def routes(desk: Administration) -> list[BaseRoute]:
    """The whole admin API."""
    return [route for noun in (config, audit) for route in noun.router(desk).routes]
