"""Looks at what a storm left and names everything that is not as an uninterrupted server would have left it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from tests.chaos.ledger import ONCE
from tests.chaos.served import teller_runtime
from tests.chaos.storm import Aftermath
from tests.chaos.transcript import Transcript, of_stored

from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.engine.gate import OUTCOME_UNKNOWN

Messages = list[dict[str, Any]]
MOST_AT_ONCE = 8


@dataclass(slots=True)
class Verdict:
    """`wrong` is empty when the promise was kept; `counted` says how much there was to keep it for."""

    wrong: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


async def judge(aftermath: Aftermath, folder: Path) -> Verdict:
    """Wait until no run is unfinished, then compare everything."""
    await _until_quiet(aftermath)
    verdict = Verdict(wrong=[*aftermath.conflicts], counted=Counter(aftermath.harms))
    threads = {told.client.thread for told in aftermath.told} | {letter.thread for letter in aftermath.letters}
    stored = {thread: await _messages(aftermath, thread) for thread in sorted(threads)}
    for thread, messages in stored.items():
        _check_order(thread, messages, verdict)
    by_run = {run: group for messages in stored.values() for run, group in _runs(messages).items()}
    questions = {told.run: told.question for told in aftermath.told}
    questions |= {letter.run: letter.question for letter in aftermath.letters}
    expected = await uninterrupted(questions, folder)
    cut = await _check_runs(aftermath, questions, expected, by_run, verdict)
    for told in aftermath.told:
        _compare(f"client of {told.run}", expected[told.run], told.transcript, cut[told.run], verdict)
    _check_letters(aftermath, stored, verdict)
    _check_ledger(aftermath, verdict)
    return verdict


async def uninterrupted(questions: Mapping[str, str], folder: Path) -> dict[str, Transcript]:
    """What each run would have been: the same questions, asked in this process, where nobody kills anything."""
    async with teller_runtime(None, folder / "uninterrupted.jsonl", 0) as runtime:
        most = asyncio.Semaphore(MOST_AT_ONCE)

        async def told(run: str, question: str) -> Transcript:
            async with most:
                result = await runtime.run("teller", question, thread_id=run, run_id=run)
                while result.run.status is RunStatus.WAITING:
                    answers = [Decision(asked.id, approved=True) for asked in result.interrupts]
                    result = await runtime.decide(run, *answers)
            return of_stored(msgspec.to_builtins(await runtime.inner.store.history(result.run.thread_key)))

        transcripts = await asyncio.gather(*(told(run, question) for run, question in questions.items()))
    return dict(zip(questions, transcripts, strict=True))


# -- reading what is left


async def _until_quiet(aftermath: Aftermath) -> None:
    """Letters are answered in the background; return when each run's stream has ended."""
    for letter in aftermath.letters:
        answer = await aftermath.http.get(f"{aftermath.base}/v1/runs/{letter.run}/events/stream", timeout=None)
        assert answer.status_code == 200, f"run {letter.run}: {answer.status_code} {answer.text[:500]}"


async def _get(aftermath: Aftermath, path: str, **query: Any) -> Any:
    answer = await aftermath.http.get(f"{aftermath.base}{path}", params=query)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


async def _messages(aftermath: Aftermath, thread: str) -> Messages:
    found: Messages = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = await _get(aftermath, f"/v1/threads/{thread}/messages", **query)
        found.extend(page["messages"])
        if not page["has_more"]:
            return found
        query["cursor"] = page["next_cursor"]


async def _log(aftermath: Aftermath, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = await _get(aftermath, f"/v1/runs/{run}/events", **query)
        found.extend(page["items"])
        if not page["has_more"]:
            return found
        query["after"] = page["next_cursor"]


def _runs(messages: Messages) -> dict[str, Messages]:
    """Messages by the run that brought or wrote them."""
    found: dict[str, Messages] = defaultdict(list)
    for message in messages:
        found[message["run_id"]].append(message)
    return found


# -- the promises


def _check_order(thread: str, messages: Messages, verdict: Verdict) -> None:
    """Each run's messages stand together, its question first."""
    groups = [(run, list(group)) for run, group in groupby(messages, key=lambda message: message["run_id"])]
    for run, count in Counter(run for run, _ in groups).items():
        if count > 1:
            verdict.wrong.append(f"thread {thread}: run {run} is interleaved with another")
    verdict.wrong += [
        f"thread {thread}: run {run} does not begin with its question" for run, group in groups if not _asks_once(group)
    ]


def _asks_once(messages: Messages) -> bool:
    return [message["role"] == "user" for message in messages] == [True] + [False] * (len(messages) - 1)


async def _check_runs(
    aftermath: Aftermath,
    questions: Mapping[str, str],
    expected: Mapping[str, Transcript],
    stored: Mapping[str, Messages],
    verdict: Verdict,
) -> dict[str, frozenset[str]]:
    """Each run completed with the expected transcript; gives the calls of each that were really cut off."""
    cut: dict[str, frozenset[str]] = {}
    for run, question in questions.items():
        messages = stored.get(run, [])
        log = await _log(aftermath, run)
        cut[run] = _cut_off(log)
        _check_numbers(run, log, aftermath, verdict)
        if log[-1]["type"] != "run_finished" or log[-1]["outcome"] != "completed":
            verdict.wrong.append(f"run {run} did not complete: {log[-1]}")
        if [part.get("text") for part in messages[0]["parts"]] != [question] if messages else True:
            verdict.wrong.append(f"run {run}: its question is missing")
        found = of_stored(messages)
        _compare(f"run {run}", expected[run], found, cut[run], verdict)
        verdict.counted["runs"] += 1
        verdict.counted["steps begun again"] += sum(event["type"] == "step_restarted" for event in log)
        verdict.counted["calls cut off"] += sum(_unknown(found, call) for call in cut[run])
    return cut


def _check_numbers(run: str, log: list[dict[str, Any]], aftermath: Aftermath, verdict: Verdict) -> None:
    """No number of the log was ever shown with another content."""
    for event in log:
        shown = aftermath.shown.get((run, event["seq"]))
        if shown is not None and json.loads(shown) != event:
            verdict.wrong.append(f"run {run}: event {event['seq']} was shown as {shown!r}, the log has {event}")


def _cut_off(log: list[dict[str, Any]]) -> frozenset[str]:
    """Calls that had begun when a process was lost: the log's numbers jump before they have a result."""
    begun: set[str] = set()
    cut: set[str] = set()
    last = 0
    for event in log:
        if event["seq"] > last + 1:
            cut |= begun
        last = event["seq"]
        if event["type"] == "tool_call_started":
            begun.add(event["call_id"])
        elif event["type"] == "tool_call_finished":
            begun.discard(event["call_id"])
    return frozenset(cut)


def _compare(who: str, expected: Transcript, found: Transcript, cut: frozenset[str], verdict: Verdict) -> None:
    """The same, except that a call which was cut off may have an unknown outcome, or a human's refusal to repeat it."""
    unknown = [call for call in cut if _unknown(found, call)]
    verdict.wrong += [f"{who}: {difference}" for difference in expected.differences(found, apart_from=unknown)]


def _unknown(found: Transcript, call: str) -> bool:
    status, output = found.results.get(call, (None, None))
    return status == "denied" or output == OUTCOME_UNKNOWN or (status is None and "denied" in str(output))


def _check_letters(aftermath: Aftermath, stored: Mapping[str, Messages], verdict: Verdict) -> None:
    """Every accepted message is in its thread, once, in the order in which it was accepted."""
    accepted: dict[str, list[str]] = defaultdict(list)
    for letter in aftermath.letters:
        accepted[letter.thread].append(letter.message)
        verdict.counted["letters"] += 1
    for thread, messages in accepted.items():
        found = [message["id"] for message in stored[thread] if message["role"] == "user"]
        if found != messages:
            verdict.wrong.append(f"thread {thread}: accepted were {messages}, it has {found}")


def _check_ledger(aftermath: Aftermath, verdict: Verdict) -> None:
    """A call that must run once ran at most once; every attempt at one call had the same key, and no other call's."""
    entries = aftermath.ledger.entries()
    times = Counter(entry.call for entry in entries if entry.tool in ONCE)
    verdict.wrong += [f"call {call} ran {count} times" for call, count in times.items() if count > 1]
    keys: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        keys[entry.call].add(entry.key)
    verdict.wrong += [f"call {call} saw the keys {sorted(seen)}" for call, seen in keys.items() if len(seen) > 1]
    if len({key for seen in keys.values() for key in seen}) < len(keys):
        verdict.wrong.append("two calls saw the same key")
    verdict.counted["calls"] += len(keys)
    verdict.counted["calls repeated"] += len(entries) - len(set(entries))
