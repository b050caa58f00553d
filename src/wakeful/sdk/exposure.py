"""`Exposed`: what an author offers to other programs, with `@resource` and `@prompt` for what they may read and use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

import docstring_parser

from wakeful.contracts.errors import BadRequest, ConfigurationError
from wakeful.contracts.exposure import (
    VARIABLE,
    Complete,
    ExposedPrompt,
    ExposedResource,
    PromptArgument,
    PromptLine,
    mirrored_inputs,
)
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
Completer = Sequence[str] | Callable[..., Any]
"""All values there are, or a function of what is typed so far, and of the other arguments where it takes two."""


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
        """The tools; raises `ConfigurationError` for one that the client would have to carry out itself or refuse."""
        tools = tuple(as_tool(tool) for tool in self.tools)
        for tool in tools:
            mirrored_inputs(tool.spec.parameters)
            if tool.spec.frontend:
                raise ConfigurationError(f"tool {tool.spec.name!r} is carried out by a client; it cannot be exposed")
        return tools


def _id_of(agent: str | Agent | FunctionAgent | AgentSpec) -> str:
    if isinstance(agent, str):
        return agent
    return agent.id if isinstance(agent, AgentSpec) else agent.spec.id


def resource(
    uri: str,
    *,
    name: str | None = None,
    description: str | None = None,
    media_type: str = "text/plain",
    complete: Mapping[str, Completer] | None = None,
) -> Callable[[Callable[..., Any]], ExposedResource]:
    """Turn a function into a resource: it returns text or bytes, and may be async.

    A `uri` with variables, such as `docs:{topic}`, is a template: the function takes their values as texts, and
    `complete` may suggest them. `name` is the function's and `description` its docstring unless given. Raises
    `ConfigurationError`.
    """
    variables = tuple(VARIABLE.findall(uri))

    def wrap(function: Callable[..., Any]) -> ExposedResource:
        _check_resource(uri, variables, function)

        threads = Threads(getattr(function, "__name__", uri))

        async def read(values: Mapping[str, str]) -> str | bytes:
            found = await _result(function, values, threads)
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
            variables=variables,
            complete=_completers(f"resource {uri}", variables, complete),
        )

    return wrap


def _check_resource(uri: str, variables: Sequence[str], function: Callable[..., Any]) -> None:
    literal = VARIABLE.sub("x", uri)
    if not ADDRESS.fullmatch(literal) or {"{", "}"} & {*literal} or uri.lower().startswith(OWN_SCHEME):
        raise ConfigurationError(f"expected a URI of a scheme of your own, such as docs:guide; found {uri!r}")
    if not variables and inspect.signature(function).parameters:
        raise ConfigurationError(f"resource {uri}: expected a function without parameters")
    if len(set(variables)) < len(variables) or {*variables} != {*inspect.signature(function).parameters}:
        listed = ", ".join(variables) or "none"
        raise ConfigurationError(f"resource {uri}: expected a function of the variables, each once; they are: {listed}")


@overload
def prompt(function: Callable[..., Any], /) -> ExposedPrompt: ...


@overload
def prompt(*, complete: Mapping[str, Completer]) -> Callable[[Callable[..., Any]], ExposedPrompt]: ...


def prompt(
    function: Callable[..., Any] | None = None, /, *, complete: Mapping[str, Completer] | None = None
) -> ExposedPrompt | Callable[[Callable[..., Any]], ExposedPrompt]:
    """Turn a function of texts into a prompt: it returns a text, said by the user, or a list of `PromptLine`.

    Its docstring describes the prompt and its arguments. `complete` suggests values of arguments: a list of all there
    are, or a function of the text typed so far (and of the other arguments, a mapping, where it takes two) that returns
    values. Raises `ConfigurationError`.
    """
    if function is None:
        return lambda decorated: _prompt(decorated, complete)
    return _prompt(function, complete)


def _prompt(function: Callable[..., Any], complete: Mapping[str, Completer] | None) -> ExposedPrompt:
    name = getattr(function, "__name__", "")
    if not CALLABLE_NAME.fullmatch(name):
        raise ConfigurationError(f"a prompt is made of a named function, not of {function!r}")
    arguments = _prompt_arguments(name, function, complete)
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


def _prompt_arguments(
    name: str, function: Callable[..., Any], complete: Mapping[str, Completer] | None
) -> tuple[PromptArgument, ...]:
    said = {found.arg_name: found.description or "" for found in docstring_parser.parse(function.__doc__ or "").params}
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigurationError(f"prompt {name}: every argument needs a name; found {parameter}")
    completers = _completers(f"prompt {name}", [one.name for one in parameters], complete)
    return tuple(
        PromptArgument(
            one.name, said.get(one.name, ""), one.default is inspect.Parameter.empty, completers.get(one.name)
        )
        for one in parameters
    )


def _completers(owner: str, names: Sequence[str], given: Mapping[str, Completer] | None) -> dict[str, Complete]:
    unknown = sorted((given or {}).keys() - {*names})
    if unknown:
        raise ConfigurationError(
            f"{owner} completes {', '.join(unknown)}, but its arguments are: {', '.join(names) or 'none'}"
        )
    return {name: _completer(one) for name, one in (given or {}).items()}


def _completer(given: Completer) -> Complete:
    if not callable(given):
        values = tuple(given)

        async def of_list(typed: str, others: Mapping[str, str]) -> Sequence[str]:
            del others
            return [value for value in values if value.casefold().startswith(typed.casefold())]

        return of_list
    names = list(inspect.signature(given).parameters)
    if len(names) not in (1, 2):
        raise ConfigurationError(f"expected a completer of one or two parameters, found {len(names)}")

    threads = Threads(getattr(given, "__name__", "completer"))

    async def of_function(typed: str, others: Mapping[str, str]) -> Sequence[str]:
        found: object = await _result(given, dict(zip(names, (typed, others), strict=False)), threads)
        return [str(value) for value in cast("Sequence[object]", found)]

    return of_function


def _check_given(name: str, arguments: Sequence[PromptArgument], given: Mapping[str, str]) -> None:
    missing = [one.name for one in arguments if one.required and one.name not in given]
    unknown = sorted(given.keys() - {one.name for one in arguments})
    if missing or unknown:
        raise BadRequest(
            f"prompt {name} takes {', '.join(one.name for one in arguments) or 'no arguments'}; "
            f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
        )


async def _result(function: Function, arguments: Mapping[str, Any], threads: Threads) -> object:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    return await threads.run(lambda: function(**arguments))
