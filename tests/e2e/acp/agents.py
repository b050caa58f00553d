"""An agent that plans, edits, paints and remembers, for what an editor is shown of that."""

from __future__ import annotations

from wakeful import Agent, tool
from wakeful.bootstrap.demo import get_weather, send_email
from wakeful.contracts.tool import ToolContext

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@tool
def make_plan(context: ToolContext, steps: list[str]) -> str:
    """Make a plan.

    Args:
        steps: What to do.
    """
    context.state["plan"] = [{"content": step, "status": "pending", "priority": "high"} for step in steps]
    return f"{len(steps)} steps"


@tool
def edit_file(path: str) -> dict[str, str]:
    """Edit a file.

    Args:
        path: Which.
    """
    return {"path": path, "oldText": "a", "newText": "b"}


@tool
def paint(context: ToolContext) -> str:
    """Paint a picture."""
    context.attach(f"data:image/png;base64,{PIXEL}", media_type="image/png", filename="pixel.png")
    return "painted"


agents = [
    Agent("assistant", model="demo:offline", tools=[get_weather, send_email, make_plan, edit_file, paint]),
    Agent("second", model="demo:offline", tools=[send_email]),
]
