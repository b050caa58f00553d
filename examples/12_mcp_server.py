"""An app served over MCP: tools, an agent, resources and a prompt, and what a client sees of them.

Claude Desktop: {"mcpServers": {"library": {"command": "wakeful", "args": ["mcp", "/path/12_mcp_server.py:runtime"]}}}
Inspector:      npx @modelcontextprotocol/inspector wakeful mcp 12_mcp_server.py:runtime
"""

import asyncio
import sys

from wakeful import Agent, AgentRuntime, Exposed, ToolContext, prompt, resource, tool

BOOKS = {"emma": "Jane Austen, 1815", "dracula": "Bram Stoker, 1897", "ulysses": "James Joyce, 1922"}


@tool(effect="pure")
def find(context: ToolContext, words: str) -> dict[str, list[str]]:
    """Find books by a part of their titles or authors."""
    context.progress("looking", progress=1, total=1)
    return {"titles": [title for title, said in BOOKS.items() if words.lower() in f"{title} {said}".lower()]}


@tool(approval=True)
def lend(title: str) -> str:
    """Lend a book: the client asks its user first."""
    return f"{title} is yours for two weeks"


@resource("library:catalogue", media_type="text/markdown")
def catalogue() -> str:
    """All books there are."""
    return "\n".join(f"* {title}: {said}" for title, said in BOOKS.items())


@resource("library:books/{title}", complete={"title": sorted(BOOKS)})
def book(title: str) -> str:
    """One book."""
    return BOOKS.get(title, "unknown")


@prompt(complete={"title": sorted(BOOKS)})
def review(title: str, tone: str = "kind") -> str:
    """Write a review.

    Args:
        title: Of which book.
        tone: How to say it.
    """
    return f"Write a {tone} review of {title}."


librarian = Agent("librarian", model="demo:offline", description="Answers questions about the library.")
runtime = AgentRuntime(
    agents=[librarian],
    exposed=Exposed(agents=[librarian], tools=[find, lend], resources=[catalogue, book], prompts=[review]),
)


async def main() -> None:
    """Start this file as `wakeful mcp` would for a desktop client, and look at it through the official SDK."""
    from mcp import Client
    from mcp.client import ClientRequestContext
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.types import ElicitRequestParams, ElicitResult, PromptReference

    async def ask_user(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        print("asked:", params.message.splitlines()[0])
        return ElicitResult(action="accept", content={"approved": True})

    arguments = ["-m", "wakeful", "mcp", f"{__file__}:runtime"]
    server = stdio_client(StdioServerParameters(command=sys.executable, args=arguments))
    async with Client(server, elicitation_callback=ask_user) as client:
        print("tools:", *(one.name for one in (await client.list_tools()).tools))
        print("found:", (await client.call_tool("find", {"words": "joyce"})).structured_content)
        print("lent:", (await client.call_tool("lend", {"title": "emma"})).content)
        print("read:", (await client.read_resource("library:books/emma")).contents)
        print("prompt:", (await client.get_prompt("review", {"title": "emma"})).messages)
        suggested = await client.complete(PromptReference(name="review"), {"name": "title", "value": "d"})
        print("suggested:", suggested.completion.values)


if __name__ == "__main__":
    asyncio.run(main())
