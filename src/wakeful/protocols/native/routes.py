"""All native routes, by noun."""

from __future__ import annotations

from starlette.routing import BaseRoute

from wakeful.protocols.native import capabilities, control, dead_letters, inputs, mailbox, messages, runs, threads
from wakeful.server.operations import Operations


def routes(operations: Operations) -> list[BaseRoute]:
    """The whole native API."""
    nouns = (capabilities, threads, messages, runs, inputs, mailbox, control, dead_letters)
    return [route for noun in nouns for route in noun.router(operations).routes]
