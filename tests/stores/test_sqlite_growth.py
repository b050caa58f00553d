"""How much a run takes, and what compaction and pruning give back."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from wakeful.contracts.codec import entry
from wakeful.contracts.event import (
    Event,
    LogEntry,
    MessageCommitted,
    ModelCallFinished,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallReady,
    ToolCallStarted,
)
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import Message, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Append
from wakeful.contracts.usage import Usage
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import more, settlement, start

TEXT = "The quick brown fox jumps over the lazy dog, and what the fox found there was worth the jump"
WORDS = TEXT.split()
RESULT: JsonValue = {"rows": [{"id": number, "name": f"name {number}"} for number in range(20)]}


def step(number: int, first_seq: int, lease: Lease) -> Append:
    """What the recorder of a run hands over about one step with text and a tool call."""
    call, reply, result = f"call-{number:04}", f"reply-{number:04}", f"result-{number:04}"
    events: list[Event] = [
        StepStarted(number, reply),
        *[TextDelta(f"{word} ") for word in WORDS],
        ToolCallProposed(call, "look_up"),
        ToolCallReady(call, "look_up", '{"query":"fox"}'),
        ModelCallFinished("small", "openai", "tool_calls", Usage(input_tokens=900, output_tokens=40), 1_200),
        MessageCommitted(reply, "assistant"),
        ToolCallStarted(call, "look_up"),
        ToolCallFinished(call, "look_up", "succeeded", RESULT, result),
        MessageCommitted(result, "tool"),
        StepFinished(number),
    ]
    parts = (TextPart(TEXT), ToolCallPart(call, "look_up", '{"query":"fox"}'))
    results = (ToolResultPart(call, "look_up", "succeeded", RESULT),)
    messages = (
        Message(reply, "assistant", parts, 1_000, run_id="r1", step=number),
        Message(result, "tool", results, 1_000, run_id="r1", step=number),
    )
    usage = Usage(input_tokens=900 * number, output_tokens=40 * number)
    entries = tuple(entry(first_seq + index, 1_000, event) for index, event in enumerate(events))
    return more(lease, entries, messages=messages, steps=number, usage=usage)


async def carry(store: SQLiteStore, lease: Lease, first: int, last: int) -> None:
    """Carry the run from one step to another."""
    for number in range(first, last + 1):
        await store.append([step(number, 2 + (number - 1) * 100, lease)])


async def bytes_of(store: SQLiteStore) -> tuple[int, int]:
    """Bytes of bodies, and of the file without what could be given back."""
    await store.reclaim()
    sizes = await store.sizes()
    return sizes.event_bytes + sizes.message_bytes, sizes.file_bytes


async def test_a_step_takes_no_more_room_the_longer_the_run(store: SQLiteStore) -> None:
    _, lease = await start(store, "r1")
    measured = [await bytes_of(store)]
    for first, last in ((1, 50), (51, 150), (151, 200)):
        await carry(store, lease, first, last)
        measured.append(await bytes_of(store))

    (bodies, files) = zip(*measured, strict=True)

    for name, (empty, after_50, after_150, after_200) in {"bodies": bodies, "file": files}.items():
        assert after_200 - after_150 == pytest.approx(after_50 - empty, rel=0.1), name


async def test_compaction_and_pruning_give_room_back_to_the_disk(store: SQLiteStore) -> None:
    await long_run(store, 10_000)
    before = await store.sizes()

    await store.compact(9_000, 9)
    freed = await store.sizes()
    await store.reclaim()
    packed = await store.sizes()
    await store.prune(9_000, 9)
    await store.reclaim()
    pruned = await store.sizes()

    assert packed.packed_events == before.events == 10_001
    assert packed.pack_bytes * 5 < before.event_bytes
    assert freed.free_bytes > 0
    assert packed.free_bytes == 0
    assert pruned.file_bytes < packed.file_bytes < before.file_bytes


async def test_a_store_on_the_disk_knows_its_file_and_one_in_memory_has_none(path: Path, store: SQLiteStore) -> None:
    memory = SQLiteStore(":memory:")
    await memory.open()

    assert (await store.sizes()).file_bytes >= (await asyncio.to_thread(path.stat)).st_size
    assert (await memory.sizes()).file_bytes == 0
    await memory.aclose()


async def long_run(store: SQLiteStore, deltas: int) -> None:
    """A finished run that streamed many small pieces of text."""
    _, lease = await start(store, "r1")
    await store.append([more(lease, deltas_of(2, deltas))])
    await store.settle(settlement(lease))


def deltas_of(first_seq: int, count: int) -> tuple[LogEntry, ...]:
    """Text without a pattern, piece by piece, 25 ms apart."""
    pieces = random.Random(1).choices(range(10_000), k=count)
    return tuple(
        entry(first_seq + index, 1_000 + index * 25, TextDelta(f"{piece} ")) for index, piece in enumerate(pieces)
    )
