"""Recorded logs, a generator of legal logs, and snapshot files, for every protocol's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import pytest
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts import event as log
from wakeful.contracts.event import Event, LogEntry
from wakeful.contracts.interrupt import ASK_USER, Interrupt
from wakeful.contracts.message import DataPart, FilePart, InputPart, SourcePart, TextPart
from wakeful.contracts.run import Voids
from wakeful.contracts.usage import Usage

T = TypeVar("T")
HERE = Path(__file__).parent
RECORDINGS = sorted(path.stem for path in (HERE / "recordings").glob("*.jsonl"))


class Line(msgspec.Struct):
    """One line of a recording."""

    seq: int
    at: int
    event: Event


def number(events: Sequence[Event]) -> list[LogEntry]:
    return [codec.entry(seq, 1_764_000_000_000 + 10 * seq, event) for seq, event in enumerate(events, start=1)]


def voids_of(entries: Sequence[LogEntry]) -> Voids:
    """What the run row of this log says: from each beginning of a step to the restart that takes it back."""
    found: list[tuple[int, int]] = []
    begun = 0
    for entry in entries:
        if isinstance(entry.event, log.StepRestarted):
            found.append((begun, entry.seq))
        if isinstance(entry.event, log.StepStarted | log.StepRestarted):
            begun = entry.seq
    return tuple(found)


class Void:
    """A log's void parts, and the same log of a run that was never disturbed."""

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        self.ranges = voids_of(entries)
        self.undisturbed = [entry for entry in entries if not self.covers(entry)]

    def covers(self, entry: LogEntry) -> bool:
        return any(after < entry.seq <= upto for after, upto in self.ranges)


@pytest.fixture(scope="session")
def void() -> type[Void]:
    """`void(entries)` knows what the restarts in a log take back."""
    return Void


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[LogEntry]]:
    """Reads a recording by name."""

    def read(name: str) -> list[LogEntry]:
        text = (HERE / "recordings" / f"{name}.jsonl").read_text(encoding="utf-8")
        lines = [msgspec.json.decode(line, type=Line) for line in text.split("\n") if line]
        return [codec.entry(line.seq, line.at, line.event) for line in lines]

    return read


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest, recorded: Callable[[str], list[LogEntry]]) -> tuple[str, list[LogEntry]]:
    """Every recording in turn: its name and its log."""
    return request.param, recorded(request.param)


@pytest.fixture(scope="session")
def matches_snapshot() -> Callable[[str, list[bytes]], None]:
    """Compares frames byte for byte with a file; `UPDATE_SNAPSHOTS=1` rewrites the file instead."""

    def compare(name: str, frames: list[bytes]) -> None:
        path = HERE / "snapshots" / f"{name}.jsonl"
        found = b"".join(frame + b"\n" for frame in frames)
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found)
        assert path.read_bytes() == found

    return compare


TEXTS = ["", "a", "Hello ", 'q"\\', "\r\n", "日本👩‍🚀\u2028"]
OUTPUTS = ["", "done", None, 3, [1, None], {"a": {"b": None}}]
ARGUMENTS = ["{}", "", '{"a":\n1}', "broken {"]
STATES: list[dict[str, object]] = [{}, {"items": []}, {"a": {"b": None}}]
PATCHES: list[tuple[dict[str, object], ...]] = [
    ({"op": "add", "path": "/a~1b", "value": None},),
    ({"op": "replace", "path": "/items", "value": [1]}, {"op": "remove", "path": "/x"}),
]
SOURCES = [
    SourcePart("", "https://example.org/a", "A page", cited_text="said", start=0, end=3),
    SourcePart("", "https://example.org/b"),
    SourcePart("", title="A book", media_type="application/pdf", filename="book.pdf", start=-1),
    SourcePart("", media_type="text/plain"),
]
FILES = [FilePart("image/png", "data:image/png;base64,eA==", "x.png"), FilePart("text/plain", "https://example.org/f")]
VALUES = [DataPart({"a": [1]}, "place"), DataPart(None), DataPart("text", "sta/tus "), DataPart([1], "status")]
INPUTS: list[tuple[InputPart, ...]] = [(), (TextPart("and?"),), (TextPart("look"), FILES[0], VALUES[0]), (VALUES[1],)]
CONTENTS: list[InputPart] = [TextPart("row "), TextPart(""), VALUES[0], FILES[0]]
ENDS: list[tuple[log.Outcome, log.StopReason]] = [
    ("completed", "answered"),
    ("completed", "max_steps"),
    ("completed", "max_output"),
    ("completed", "content_filter"),
    ("completed", "max_tool_errors"),
    ("completed", "stop_on_tool"),
    ("failed", "error"),
    ("cancelled", "cancelled"),
    ("cancelled", "superseded"),
]


class Author:
    """Writes a legal log: replies with interleaved deltas, sources and files, tools that report, change the state and
    hand work on, retries, crashes, waits and every kind of end.

    Each byte of `tape` makes one choice; a tape that has run out chooses the first option. So Hypothesis draws one
    value, and a shorter tape is a simpler log.
    """

    def __init__(self, tape: bytes) -> None:
        self.tape = iter(tape)
        self.events: list[Event] = [log.RunAccepted("assistant", ("user-1",))]
        self.calls = 0
        self.found = 0
        self.step = 0

    def pick(self, options: Sequence[T]) -> T:
        return options[next(self.tape, 0) % len(options)]

    def chance(self) -> bool:
        return self.pick([False, True])

    def rarely(self) -> bool:
        return self.pick(range(8)) == 7

    def write(self) -> list[LogEntry]:
        if self.rarely():
            self.end("cancelled", "cancelled")
            return number(self.events)
        self.begin(resumed=False)
        going = not self.rarely()
        for step in range(1, self.pick([1, 2, 3]) + 1):
            going = going and self.one_step(step)
            if going and self.rarely():
                self.events.append(log.MessageCommitted(f"user-{step + 1}", "user", self.pick(INPUTS)))
        if not isinstance(self.events[-1], log.RunFinished):
            self.end(*self.pick(ENDS))
        return number(self.events)

    def begin(self, *, resumed: bool) -> None:
        self.events.append(log.RunStarted("assistant", resumed))
        if self.rarely():
            self.events.append(log.StateReplaced(self.pick(STATES)))

    def end(self, outcome: log.Outcome, reason: log.StopReason) -> None:
        error = log.ErrorReport("model_error", "it broke") if outcome == "failed" else None
        self.events.append(log.RunFinished(outcome, reason, Usage(1, 2), error))

    def one_step(self, step: int) -> bool:
        """Whether the run goes on."""
        self.step = step
        self.events.append(log.StepStarted(step, f"msg-{step}"))
        proposed = self.attempt()
        while self.rarely():
            if self.chance():
                self.events.append(self.retry("run"))
            self.events.append(log.StepRestarted(step, f"msg-{step}", "again"))
            self.calls -= self.pick([0, len(proposed)])  # some models count their calls from the beginning again
            proposed = self.attempt()
        if self.rarely():
            return False
        self.events.append(log.ModelCallFinished("large", "demo", "stop", Usage(3, 4), 5))
        return self.run_tools(proposed)

    def attempt(self) -> list[str]:
        """Deltas of one reply in any order; the ids of the calls it proposed."""
        open_calls: list[str] = []
        for _ in range(self.pick(range(13))):
            choice = self.pick("ttttrrscccdddxqqfvaaan")
            match choice:
                case "t":
                    self.events.append(log.TextDelta(self.pick(TEXTS)))
                case "r":
                    self.events.append(log.ReasoningDelta(self.pick(TEXTS)))
                case "s":
                    self.events.append(log.ReasoningSealed("sig", self.pick([None, "", "Y2lwaGVy"])))
                case "c":
                    self.calls += 1
                    open_calls.append(f"call-{self.calls}")
                    self.events.append(log.ToolCallProposed(open_calls[-1], "tool"))
                case "d" if open_calls:
                    self.events.append(log.ToolCallDelta(self.pick(open_calls), self.pick(TEXTS)))
                case "x":
                    self.events.append(self.retry("model_call"))
                case "q":
                    self.events.append(self.cited(None))
                case _:
                    self.events.extend(self.made(choice))
        return open_calls

    def made(self, choice: str) -> list[Event]:
        """A file, a value, an artifact that begins or goes on, or a note of what the agent is about."""
        match choice:
            case "f":
                return [log.FileGenerated(self.pick(FILES))]
            case "v":
                value = self.pick(VALUES)
                return [log.DataEmitted(value.data, value.name)]
            case "a":
                name = self.pick([None, "Report"])
                append, last = self.pick([True, True, False]), self.rarely()
                return [log.ArtifactChanged(self.pick(["doc", "pic"]), self.pick(CONTENTS), name, None, append, last)]
            case "n":
                return [log.StatusNoted("looking")]
            case _:
                return []

    def run_tools(self, proposed: list[str]) -> bool:
        if self.chance():
            self.calls += 1
            proposed = [*proposed, f"call-{self.calls}"]
        scripts: list[list[Event]] = []
        asked: list[Interrupt] = []
        for call_id in proposed:
            way = self.pick(["run", "run", "run", "refuse", "ask", "frontend", "question", "user"])
            arguments = self.pick(ARGUMENTS)
            self.events.append(log.ToolCallReady(call_id, "tool", arguments, way in {"frontend", "user"}))
            if way in {"ask", "frontend"}:
                kind = "approval" if way == "ask" else "frontend_tool"
                asked.append(Interrupt(f"int-{call_id}", kind, call_id, "tool", arguments, expires_at=9**20))
            elif way == "user":
                asked.append(Interrupt(f"int-{call_id}", "frontend_tool", call_id, ASK_USER, arguments, "Who?"))
            elif way == "question":
                self.events.append(log.ToolCallStarted(call_id, "tool"))
                asked.append(self.question(call_id, arguments))
            else:
                scripts.append(self.running(call_id) if way == "run" else [self.done(call_id, "failed")])
        self.interleave(scripts)
        if asked and not self.wait(asked):
            return False
        if self.rarely():
            return False
        self.events.append(log.StepFinished(self.step))
        return bool(proposed)

    def wait(self, asked: list[Interrupt]) -> bool:
        self.events.extend(log.InterruptRaised(interrupt) for interrupt in asked)
        self.events.append(log.RunWaiting(tuple(asked)))
        if self.rarely():
            self.events.extend(self.done(interrupt.call_id, "cancelled") for interrupt in asked)
            self.end("cancelled", "superseded")
            return False
        self.begin(resumed=True)
        again = [interrupt for interrupt in asked if interrupt.kind != "frontend_tool" and self.rarely()]
        self.interleave([self.answered(interrupt) for interrupt in asked if interrupt not in again])
        return not again or self.ask_again(again)

    def ask_again(self, interrupts: list[Interrupt]) -> bool:
        """Approved calls began, and the process was lost; or calls that asked ask once more."""
        for interrupt in interrupts:
            self.events.append(self.decided(interrupt, approved=True if interrupt.kind == "approval" else None))
            self.events.append(log.ToolCallStarted(interrupt.call_id, "tool"))
        return self.wait([msgspec.structs.replace(interrupt, id=f"{interrupt.id}x") for interrupt in interrupts])

    def answered(self, interrupt: Interrupt) -> list[Event]:
        if interrupt.kind == "frontend_tool":
            return [self.decided(interrupt), self.done(interrupt.call_id, self.pick(["succeeded", "failed"]))]
        if interrupt.kind == "question":
            return [self.decided(interrupt), *self.running(interrupt.call_id)]
        if self.chance():
            refused = self.decided(interrupt, approved=self.pick([False, None]))
            return [refused, self.done(interrupt.call_id, "denied")]
        return [self.decided(interrupt, approved=True), *self.running(interrupt.call_id)]

    def question(self, call_id: str, arguments: str) -> Interrupt:
        """What a running call asks."""
        schema = self.pick([None, {"type": "string"}])
        return Interrupt(f"int-{call_id}", "question", call_id, "tool", arguments, "Which one?", schema)

    def decided(self, interrupt: Interrupt, *, approved: bool | None = None) -> log.InterruptDecided:
        arguments = self.pick([None, None, '{"b":2}']) if approved else None
        return log.InterruptDecided(interrupt.id, interrupt.call_id, approved, self.pick([None, "why"]), arguments)

    def retry(self, target: Literal["model_call", "run"]) -> log.RetryScheduled:
        return log.RetryScheduled(1, 10, log.ErrorReport("slow", "slow down"), target)

    def running(self, call_id: str) -> list[Event]:
        shown = [event for _ in range(self.pick([0, 0, 1, 3])) for event in self.reported(call_id)]
        status = self.pick(["succeeded", "failed", "cancelled"])
        started = log.ToolCallStarted(call_id, "tool")
        repeated = [self.retry("run"), started] if self.rarely() else []
        return [started, *shown, *repeated, self.done(call_id, status)]

    def reported(self, call_id: str) -> list[Event]:
        """What a running call shows of itself."""
        match self.pick("pqfsa"):
            case "q":
                return [self.cited(call_id)]
            case "f":
                return [log.FileGenerated(self.pick(FILES), call_id)]
            case "s":
                return [log.StateChanged(call_id, self.pick(PATCHES))]
            case "a":
                self.found += 1
                child = f"child-{self.found}"
                failed = log.ErrorReport("model_error", "it broke") if self.chance() else None
                ended = log.SubagentFinished(call_id, child, "failed" if failed else "completed", failed)
                return [log.SubagentStarted(call_id, "helper", child, f"thread-{child}"), ended]
            case _:
                return [log.ToolProgressed(call_id, "tool", "half", 0.5)]

    def cited(self, call_id: str | None) -> log.SourceCited:
        self.found += 1
        return log.SourceCited(msgspec.structs.replace(self.pick(SOURCES), id=f"src-{self.found}"), call_id)

    def done(self, call_id: str, status: str) -> log.ToolCallFinished:
        return log.ToolCallFinished(call_id, "tool", status, self.pick(OUTPUTS), f"result-{call_id}")

    def interleave(self, scripts: list[list[Event]]) -> None:
        while scripts:
            script = self.pick(scripts)
            self.events.append(script.pop(0))
            scripts = [script for script in scripts if script]


@pytest.fixture(scope="session")
def logs() -> st.SearchStrategy[list[LogEntry]]:
    """Any legal log of one finished run."""
    tapes = st.binary(max_size=60) | st.binary(min_size=80, max_size=240)
    return tapes.map(lambda tape: Author(tape).write())
