"""What a run said and did, in one form for the store and for every protocol's client.

Two transcripts agree when the same texts and calls come in the same order and each call has the same result. What a
protocol does not tell about a result is `None` there and agrees with anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Said = tuple[str, ...]
"""`("thought", text)`, `("text", text)` or `("call", id, name, arguments)`; arguments are JSON with sorted keys."""
Result = tuple[str | None, Any]
"""Status and output of a call."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in order, and the results by call id."""

    said: tuple[Said, ...]
    results: Mapping[str, Result]

    def differences(self, other: Transcript, *, apart_from: Iterable[str] = ()) -> list[str]:
        """In what `other` differs, results of the calls `apart_from` left aside."""
        found = [] if self.said == other.said else [f"said {other.said} instead of {self.said}"]
        for call in (self.results.keys() | other.results.keys()) - set(apart_from):
            expected, seen = self.results.get(call), other.results.get(call)
            if expected is None or seen is None or not _agree(expected, seen):
                found.append(f"call {call} has the result {seen} instead of {expected}")
        return found


@dataclass(slots=True)
class Step:
    """A step while it is folded."""

    said: list[list[str]] = field(default_factory=list)

    def more(self, kind: str, block: str, text: str) -> None:
        """Add to a text or thought; `block` tells apart what does not belong together."""
        if not self.said or self.said[-1][:2] != [kind, block]:
            self.said.append([kind, block, ""])
        self.said[-1][2] += text

    def call(self, call_id: str, name: str, arguments: str | None = None) -> None:
        """A call, perhaps with its complete arguments."""
        entry = next((said for said in self.said if said[:2] == ["call", call_id]), None)
        if entry is None:
            entry = ["call", call_id, name, ""]
            self.said.append(entry)
        if arguments is not None:
            entry[3] = arguments

    def arguments(self, call_id: str, delta: str) -> None:
        """More of a call's arguments."""
        for said in self.said:
            if said[:2] == ["call", call_id]:
                said[3] += delta


class Fold:
    """Steps and results as they come in; a step can be taken back."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.results: dict[str, Result] = {}

    @property
    def step(self) -> Step:
        """The step that is open."""
        if not self.steps:
            self.steps.append(Step())
        return self.steps[-1]

    def transcript(self) -> Transcript:
        """All of it so far."""
        said = [
            ("call", entry[1], entry[2], canonical(entry[3])) if entry[0] == "call" else (entry[0], entry[2])
            for step in self.steps
            for entry in step.said
            if entry[0] == "call" or entry[2]
        ]
        return Transcript(tuple(said), dict(self.results))


def canonical(arguments: str) -> str:
    """The same JSON, its keys sorted; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return arguments


def of_stored(messages: Iterable[Mapping[str, Any]]) -> Transcript:
    """From messages as the native API lists them."""
    fold = Fold()
    for message in messages:
        if message["role"] in ("user", "system"):
            continue
        if message["role"] == "assistant":
            fold.steps.append(Step())
        for number, part in enumerate(message["parts"]):
            match part["type"]:
                case "text" | "reasoning":
                    kind = "text" if part["type"] == "text" else "thought"
                    fold.step.more(kind, str(number), part.get("text", ""))
                case "tool_call":
                    fold.step.call(part["call_id"], part["name"], part["arguments"])
                case "tool_result":
                    fold.results[part["call_id"]] = (part["status"], part["output"])
    return fold.transcript()


def _agree(one: Result, other: Result) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
