"""What the demo model says. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import ToolCallPart, ToolResultPart
from wakeful.providers.demo.commands import Cite, Command, Draw, Shape, ThinkAbout, UseTool
from wakeful.providers.parts import result_text

ABILITIES = (
    'I am the demo model: try "weather in Paris", "email bob@example.com hi", "count to 40 every 50 ms", '
    '"think about time", "cite https://example.com", "draw a circle", "use <tool> {json}" or "fail".'
)
LONGEST_QUOTE = 80
_OUTLINES: Mapping[Shape, str] = {
    "circle": '<circle cx="50" cy="50" r="40" fill="teal"/>',
    "square": '<rect x="10" y="10" width="80" height="80" fill="teal"/>',
    "triangle": '<path d="M50 10 90 90H10Z" fill="teal"/>',
}


def reasoning_about(topic: str) -> str:
    """The thoughts of `think about ...`."""
    return f"The question is {topic}. First I recall what I know about it. Then I weigh it, and keep it short."


def answer_to(command: Command) -> str:
    """The text for a command that calls no tool."""
    match command:
        case ThinkAbout(topic):
            return f"I thought about {topic}: it is worth a second look."
        case Cite(source):
            return f"According to {source}, this is so."
        case Draw(shape):
            return f"Here is a {shape}:"
        case UseTool(name, None):
            return f"I cannot use {name}: its arguments are not a JSON object."
        case UseTool(name):
            return f"I do not have a tool named {name}."
        case _:
            return ""


def picture_of(shape: Shape) -> str:
    """The picture of `draw a ...`, as SVG."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{_OUTLINES[shape]}</svg>'


def small_talk(text: str) -> str:
    """The answer to anything that is no command."""
    quote = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
    return f'You said "{quote}". {ABILITIES}' if quote else f"Hello! {ABILITIES}"


def answer_from(call: ToolCallPart, result: ToolResultPart) -> str:
    """What the result of `call` means to the user."""
    arguments = _arguments(call)
    text = result_text(result.output).rstrip(".")
    match call.name, result.status:
        case "get_weather", "succeeded":
            return f"The weather in {arguments.get('city', 'that place')}: {text}."
        case "send_email", "succeeded":
            return f"I sent the email to {arguments.get('to', 'them')}: {text}."
        case "send_email", "denied":
            return f"I did not send the email to {arguments.get('to', 'them')}, because it was denied: {text}."
        case name, "succeeded":
            return f"{name} answered: {text}."
        case name, status:
            return f"{name} {'was' if status in {'denied', 'cancelled'} else 'has'} {status}: {text}."


def _arguments(call: ToolCallPart) -> JsonObject:
    try:
        return msgspec.json.decode(call.arguments, type=JsonObject)
    except msgspec.DecodeError:
        return {}
