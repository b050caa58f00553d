"""A server whose agents do what they are told, and runtimes that ask them from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.backends.a2a.working import Gate, agents

from wakeful import Agent, AgentRuntime
from wakeful.contracts.spec import Endpoint
from wakeful.runtime.config import RuntimeConfig


@pytest.fixture
def gate() -> Gate:
    """Holds the agents that are told to be slow."""
    return Gate()


@pytest.fixture
async def remote(serve: Callable[..., Awaitable[Any]], gate: Gate) -> Any:
    """The other server."""
    return await serve(agents=agents(gate))


class Here:
    """The side that asks. `open` starts a runtime whose agent `remote` answers over there."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self.store = f"sqlite:///{folder / 'here.db'}"

    async def open(self, url: str, *, config: RuntimeConfig | None = None, **endpoint: Any) -> AgentRuntime:
        asked = Agent("remote", endpoint=Endpoint(url=url, **endpoint), max_retries=1)
        runtime = AgentRuntime(agents=[asked], store=self.store, config=config)
        return await self._stack.enter_async_context(runtime)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with AsyncExitStack() as stack:
        yield Here(stack, tmp_path)
