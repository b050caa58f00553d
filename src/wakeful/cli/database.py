"""What `wakeful db` does: looks after one store, whether a server uses it or not, or copies one into another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import click
import msgspec

from wakeful.bootstrap.plugs import open_store
from wakeful.bootstrap.settings import read_runtime_settings
from wakeful.cli import moving
from wakeful.contracts.store import Store
from wakeful.contracts.upkeep import Sizes
from wakeful.runtime.clock import SystemClock

T = TypeVar("T")

BATCH = 20
"""Logs per transaction, so that a server that uses the store never waits long."""
ROWS = (
    ("threads", "threads", None),
    ("messages", "messages", "message_bytes"),
    ("runs", "runs", None),
    ("  not finished", "unfinished_runs", None),
    ("events", "events", "event_bytes"),
    ("packed events", "packed_events", "pack_bytes"),
    ("  in packs", "packs", None),
)


def upgrade(url: str) -> None:
    """Open a store, which brings its schema up to date, and close it; also where servers may not."""

    async def open_and_close() -> None:
        async with _opened(url, migrate=True):
            pass

    asyncio.run(open_and_close())


def copy(source: str, target: str, *, force: bool) -> list[moving.Checked]:
    """Copy everything that a store holds into an empty one, or go on with that; what was copied."""

    async def both() -> list[moving.Checked]:
        async with _opened(source, migrate=may_migrate()) as old, _opened(target, migrate=True) as new:
            return await moving.copy(old, new, force=force, tell=lambda now: click.echo(now, err=True))

    return asyncio.run(both())


def sizes(url: str) -> Sizes:
    """How much a store holds."""
    return asyncio.run(_with(url, lambda store: store.sizes()))


def compact(url: str, older_than_ms: int) -> int:
    """Pack the logs of runs that finished so long ago; how many."""
    return asyncio.run(_with(url, lambda store: _all(store.compact, older_than_ms)))


def prune(url: str, older_than_ms: int) -> int:
    """Remove the logs of runs that finished so long ago; how many."""
    return asyncio.run(_with(url, lambda store: _all(store.prune, older_than_ms)))


def reclaim(url: str) -> int:
    """Give free space back to the disk; how many bytes smaller the files are."""

    async def both(store: Store) -> int:
        before = await store.sizes()
        await store.reclaim()
        return max(0, before.file_bytes - (await store.sizes()).file_bytes)

    return asyncio.run(_with(url, both))


def may_migrate() -> bool:
    """Whether a command that only uses a store may bring its schema up to date."""
    return read_runtime_settings().migrate


def show_sizes(found: Sizes, *, as_json: bool) -> None:
    """Print what a store holds."""
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for label, count, volume in ROWS:
        amount = readable(getattr(found, volume)) if volume else ""
        click.echo(f"{label:<16}{getattr(found, count):>14,}{amount:>14}".rstrip())
    click.echo(f"{'on disk':<16}{'':>14}{readable(found.file_bytes):>14}")
    click.echo(f"{'  free':<16}{'':>14}{readable(found.free_bytes):>14}")


def show_copied(copied: Sequence[moving.Checked], *, as_json: bool) -> None:
    """Print what a copy holds."""
    if as_json:
        click.echo(msgspec.json.encode({one.kind: {"rows": one.rows, "sha256": one.sha256} for one in copied}).decode())
        return
    for one in copied:
        click.echo(f"{one.kind:<18}{one.rows:>14,}  {one.sha256}")
    click.echo("both stores hold the same: counts and SHA-256 of all rows in key order")


def readable(size: int) -> str:
    """A number of bytes as people say it."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


async def _with(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    async with _opened(url, migrate=may_migrate()) as store:
        return await work(store)


@asynccontextmanager
async def _opened(url: str, *, migrate: bool) -> AsyncGenerator[Store]:
    store = open_store(url, migrate=migrate)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def _all(step: Callable[[int, int], Awaitable[int]], older_than_ms: int) -> int:
    before = SystemClock().now() - older_than_ms
    total = 0
    while done := await step(before, BATCH):
        total += done
    return total
