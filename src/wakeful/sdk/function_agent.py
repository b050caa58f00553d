"""`@agent`: an agent without a model, made of an async generator or of a class with `run`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from wakeful.contracts.backend import BackendChunk, Memory, Turn
from wakeful.contracts.errors import ConfigurationError, ModelError, ToolError
from wakeful.contracts.event import FinishReason
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import Message, ToolResultPart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec
from wakeful.sdk.yields import AskAuthorisation, AskUser, Refused, chunks_of

Body = Callable[["AgentRequest"], AsyncIterator[Any]]


class AgentFailed(ModelError):
    """The agent's own code says that it cannot answer; `message` is shown to whoever asked."""

    code = "agent_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """What the agent is asked: `message` is the newest of the user's, None when the thread has none.

    `answers` are what was answered in this run, by the keys of the questions; `declined` are the keys the user would
    not answer. `memory` outlives a crash and a wait of this run, `thread_memory` the run. `state` is the thread's
    shared state as it was when the step began.
    """

    run_id: str
    thread_id: str
    agent_id: str
    scope: str
    step: int
    message: Message | None
    history: Sequence[Message]
    answers: Mapping[str, JsonValue]
    declined: frozenset[str]
    state: JsonObject
    context: str | None
    memory: Memory
    thread_memory: Memory

    @property
    def text(self) -> str:
        """The text of `message`."""
        return self.message.text if self.message else ""

    @property
    def metadata(self) -> JsonObject:
        """What the client wrote beside `message`; untrusted."""
        return (self.message.metadata if self.message else None) or {}


class FunctionAgent:
    """An agent that keeps the promise of `contracts.backend.Backend` by running its author's code."""

    name = "function"

    def __init__(self, spec: AgentSpec, body: Body) -> None:
        self.spec = spec
        self._body = body

    def __repr__(self) -> str:
        return f"FunctionAgent({self.spec.id!r})"

    async def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        """Run the author's code from its beginning; it is left at its first question.

        Raises `AgentFailed`, also for what the code yields that cannot be shown.
        """
        asked = 0
        reason: FinishReason = "stop"
        async for value in self._values(turn):
            if isinstance(value, Refused):
                reason = "content_filter"
            chunks = self._chunks(value, f"{turn.run.id}:{turn.step}:{asked}")
            if chunks:
                yield chunks
            if isinstance(value, AskUser | AskAuthorisation):
                reason = "tool_calls"
                asked += 1
                if not value.more:
                    break
            if reason == "content_filter":
                break
        yield [ReplyFinished(reason)]

    async def abandon(self, run: Run, memory: Memory) -> None:
        """Nothing goes on elsewhere."""

    async def aclose(self) -> None:
        """Nothing is held."""

    def _chunks(self, value: object, call_id: str) -> list[BackendChunk]:
        try:
            chunks = chunks_of(value, call_id=call_id)
        except ToolError as error:
            raise AgentFailed(f"agent {self.spec.id}: {error.message}") from error
        if chunks is None:
            raise AgentFailed(f"agent {self.spec.id} yielded a {type(value).__name__}, which cannot be shown")
        return chunks

    async def _values(self, turn: Turn) -> AsyncGenerator[object]:
        values = self._body(_request(turn))
        try:
            async for value in values:
                yield value
        except (ModelError, GeneratorExit):
            raise
        except Exception as error:
            raise AgentFailed(f"agent {self.spec.id} failed: {type(error).__name__}") from error
        finally:
            close = getattr(values, "aclose", None)
            if close is not None:
                await close()


def agent(id: str, *, description: str = "", **fields: Any) -> Callable[[object], FunctionAgent]:
    """Make an agent of code instead of a model: `@agent("echo")` above an async generator that takes an `AgentRequest`.

    It may also stand above an async function that returns one value, and above a class whose `run` is either. What is
    yielded is shown at once: `str` (text), `Reasoning`, `Status`, `FilePart`, `Artifact`, `Data`, a dict, list,
    pydantic model or msgspec struct (data), `AskUser`, `AskAuthorisation`, `Refused`. After a question the run waits
    and holds nothing; then the code is run again from its beginning, with the answer in `request.answers`. The same
    happens when the process was lost: what must not happen twice belongs into `request.memory`. `fields` are those of
    `AgentSpec` that make sense without a model.

    Raises `ConfigurationError` for anything else.
    """

    def wrap(made_of: object) -> FunctionAgent:
        try:
            doc = inspect.getdoc(made_of) or ""
            spec = AgentSpec(id=id, description=description or doc.partition("\n\n")[0].replace("\n", " "), **fields)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"agent {id!r}: {problems}") from error
        if spec.model is not None or spec.endpoint is not None:
            raise ConfigurationError(f"agent {id!r} is a function; remove its model and endpoint")
        return FunctionAgent(spec, _body(id, made_of))

    return wrap


def _body(id: str, made_of: object) -> Body:
    target = made_of
    if inspect.isclass(made_of):
        try:
            target = getattr(made_of(), "run", None)
        except TypeError as error:
            raise ConfigurationError(f"agent {id!r}: a class is made without arguments: {error}") from error
    if inspect.isasyncgenfunction(target):
        return target
    if inspect.iscoroutinefunction(target):
        return lambda request: _single(target(request))
    raise ConfigurationError(
        f"agent {id!r} is made of an async generator (`async def` with `yield`), an async function, or a class with "
        f"such a `run`; found {made_of!r}"
    )


async def _single(answer: Any) -> AsyncGenerator[object]:
    value = await answer
    if value is not None:
        yield value


def _request(turn: Turn) -> AgentRequest:
    answers, declined = _answers(turn)
    run = turn.run
    return AgentRequest(
        run_id=run.id,
        thread_id=run.thread_id,
        agent_id=run.agent_id,
        scope=run.scope,
        step=turn.step,
        message=next((message for message in reversed(turn.history) if message.role == "user"), None),
        history=turn.history,
        answers=answers,
        declined=declined,
        state=turn.state,
        context=run.options.context,
        memory=turn.run_memory,
        thread_memory=turn.thread_memory,
    )


def _answers(turn: Turn) -> tuple[dict[str, JsonValue], frozenset[str]]:
    """What was answered in this run; the last answer to a question counts."""
    keys = {
        call.call_id: AskUser.key_of(call.arguments)
        for message in turn.history
        if message.run_id == turn.run.id
        for call in message.tool_calls
        if call.name in (ASK_USER, ASK_AUTHORISATION)
    }
    given: dict[str, ToolResultPart] = {}
    for message in turn.history:
        for part in message.parts:
            if isinstance(part, ToolResultPart) and part.call_id in keys:
                given[keys[part.call_id]] = part
    answers = {key: part.output for key, part in given.items() if part.status == "succeeded"}
    return answers, frozenset(given) - frozenset(answers)
