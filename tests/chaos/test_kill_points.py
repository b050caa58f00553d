"""A process killed between any two rows of the request walk of ARCHITECTURE.md; another one takes over.

Rows 2 to 4 are one stretch without a wait, so that a kill before `accept` stands for all of them, and so are 10 and
11 up to the commit of the call's start.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from tests.chaos.doomed import RUN, asking, decide
from tests.chaos.ledger import Ledger
from tests.chaos.mortal import ROOT
from tests.chaos.script import replies
from tests.chaos.served import teller_runtime
from tests.chaos.transcript import of_stored
from tests.chaos.verdict import uninterrupted

from wakeful.embed import AgentServer
from wakeful.engine.gate import OUTCOME_UNKNOWN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")

Point = tuple[str, str]

BEFORE_ACCEPT: dict[str, Point] = {
    "before 1": ("request came", "runs"),
    "1-2": ("body came", "http.request"),
    "4-5": ("before accept", ""),
}
NOT_YET_RUN: dict[str, Point] = {
    "5-6": ("after accept", ""),
    "6-7": ("before send", "http.response.start"),
    "before the model call": ("model asked", ""),
    "in 9, in mid-stream": ("model wrote", "TextDelta"),
    "in 9, in mid-call": ("model wrote", "ToolCallDelta"),
    "9-10, the reply is complete": ("model wrote", "ReplyFinished"),
    "10-11, the reply is not committed": ("before append", "ModelCallFinished"),
}
WHILE_READ: dict[str, Point] = {
    "7-8": ("before history", ""),
    "8-9": ("after history", ""),
}
"""Of a thread that was made for the run there is nothing to read."""
WHILE_SHOWN: dict[str, Point] = {
    "12-13": ("before send", "text-delta"),
    "in 13": ("after send", "text-delta"),
}
CUT_OFF: dict[str, Point] = {
    "the call is entered, the tool did not run": ("after append", "ToolCallStarted"),
    "the tool ran": ("tool ran", "pay"),
    "the result is not committed": ("before append", "ToolCallFinished"),
}
RAN: dict[str, Point] = {
    "the result is committed": ("after append", "ToolCallFinished"),
    "the result is shown": ("before send", "tool-output-available"),
    "13-14": ("before settle", ""),
    "after 14": ("after settle", ""),
    "the end is shown": ("before send", '"finish"'),
}
AROUND_A_WAIT: dict[str, Point] = {
    "the wait is not settled": ("before settle", ""),
    "the wait is settled": ("after settle", ""),
    "the wait is shown": ("before send", "tool-approval-request"),
    "before the decision": ("before decide", ""),
    "after the decision": ("after decide", ""),
    "the decision is not in the log": ("before append", "InterruptDecided"),
    "the approved call is entered": ("after append", "InterruptDecided"),
}


def question_with(tool: str) -> str:
    """A question that is answered in two steps, the first of which calls this tool alone."""
    asked = (f"tale {number}" for number in count())
    return next(text for text in asked if [[c.name for c in r.calls] for r in replies(text)] == [[tool], []])


PAY, SIGN = question_with("pay"), question_with("sign")


class Nursery:
    """Where processes are forked that kill themselves."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.database = f"sqlite:///{folder / 'doomed.db'}"
        self.ledger = folder / "ledger.jsonl"

    def kill_at(self, question: str, point: Point) -> None:
        """Let a process ask, and see it killed there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([self.database, str(self.ledger), question, *point]) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == str(-signal.SIGKILL), f"it never came to {point}"

    @property
    def ran(self) -> int:
        """How often a tool ran."""
        return len(Ledger(self.ledger).entries())


@pytest.fixture(scope="module")
def forking() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.doomed"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def nursery(forking: subprocess.Popen[str], tmp_path: Path) -> Nursery:
    return Nursery(forking, tmp_path)


@asynccontextmanager
async def reopened(nursery: Nursery) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another process on the same database."""
    async with teller_runtime(nursery.database, nursery.ledger, 0) as runtime:
        transport = httpx.ASGITransport(app=AgentServer(runtime).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://recovered") as client:
            yield client


async def recover(nursery: Nursery, question: str, *, approved: bool = True) -> tuple[bool, bool, dict[str, object]]:
    """What another process makes of it: was the run known, did it wait, and the results of its calls.

    The request is sent again, questions are answered, and apart from results the transcript must be right.
    """
    (expected,) = (await uninterrupted({"run": question}, nursery.ledger.parent)).values()
    async with reopened(nursery) as client:
        known = (await client.get(f"/v1/runs/{RUN}")).status_code == 200
        path, body = asking(question)
        (await client.post(path, json=body)).raise_for_status()
        waited = (await client.get(f"/v1/runs/{RUN}")).json()["status"] == "waiting"
        await decide(client, approved=approved)
        await client.get(f"/v1/runs/{RUN}/events/stream")
        run = (await client.get(f"/v1/runs/{RUN}")).json()
        messages = (await client.get("/v1/threads/thread/messages")).json()["messages"]
    assert run["status"] == "completed", run
    assert [message["role"] for message in messages].count("user") == 1
    found = of_stored(messages)
    assert not expected.differences(found, apart_from=expected.results)
    return known, waited, {call: result[1] for call, result in found.results.items()}


@pytest.mark.proves("E17", "R21")
@pytest.mark.parametrize("point", BEFORE_ACCEPT.values(), ids=BEFORE_ACCEPT)
async def test_a_request_that_was_not_accepted_is_absent_and_can_be_sent_again(nursery: Nursery, point: Point) -> None:
    nursery.kill_at(PAY, point)

    known, _, results = await recover(nursery, PAY)

    assert not known
    assert OUTCOME_UNKNOWN not in results.values()
    assert nursery.ran == 1


@pytest.mark.proves("E17", "R21")
@pytest.mark.parametrize("point", (NOT_YET_RUN | RAN).values(), ids=NOT_YET_RUN | RAN)
async def test_an_accepted_request_is_answered_as_if_nothing_had_happened(nursery: Nursery, point: Point) -> None:
    nursery.kill_at(PAY, point)

    known, _, results = await recover(nursery, PAY)

    assert known
    assert OUTCOME_UNKNOWN not in results.values()
    assert nursery.ran == 1


@pytest.mark.proves("E17", "R21")
@pytest.mark.parametrize("point", WHILE_READ.values(), ids=WHILE_READ)
async def test_a_request_on_a_known_thread_is_answered_likewise(nursery: Nursery, point: Point) -> None:
    async with reopened(nursery) as client:
        (await client.post("/v1/threads", json={"id": "thread"})).raise_for_status()
    nursery.kill_at(PAY, point)

    known, _, results = await recover(nursery, PAY)

    assert known
    assert OUTCOME_UNKNOWN not in results.values()
    assert nursery.ran == 1


@pytest.mark.proves("E17", "R21")
@pytest.mark.parametrize("point", WHILE_SHOWN.values(), ids=WHILE_SHOWN)
async def test_the_run_has_gone_on_or_not_while_it_was_shown(nursery: Nursery, point: Point) -> None:
    nursery.kill_at(PAY, point)

    known, _, results = await recover(nursery, PAY)

    assert known
    assert nursery.ran == 1 or list(results.values()) == [OUTCOME_UNKNOWN]


@pytest.mark.proves("E17", "R21")
@pytest.mark.parametrize("point", CUT_OFF.values(), ids=CUT_OFF)
async def test_a_call_that_was_cut_off_is_not_repeated_and_the_model_is_told(nursery: Nursery, point: Point) -> None:
    nursery.kill_at(PAY, point)
    before = nursery.ran

    known, _, results = await recover(nursery, PAY)

    assert known
    assert list(results.values()) == [OUTCOME_UNKNOWN]
    assert nursery.ran == before <= 1


@pytest.mark.proves("E17")
@pytest.mark.parametrize("moment", ["before claim", "after claim"])
async def test_a_run_that_is_taken_over_may_lose_its_process_again(nursery: Nursery, moment: str) -> None:
    nursery.kill_at(PAY, ("after accept", ""))
    nursery.kill_at(PAY, (moment, RUN if moment == "after claim" else ""))

    known, _, results = await recover(nursery, PAY)

    assert known
    assert OUTCOME_UNKNOWN not in results.values()
    assert nursery.ran == 1


@pytest.mark.proves("E17")
@pytest.mark.parametrize("point", AROUND_A_WAIT.values(), ids=AROUND_A_WAIT)
async def test_a_question_and_its_answer_are_kept(nursery: Nursery, point: Point) -> None:
    nursery.kill_at(SIGN, point)
    answered = point[0] in ("after decide", "before append")

    known, waited, results = await recover(nursery, SIGN)

    assert known
    assert waited is not answered
    assert OUTCOME_UNKNOWN not in results.values()
    assert nursery.ran == 1


@pytest.mark.proves("E17", "R21")
async def test_an_approved_call_that_was_cut_off_is_asked_about_again(nursery: Nursery) -> None:
    nursery.kill_at(SIGN, ("tool ran", "sign"))

    _, waited, results = await recover(nursery, SIGN, approved=False)

    assert waited
    assert all("denied" in str(result) for result in results.values())
    assert nursery.ran == 1
