"""`Exposed`: what an author offers to other programs, with `@resource` and `@prompt` for what they may read and use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import docstring_parser

from wakeful.contracts.errors import BadRequest, ConfigurationError
from wakeful.contracts.exposure import ExposedPrompt, ExposedResource, PromptArgument, PromptLine
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import Tool
from wakeful.sdk.agent import Agent
from wakeful.sdk.function_agent import FunctionAgent
from wakeful.sdk.signature import Function
from wakeful.sdk.thread import Threads
from wakeful.sdk.tool import as_tool

CALLABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""What clients take as the name of a tool (MCP 2025-11-25, tool names)."""
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
OWN_SCHEME = "wakeful:"


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is offered: `agents` (ids), `tools`, and what `@resource` and `@prompt` made.

    An exposed agent is a tool named by its id, described by its public `description`. `instructions` tell clients what
    the server is for. Clients that know tasks get one for a call that takes longer than `task_after_seconds`.
    """

    agents: Sequence[str | Agent | FunctionAgent | AgentSpec] = ()
    tools: Sequence[Tool | Callable[..., Any]] = ()
    resources: Sequence[ExposedResource] = ()
    prompts: Sequence[ExposedPrompt] = ()
    instructions: str = ""
    task_after_seconds: float = 1.0

    def agent_ids(self) -> tuple[str, ...]:
        """The ids of the agents; raises `ConfigurationError` for one that cannot be called by name."""
        ids = tuple(_id_of(agent) for agent in self.agents)
        for name in ids:
            if not CALLABLE_NAME.fullmatch(name):
                raise ConfigurationError(
                    f"agent {name!r} cannot be called from outside: expected an id of 1 to 128 letters, digits, _ . -"
                )
        return ids

    def checked_tools(self) -> tuple[Tool, ...]:
        """The tools; raises `ConfigurationError` for one that the client would have to carry out itself."""
        tools = tuple(as_tool(tool) for tool in self.tools)
        for tool in tools:
            if tool.spec.frontend:
                raise ConfigurationError(f"tool {tool.spec.name!r} is carried out by a client; it cannot be exposed")
        return tools


def _id_of(agent: str | Agent | FunctionAgent | AgentSpec) -> str:
    if isinstance(agent, str):
        return agent
    return agent.id if isinstance(agent, AgentSpec) else agent.spec.id


def resource(
    uri: str, *, name: str | None = None, description: str | None = None, media_type: str = "text/plain"
) -> Callable[[Callable[[], Any]], ExposedResource]:
    """Turn a function without parameters into a resource: it returns text or bytes, and may be async.

    `name` is the function's and `description` its docstring unless given. Raises `ConfigurationError`.
    """

    def wrap(function: Callable[[], Any]) -> ExposedResource:
        if not ADDRESS.fullmatch(uri) or uri.lower().startswith(OWN_SCHEME):
            raise ConfigurationError(f"expected a URI of a scheme of your own, such as docs:guide; found {uri!r}")
        if inspect.signature(function).parameters:
            raise ConfigurationError(f"resource {uri}: expected a function without parameters")

        threads = Threads(getattr(function, "__name__", uri))

        async def read() -> str | bytes:
            found = await _result(function, {}, threads)
            if not isinstance(found, str | bytes):
                raise TypeError(f"resource {uri} is text or bytes, not a {type(found).__name__}")
            return found

        said = inspect.getdoc(function) or ""
        return ExposedResource(
            uri=uri,
            name=name or getattr(function, "__name__", uri),
            description=said if description is None else description,
            media_type=media_type,
            read=read,
        )

    return wrap


def prompt(function: Callable[..., Any]) -> ExposedPrompt:
    """Turn a function of texts into a prompt: it returns a text, said by the user, or a list of `PromptLine`.

    Its docstring describes the prompt and its arguments. Raises `ConfigurationError`.
    """
    name = getattr(function, "__name__", "")
    if not CALLABLE_NAME.fullmatch(name):
        raise ConfigurationError(f"a prompt is made of a named function, not of {function!r}")
    arguments = _prompt_arguments(name, function)
    threads = Threads(name)

    async def render(given: Mapping[str, str]) -> tuple[PromptLine, ...]:
        _check_given(name, arguments, given)
        found = await _result(function, given, threads)
        return (PromptLine("user", found),) if isinstance(found, str) else tuple(cast("Sequence[PromptLine]", found))

    return ExposedPrompt(
        name=name,
        description=docstring_parser.parse(inspect.getdoc(function) or "").short_description or "",
        arguments=arguments,
        render=render,
    )


def _prompt_arguments(name: str, function: Callable[..., Any]) -> tuple[PromptArgument, ...]:
    said = {found.arg_name: found.description or "" for found in docstring_parser.parse(function.__doc__ or "").params}
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigurationError(f"prompt {name}: every argument needs a name; found {parameter}")
    return tuple(
        PromptArgument(one.name, said.get(one.name, ""), one.default is inspect.Parameter.empty) for one in parameters
    )


def _check_given(name: str, arguments: Sequence[PromptArgument], given: Mapping[str, str]) -> None:
    missing = [one.name for one in arguments if one.required and one.name not in given]
    unknown = sorted(given.keys() - {one.name for one in arguments})
    if missing or unknown:
        raise BadRequest(
            f"prompt {name} takes {', '.join(one.name for one in arguments) or 'no arguments'}; "
            f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
        )


async def _result(function: Function, arguments: Mapping[str, str], threads: Threads) -> object:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    return await threads.run(lambda: function(**arguments))
