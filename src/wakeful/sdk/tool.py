"""`@tool` makes a typed function callable by a model."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.tool import Effect, Tool, ToolContext, ToolSpec
from wakeful.sdk.signature import Function, Signature, name_of
from wakeful.sdk.thread import Threads
from wakeful.sdk.values import to_json_value

P = ParamSpec("P")
R = TypeVar("R")

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What vendors take as the name of a tool."""


class FunctionTool(Generic[P, R]):
    """A function that keeps the promise of `contracts.tool.Tool` and can still be called as itself.

    `check` returns Python values (models, dates, enums; defaults filled in) and `call` takes what it returned.
    A synchronous function runs in a daemon thread with the caller's context variables; what it brings after the call
    was cancelled is discarded.
    """

    spec: ToolSpec

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None,
        description: str | None,
        effect: Effect,
        approval: bool,
        frontend: bool,
        timeout: float | None,
    ) -> None:
        """Raises `ConfigurationError` when the function cannot be described to a model, or its options do not fit."""
        _refuse_unless_function(function)
        _refuse_unless_fitting(function, approval=approval, frontend=frontend, timeout=timeout)
        signature = Signature(function)
        functools.update_wrapper(self, function)
        self._function = function
        self._target: Function = function
        self._signature = signature
        self.spec = ToolSpec(
            name=_checked_name(function, name),
            description=signature.description if description is None else description,
            parameters=signature.parameters,
            effect=effect,
            approval=approval,
            frontend=frontend,
            result=signature.result() if frontend else None,
            timeout_seconds=timeout,
        )
        self._threads = Threads(f"tool {self.spec.name}")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The plain function: nothing is validated, awaited or converted."""
        return self._function(*args, **kwargs)

    def check(self, arguments: JsonObject) -> JsonObject:
        """What `call` takes, made from the model's decoded arguments.

        Raises `ToolInputInvalid`; its message and its `details` (`[{"field", "problem"}]`) name every problem.
        """
        return self._signature.check(arguments)

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """The function's result as a JSON value, a large one as `msgspec.Raw` of its JSON.

        Raises what the function raises, and `ToolError` when its result is not JSON.
        """
        context_name = self._signature.context
        given = arguments if context_name is None else {context_name: context, **arguments}
        if inspect.iscoroutinefunction(self._target):
            return to_json_value(await self._target(**given), what=f"the result of tool {self.spec.name}")
        result = await self._threads.run(lambda: self._in_thread(given))
        # A decorator around an async function is a plain function that returns an awaitable.
        return (
            to_json_value(await result, what=f"the result of tool {self.spec.name}")
            if inspect.isawaitable(result)
            else result
        )

    def _in_thread(self, arguments: JsonObject) -> object:
        result = self._target(**arguments)
        return (
            result
            if inspect.isawaitable(result)
            else to_json_value(result, what=f"the result of tool {self.spec.name}")
        )


@overload
def tool(
    function: Callable[P, R],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    approval: bool = False,
    frontend: bool = False,
    timeout: float | None = None,
) -> FunctionTool[P, R]: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    approval: bool = False,
    frontend: bool = False,
    timeout: float | None = None,
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    approval: bool = False,
    frontend: bool = False,
    timeout: float | None = None,
) -> FunctionTool[P, R] | Callable[[Callable[P, R]], FunctionTool[P, R]]:
    """Turn a typed function into a tool: `@tool`, `@tool(effect="pure")` or `tool(function, name="other")`.

    The docstring (Google, NumPy or reST style) describes the tool and its parameters; types become the JSON
    Schema. A first parameter annotated `ToolContext` is filled in and not shown to the model. `effect` says what
    a crash means (`contracts.tool.ToolSpec`); `approval` asks a human before each call. With `frontend` the client
    carries the call out and the function's body is never run: its parameters describe the call, its return type the
    answer. A call that takes longer than `timeout` seconds fails.

    Raises `ConfigurationError`, at decoration, for a signature a model cannot be told about.
    """

    def wrap(function: Callable[P, R]) -> FunctionTool[P, R]:
        return FunctionTool(
            function,
            name=name,
            description=description,
            effect=effect,
            approval=approval,
            frontend=frontend,
            timeout=timeout,
        )

    return wrap if function is None else wrap(function)


def as_tool(value: Tool | Callable[..., Any]) -> Tool:
    """The value itself when it keeps the tool promise, else the function made a tool."""
    return value if isinstance(value, Tool) else tool(value)


def _refuse_unless_function(function: Function) -> None:
    if not inspect.isroutine(function):
        raise ConfigurationError(f"a tool is made of a function or a bound method, not of {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"tool {name_of(function)}: a tool returns one value; return a list, do not yield")


def _refuse_unless_fitting(function: Function, *, approval: bool, frontend: bool, timeout: float | None) -> None:
    if frontend and (approval or timeout is not None):
        raise ConfigurationError(
            f"tool {name_of(function)}: the client carries a front-end tool out and may refuse or take its time; "
            "remove approval and timeout, or frontend"
        )
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        raise ConfigurationError(f"tool {name_of(function)}: expected a timeout in seconds above 0, found {timeout}")


def _checked_name(function: Function, name: str | None) -> str:
    chosen = function.__name__ if name is None else name
    if not TOOL_NAME.fullmatch(chosen):
        raise ConfigurationError(
            f"tool {name_of(function)}: the name {chosen!r} must be 1 to 64 letters, digits, `_` or `-`; "
            "choose one with @tool(name=...)"
        )
    return chosen
