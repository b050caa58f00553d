"""A well-behaved server of the official SDK, of both eras, over its pipes or HTTP: `python friendly.py [port]`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.types import ToolAnnotations
from pydantic import BaseModel

PIXEL = bytes.fromhex("89504e470d0a1a0a")


class Colour(BaseModel):
    """What the user is asked."""

    colour: str


class Size(BaseModel):
    """What the user is asked next."""

    size: int


def ask_colour() -> Elicit[Colour]:
    return Elicit("Which colour?", Colour)


def ask_size() -> Elicit[Size]:
    return Elicit("Which size?", Size)


class Counter:
    """How often the tools that ask were begun, and whether the slow one was stopped."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self.slow = asyncio.Event()


def build(counter: Counter | None = None) -> MCPServer:
    server = MCPServer("friendly")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool(structured_output=False, annotations=ToolAnnotations(idempotent_hint=True, destructive_hint=False))
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Hello {name}"

    @server.tool(structured_output=False)
    def fail() -> str:
        """Always fails."""
        raise ToolError("the disk is full")

    @server.tool(structured_output=False)
    def picture() -> Image:
        """Draw a pixel."""
        return Image(data=PIXEL, format="png")

    offer_work(server, counter or Counter())
    offer_process(server)
    return server


def offer_work(server: MCPServer, counts: Counter) -> None:
    @server.tool(structured_output=False)
    async def slow(context: Context) -> str:
        """Works until it is stopped."""
        await context.report_progress(1, 2, "half way")
        counts.slow.set()
        try:
            await asyncio.Event().wait()
        finally:
            counts.stopped.set()
        return ""

    @server.tool(structured_output=False)
    def paint(
        what: str, colour: Annotated[Colour, Resolve(ask_colour)], size: Annotated[Size, Resolve(ask_size)]
    ) -> str:
        """Paint something, after asking how."""
        return f"a {colour.colour} {what} of size {size.size}"

    @server.tool(structured_output=False)
    async def grow(context: Context) -> str:
        """Offer one more tool from now on."""

        def grown() -> str:
            """New."""
            return "grown"

        server.add_tool(grown, name="grown", structured_output=False)
        await context.notify_tools_changed()
        await context.session.send_tool_list_changed()
        return "done"


def offer_process(server: MCPServer) -> None:
    @server.tool(structured_output=False)
    def die() -> str:
        """End the process in the middle of the call."""
        os._exit(3)

    @server.tool(structured_output=False)
    def variable(name: str) -> str:
        """Tell an environment variable."""
        return os.environ.get(name, "none")

    @server.tool(structured_output=False)
    def pid() -> str:
        """Tell the process id."""
        return str(os.getpid())


if __name__ == "__main__":
    if sys.argv[1:]:
        build().run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        build().run("stdio")
