"""`Agent`: what an author writes to describe one agent and the tools it may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.spec import AgentSpec, Endpoint, ReasoningEffort
from wakeful.contracts.tool import Tool
from wakeful.sdk.tool import as_tool


class Agent:
    """An agent and its tools: `spec` is what a server keeps of it, `tools` are the objects the spec names.

    `model` is `"provider:model"` or the id of a model the server knows; without one the agent answers at `endpoint`, on
    another server. `tools` are made with `@tool`; plain functions are wrapped. The other arguments are fields of
    `AgentSpec`.
    """

    __slots__ = ("spec", "tools")

    spec: AgentSpec
    tools: tuple[Tool, ...]

    def __init__(
        self,
        id: str,
        *,
        model: str | None = None,
        endpoint: Endpoint | str | None = None,
        instructions: str = "",
        tools: Sequence[Tool | Callable[..., Any]] = (),
        description: str = "",
        delegates: Sequence[str] = (),
        handoffs: Sequence[str] = (),
        max_steps: int = 16,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_effort: ReasoningEffort | None = None,
        max_retries: int = 2,
        max_tokens: int | None = None,
        max_seconds: float | None = None,
        max_cost: float | None = None,
        max_tool_errors: int | None = None,
        max_repeats: int | None = None,
        stop_on_tools: Sequence[str] = (),
        stop_on_text: str | None = None,
        max_tool_output_bytes: int = 65_536,
        question_timeout_seconds: float | None = None,
    ) -> None:
        """Raises `ConfigurationError` for a value out of range, two tools of one name, or an unfit function."""
        self.tools = tuple(as_tool(value) for value in tools)
        names = tuple(tool.spec.name for tool in self.tools)
        _refuse_repeated(id, names)
        try:
            self.spec = AgentSpec(
                id=id,
                model=model,
                endpoint=Endpoint(url=endpoint) if isinstance(endpoint, str) else endpoint,
                instructions=instructions,
                description=description,
                tools=names,
                delegates=tuple(delegates),
                handoffs=tuple(handoffs),
                max_steps=max_steps,
                max_output_tokens=max_output_tokens,
                temperature=temperature,
                reasoning_effort=reasoning_effort,
                max_retries=max_retries,
                max_tokens=max_tokens,
                max_seconds=max_seconds,
                max_cost=max_cost,
                max_tool_errors=max_tool_errors,
                max_repeats=max_repeats,
                stop_on_tools=tuple(stop_on_tools),
                stop_on_text=stop_on_text,
                max_tool_output_bytes=max_tool_output_bytes,
                question_timeout_seconds=question_timeout_seconds,
            )
        except ValidationError as error:
            problems = "; ".join(f"{_where(e['loc'])}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"agent {id!r}: {problems}") from error

    def __repr__(self) -> str:
        return f"Agent({self.spec.id!r}, model={self.spec.model!r}, tools={list(self.spec.tools)})"


def _refuse_repeated(id: str, names: tuple[str, ...]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            f"agent {id!r} has several tools named {', '.join(repeated)}; rename with @tool(name=...)"
        )


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
