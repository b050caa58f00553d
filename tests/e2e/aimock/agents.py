"""Agents on every wire our own code speaks, for models that the mock model server plays."""

from __future__ import annotations

from wakeful import Agent, tool


@tool(effect="pure")
def get_weather(city: str) -> dict[str, str]:
    """Tell the weather in a city."""
    return {"city": city, "sky": "rain"}


MODELS = {
    "openai": "openai:gpt-4.1",
    "openai-responses": "openai-responses:gpt-4.1",
    "anthropic": "anthropic:claude-sonnet-4-5",
}
THINKERS = {
    "openai-thinking": "openai:gpt-5",
    "openai-responses-thinking": "openai-responses:gpt-5",
    "anthropic-thinking": "anthropic:claude-sonnet-4-5",
}
agents = [
    *(Agent(name, model=model, instructions="Be brief.", tools=[get_weather]) for name, model in MODELS.items()),
    *(Agent(name, model=model, tools=[get_weather], reasoning_effort="low") for name, model in THINKERS.items()),
]
