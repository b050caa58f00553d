"""The agent that CopilotKit's pages talk to here: an offline model and one tool of each kind."""

from __future__ import annotations

from pydantic import TypeAdapter

from wakeful import Agent, ToolContext, tool

ITEMS = TypeAdapter(list[str])


@tool(effect="pure")
def get_weather(city: str) -> dict[str, str]:
    """Tell the weather in a city."""
    return {"city": city, "sky": "sunny"}


@tool(approval=True)
def send_email(context: ToolContext, to: str, body: str) -> dict[str, str]:
    """Pretend to send an email, and show that it is under way."""
    context.progress(f"sending to {to}", progress=1, total=2)
    return {"to": to, "body": body}


@tool(effect="pure")
def add_to_list(context: ToolContext, item: str) -> list[str]:
    """Put something on the list that the page holds, too."""
    items = [*ITEMS.validate_python(context.state.get("items", [])), item]
    context.state["items"] = [*items]
    return items


agents = [Agent("assistant", model="demo:offline", tools=[get_weather, send_email, add_to_list])]
