"""Says when a run has had enough: a fold over the steps it closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from wakeful.contracts.event import StopReason
from wakeful.contracts.message import Message, ToolCallPart, ToolResultPart
from wakeful.contracts.regex import text_matcher
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.usage import Usage


@dataclass(frozen=True, slots=True)
class ClosedStep:
    """A reply with the results of its calls, which may be in any order."""

    reply: Message
    results: tuple[ToolResultPart, ...] = ()

    @property
    def calls(self) -> tuple[ToolCallPart, ...]:
        """The calls the reply asked for, in order."""
        return self.reply.tool_calls

    def results_in_order(self) -> tuple[ToolResultPart, ...]:
        """The results in the order of their calls, which a crash does not change."""
        by_call = {result.call_id: result for result in self.results}
        return tuple(by_call[call.call_id] for call in self.calls if call.call_id in by_call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run has used so far, over all attempts: `usage` in tokens and money, `active_ms` of being carried."""

    steps: int
    usage: Usage
    active_ms: int


class Limits:
    """The limits of one agent.

    What it counts follows from the closed steps alone: a fold over the thread after a crash or a wait stands where
    the fold before it stood.
    """

    def __init__(self, agent: AgentSpec) -> None:
        self._agent = agent
        self._stop_text = text_matcher(agent.stop_on_text) if agent.stop_on_text else None
        self._errors = 0
        self._calls = _Row()
        self._texts = _Row()
        self._said_stop: StopReason | None = None

    def add(self, step: ClosedStep) -> None:
        """Take in the next closed step."""
        for result in step.results_in_order():
            if result.status in ("succeeded", "failed"):
                self._errors = self._errors + 1 if result.status == "failed" else 0
        self._calls.add(tuple(_identity(call) for call in step.calls))
        self._texts.add(step.reply.text.strip())
        self._said_stop = self._stop_word(step)

    def reached(self, spent: Spent) -> StopReason | None:
        """Why the run ends after the last step, or None. Where several reasons hold, what the step did comes first."""
        if self._said_stop is not None:
            return self._said_stop
        agent = self._agent
        limits: tuple[tuple[StopReason, float, float | None], ...] = (
            ("max_repeats", max(self._calls.length, self._texts.length), agent.max_repeats),
            ("max_tool_errors", self._errors, agent.max_tool_errors),
            ("max_cost", spent.usage.cost, None if agent.max_cost is None else agent.max_cost * 1_000_000),
            ("max_tokens", spent.usage.total_tokens, agent.max_tokens),
            ("max_seconds", spent.active_ms, None if agent.max_seconds is None else agent.max_seconds * 1000),
            ("max_steps", spent.steps, agent.max_steps),
        )
        for reason, count, limit in limits:
            if limit is not None and count >= limit:
                return reason
        return None

    def _stop_word(self, step: ClosedStep) -> StopReason | None:
        if any(result.name in self._agent.stop_on_tools and result.status == "succeeded" for result in step.results):
            return "stop_on_tool"
        if self._stop_text is not None and self._stop_text.isinstance_python(step.reply.text):
            return "stop_on_text"
        return None


def closed_steps(history: Iterable[Message], run_id: str, *, before: int | None = None) -> list[ClosedStep]:
    """The steps of a run that `history` tells, in order; with `before` only those of a smaller number."""
    replies: dict[int, Message] = {}
    results: dict[int, list[ToolResultPart]] = {}
    for message in history:
        step = message.step
        if message.run_id != run_id or step is None or (before is not None and step >= before):
            continue
        if message.role == "assistant":
            replies[step] = message
        else:
            found = (part for part in message.parts if isinstance(part, ToolResultPart))
            results.setdefault(step, []).extend(found)
    return [ClosedStep(reply, tuple(results.get(step, ()))) for step, reply in replies.items()]


class _Row:
    """How often the same was seen in a row; what is empty is no row."""

    def __init__(self) -> None:
        self._last: object = None
        self.length = 0

    def add(self, seen: str | tuple[str, ...]) -> None:
        self.length = 0 if not seen else self.length + 1 if seen == self._last else 1
        self._last = seen


def _identity(call: ToolCallPart) -> str:
    """Name and arguments of a call, equal however the model spaced or ordered them."""
    try:
        arguments = msgspec.json.encode(msgspec.json.decode(call.arguments), order="sorted").decode()
    except (msgspec.MsgspecError, UnicodeError):
        arguments = call.arguments
    return f"{call.name} {arguments}"
