"""The socket for tools that come and go while the server runs: those of connected servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from wakeful.contracts.tool import Tool


class SourceHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a source is: `problem` is readable and holds no secret, present unless it is connected."""

    state: Literal["connecting", "connected", "disconnected", "stopped"]
    tools: int = 0
    problem: str | None = None


class ToolSource(Protocol):
    """Tools under names of their own, such as `mcp__server__tool`.

    `tools` is one immutable snapshot by name, taken when a run is resolved. A tool whose source is away fails its call
    with a `ToolError`; nothing else fails because of it.
    """

    @property
    def name(self) -> str:
        """What the names of all its tools begin with."""
        ...

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What it offers now."""
        ...

    @property
    def health(self) -> SourceHealth:
        """How it is now."""
        ...

    async def settled(self) -> None:
        """Return when the first attempt to connect has succeeded or failed."""
        ...

    async def run(self) -> None:
        """Connect and stay connected until cancelled; started once, beside the runs. Never raises."""
        ...
