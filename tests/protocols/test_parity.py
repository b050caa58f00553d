"""One log, every protocol: whoever reads it learns the same of it, as far as its protocol has words for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pytest
from tests.protocols.parity import a2a as a2a_facts
from tests.protocols.parity import acp as acp_facts
from tests.protocols.parity import ag_ui as ag_ui_facts
from tests.protocols.parity import ai_sdk as ai_sdk_facts
from tests.protocols.parity.told import Fact

from wakeful.contracts.event import LogEntry, RunStarted, RunWaiting
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.a2a import encode as a2a
from wakeful.protocols.acp import encode as acp
from wakeful.protocols.ag_ui import encode as ag_ui
from wakeful.protocols.ai_sdk import encode as ai_sdk
from wakeful.protocols.ai_sdk.dialects import DIALECTS, Dialect

Log = Sequence[LogEntry]
Recording = tuple[str, list[LogEntry]]
RUN = Run(
    key=1,
    thread_key=1,
    scope="s",
    id="run-1",
    thread_id="thread-1",
    agent_id="assistant",
    status=RunStatus.RUNNING,
    origin="native",
    created_at=0,
    updated_at=0,
)


class Fold(Protocol):
    """An encoder of any protocol."""

    def encode(self, entry: LogEntry) -> Sequence[bytes]:
        """What one event adds."""
        ...


def shown(fold: Fold, log: Log) -> list[bytes]:
    return [frame for entry in log for frame in fold.encode(entry)]


def heard(log: Log) -> Log:
    """Without the end of a run that ends while it waits: AI SDK and AG-UI have no open stream then."""
    waits = [place for place, entry in enumerate(log) if isinstance(entry.event, RunWaiting)]
    goes_on = any(isinstance(entry.event, RunStarted) for entry in log[waits[-1] :]) if waits else True
    return log if goes_on else log[: waits[-1] + 1]


def by_ai_sdk(log: Log, dialect: Dialect = "6") -> list[Fact]:
    return ai_sdk_facts.facts(shown(ai_sdk.Encoder(run_id="run-1", thread_id="thread-1", dialect=dialect), log))


def by_ag_ui(log: Log) -> list[Fact]:
    encoder = ag_ui.Encoder(run_id="run-1", thread_id="thread-1", client_run_id="run-1", protocol_version="1.0")
    return ag_ui_facts.facts(shown(encoder, log))


def by_acp(log: Log) -> list[Fact]:
    return acp_facts.facts(shown(acp.Encoder(acp.View(cwd="/project")), log))


def by_a2a(log: Log) -> list[Fact]:
    return a2a_facts.facts(shown(a2a.Encoder(RUN, after=0, dialect=a2a.Dialect()), log))


@pytest.fixture(params=["as it happens", "afterwards"])
def log(request: pytest.FixtureRequest, recording: Recording, void: Any) -> Log:
    """Every recording, as who watches sees it, and as who comes later does: without what was void."""
    _, entries = recording
    return entries if request.param == "as it happens" else void(entries).undisturbed


@pytest.mark.proves("X01")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_ai_sdk_and_ag_ui_tell_the_same_facts_in_the_same_order(log: Log, dialect: Dialect) -> None:
    told = by_ag_ui(log)

    assert by_ai_sdk(log, dialect) == told
    assert {"run ends", "rests"} & {fact[0] for fact in told}


@pytest.mark.proves("X01")
def test_acp_tells_the_same_words_calls_and_errors(log: Log) -> None:
    assert by_acp(heard(log)) == acp_facts.sayable(by_ai_sdk(log))


@pytest.mark.proves("X01")
def test_a2a_tells_the_same_words_and_states(recording: Recording, void: Any) -> None:
    _, entries = recording

    assert by_a2a(heard(entries)) == a2a_facts.sayable(by_ai_sdk(void(entries).undisturbed))
