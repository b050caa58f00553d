"""A server with agents of both kinds, and a client of it over each binding."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.protocols.a2a.talking import Gate, Talk, agents


@pytest.fixture
def gate() -> Gate:
    """Holds the agent that is told to be slow."""
    return Gate()


@pytest.fixture
async def working(serve: Callable[..., Awaitable[Any]], gate: Gate) -> Any:
    """Function agents, served; notifications may go to this machine."""
    return await serve(agents=agents(gate), push_to_loopback=True)


@pytest.fixture(params=["JSON-RPC", "HTTP+JSON"])
def talk(request: pytest.FixtureRequest, working: Any) -> Talk:
    """A client over each binding in turn."""
    return Talk(working.client, rpc=request.param == "JSON-RPC")
