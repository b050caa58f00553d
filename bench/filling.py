"""Fills a store by its bulk door: finished runs and messages of very many threads, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from wakeful.contracts.codec import encode_message
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.portable import KINDS, PortableRow
from wakeful.contracts.store import Store
from wakeful.stores.bulk import MOST_ROWS

SCOPE = "default"
EMPTY = b"{}"
TEXT = "a sentence of a conversation that has gone on for a while, as such sentences are; "


def thread_id(number: int) -> str:
    """The id of a thread that was filled in; they are numbered from 1."""
    return f"t{number}"


async def fill(store: Store, *, threads: int, messages: int) -> None:
    """Into an empty, open store: so many threads of so many messages, each with one finished run.

    The newest thread and run have the highest number; times are that number in milliseconds.
    """
    progress = await store.begin_copy("bench")
    rows = {"threads": _threads(threads, messages), "messages": _messages(threads, messages), "runs": _runs(threads)}
    for kind in KINDS:
        for page in _pages(rows.get(kind.name, iter(()))):
            now = msgspec.structs.replace(progress, kind=kind.name, after=kind.position(page[-1]))
            await store.take_in(kind, page, progress, now)
            progress = now
    await store.end_copy()


def _pages(rows: Iterable[PortableRow]) -> Iterator[list[PortableRow]]:
    left = iter(rows)
    while page := list(islice(left, MOST_ROWS)):
        yield page


def _threads(threads: int, messages: int) -> Iterator[PortableRow]:
    for key in range(1, threads + 1):
        yield (key, SCOPE, thread_id(key), key, key, None, None, EMPTY, messages, messages, 0, "bench", 0)


def _messages(threads: int, messages: int) -> Iterator[PortableRow]:
    for key in range(1, threads + 1):
        for seq in range(1, messages + 1):
            role = "user" if seq % 2 else "assistant"
            body = encode_message(Message(f"m{key}-{seq}", role, (TextPart(TEXT),), created_at=key))
            yield (key, seq, f"m{key}-{seq}", "external", f"r{key}", body)


def _runs(threads: int) -> Iterator[PortableRow]:
    for key in range(1, threads + 1):
        yield (
            *(key, key, SCOPE, f"r{key}", "bench", "completed", "native", key, key, key, key, None, "answered"),
            *(None, None, 1, 1, EMPTY, EMPTY, None, f"digest {key}", None, 0, 0, "queue", None, "rows", None),
        )
