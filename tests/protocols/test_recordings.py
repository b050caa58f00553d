"""What the other tests stand on: recordings and generated logs are logs that can happen."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts import event as log
from wakeful.contracts.event import Event, LogEntry

OF_A_REPLY = (log.TextDelta, log.ReasoningDelta, log.DataEmitted, log.ArtifactChanged, log.StatusNoted)


class Judge:
    """Says whether a log is legal: the order drawn at the top of `contracts/event.py`, with crashes and retirements."""

    def __init__(self) -> None:
        self.status = "new"
        self.step: int | None = None
        self.replied = False
        self.calls: dict[str, str] = {}

    def check(self, entries: Sequence[LogEntry]) -> None:
        for before, after in pairwise(entries):
            assert before.seq < after.seq
            assert before.at <= after.at
        for entry in entries:
            getattr(self, str(type(entry.event).__struct_config__.tag), self.other)(entry.event)

    def other(self, event: Event) -> None:
        assert self.status == "running", event
        assert not isinstance(event, OF_A_REPLY) or (self.step and not self.replied), event

    def run_accepted(self, event: log.RunAccepted) -> None:
        assert self.status == "new"
        self.status = "queued"

    def input_changed(self, event: log.InputChanged) -> None:
        assert self.status == "queued"

    def run_started(self, event: log.RunStarted) -> None:
        assert self.status in {"queued", "running", "waiting"}
        self.status = "running"

    def run_waiting(self, event: log.RunWaiting) -> None:
        assert self.status == "running"
        asked = {call_id for call_id, state in self.calls.items() if state == "asked"}
        assert {interrupt.call_id for interrupt in event.interrupts} == asked
        self.status = "waiting"

    def run_finished(self, event: log.RunFinished) -> None:
        assert self.status in {"queued", "running", "waiting"}
        assert (event.outcome == "failed") == (event.error is not None)
        self.status = "finished"

    def step_started(self, event: log.StepStarted) -> None:
        assert self.status == "running"
        assert self.step is None
        self.step, self.replied = event.step, False

    def step_restarted(self, event: log.StepRestarted) -> None:
        assert self.status == "running"
        assert self.step == event.step
        assert not self.replied
        self.calls.clear()

    def step_finished(self, event: log.StepFinished) -> None:
        assert self.step == event.step
        self.step = None

    def model_call_finished(self, event: log.ModelCallFinished) -> None:
        assert self.step
        assert not self.replied
        self.replied = True

    def tool_call_proposed(self, event: log.ToolCallProposed) -> None:
        assert event.call_id not in self.calls
        self.calls[event.call_id] = "proposed"

    def tool_call_delta(self, event: log.ToolCallDelta) -> None:
        assert self.calls[event.call_id] == "proposed"

    def tool_call_ready(self, event: log.ToolCallReady) -> None:
        assert self.replied
        assert self.calls.get(event.call_id, "proposed") == "proposed"
        self.calls[event.call_id] = "ready"

    def tool_call_started(self, event: log.ToolCallStarted) -> None:
        assert self.calls[event.call_id] in {"ready", "asked", "running"}
        self.calls[event.call_id] = "running"

    def reported(
        self, event: log.ToolProgressed | log.StateChanged | log.SubagentStarted | log.SubagentFinished
    ) -> None:
        assert self.calls[event.call_id] == "running"

    tool_progressed = state_changed = subagent_started = subagent_finished = reported

    def found(self, event: log.SourceCited | log.FileGenerated) -> None:
        if event.call_id is None:
            assert self.step
            assert not self.replied
        else:
            assert self.calls[event.call_id] == "running"

    source_cited = file_generated = found

    def interrupt_raised(self, event: log.InterruptRaised) -> None:
        assert self.calls[event.interrupt.call_id] in {"ready", "running"}
        self.calls[event.interrupt.call_id] = "asked"

    def tool_call_finished(self, event: log.ToolCallFinished) -> None:
        assert self.status in {"running", "waiting"}
        assert self.calls.pop(event.call_id) in {"ready", "asked", "running"}


def test_every_recording_is_a_legal_finished_log(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    Judge().check(entries)

    assert isinstance(entries[-1].event, log.RunFinished)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_every_generated_log_is_legal(data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]]) -> None:
    entries = data.draw(logs)

    Judge().check(entries)


def test_the_judge_refuses_a_log_that_goes_on_after_its_end(recorded: Callable[[str], list[LogEntry]]) -> None:
    entries = recorded("text")
    broken = [*entries, codec.entry(99, entries[-1].at, entries[3].event)]

    with pytest.raises(AssertionError):
        Judge().check(broken)
