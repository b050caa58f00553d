"""What becomes of what may be read: changes of runs and threads, from their logs, and of the list of threads.

A run's log tells of itself, in this process or from another. A thread is looked at again when the run it carries goes
on, and every two seconds, because its title may change and its next run begins anywhere. Lists are looked at as often,
once for all that listen in a scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote

from wakeful.contracts.errors import NotFound, StoreUnavailable
from wakeful.contracts.event import LogEntry, MessageCommitted, RunFinished, RunStarted, RunWaiting, StepFinished
from wakeful.contracts.lifecycle import RESTING
from wakeful.contracts.query import ThreadQuery
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.protocols.mcp.resources import PAGE, RUNS, THREADS
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

LOOK_SECONDS = 2
Subject = Run | Thread


class Changes:
    """Finds what can be listened to, and tells when it is worth reading again."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._looks: dict[str, _Look] = {}

    async def find(self, principal: Principal, uri: str) -> Subject | None:
        """The run or the thread at a URI; None for anything else, which never changes or does not exist."""
        with suppress(NotFound):
            if uri.startswith(RUNS):
                return await self._operations.run(principal, unquote(uri.removeprefix(RUNS)))
            if uri.startswith(THREADS):
                return await self._operations.thread(principal, unquote(uri.removeprefix(THREADS)))
        return None

    async def mark(self, subject: Subject) -> str:
        """How far a subject has come; what is told of it after this mark is news."""
        if isinstance(subject, Thread):
            return _state_of(subject)
        return str((await self._operations.store.last_seqs([subject.key])).get(subject.key, 0))

    def of(self, subject: Subject, mark: str) -> AsyncGenerator[None]:
        """Something for each change after a mark, until there can be no more of them."""
        return self._of_thread(subject, mark) if isinstance(subject, Thread) else self._of_run(subject, mark)

    async def listed(self, scope: str) -> Listed:
        """The list of threads as it is now; what is told of it after this is news."""
        found = await self._operations.threads(ThreadQuery(scope=scope, limit=PAGE))
        titles = {thread.id: thread.title for thread in found.items}
        return Listed(found.total, titles, max((thread.created_at for thread in found.items), default=0), found.items)

    async def of_list(self, scope: str, seen: Listed) -> AsyncGenerator[None]:
        """Something whenever threads came, went or were renamed."""
        with self._looking(scope) as look:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                now = await look.listed() or seen
                if now.differs_from(seen):
                    yield
                seen = now

    async def _of_run(self, run: Run, mark: str) -> AsyncGenerator[None]:
        events = self._operations.follow(run, after=int(mark) if mark.isdigit() else 0, until_finished=True)
        async with aclosing(events):
            async for batch in events:
                if any(_shows(entry) for entry in batch):
                    yield

    async def _of_thread(self, thread: Thread, mark: str) -> AsyncGenerator[None]:
        store = self._operations.store
        while True:
            run = await store.active_run(thread.key)
            seq = (await store.last_seqs([run.key])).get(run.key, 0) if run else 0
            found = await store.get_thread(thread.scope, thread.id)
            if found is None or found.key != thread.key:  # it was removed, which reading it tells
                yield
                return
            if (now := _state_of(found)) != mark:
                mark = now
                yield
            await self._stirred(run, seq)

    async def _stirred(self, run: Run | None, seq: int) -> None:
        """Return when a thread's run has gone on, or it is time to look again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                if run is None or run.status in RESTING:
                    await asyncio.sleep(LOOK_SECONDS)
                    return
                async with aclosing(self._operations.follow(run, after=seq)) as events:
                    async for batch in events:
                        if any(_shows(entry) for entry in batch):
                            return

    @contextmanager
    def _looking(self, scope: str) -> Generator[_Look]:
        look = self._looks.setdefault(scope, _Look(self, scope))
        look.watchers += 1
        try:
            yield look
        finally:
            look.watchers -= 1
            if not look.watchers:
                self._looks.pop(scope, None)


@dataclass(frozen=True, slots=True)
class Listed:
    """The first page of a scope's threads: how many there are in all, the page's titles by id, its newest thread."""

    total: int
    titles: Mapping[str, str | None]
    newest: int
    threads: Sequence[Thread]

    def differs_from(self, earlier: Listed) -> bool:
        """Whether threads came, went or were renamed; an old one that only moved into the page is no change."""
        return self.total != earlier.total or any(
            earlier.titles.get(one.id, one.title) != one.title
            or (one.id not in earlier.titles and one.created_at > earlier.newest)
            for one in self.threads
        )


class _Look:
    """Looks at a list once in two seconds, whoever asks."""

    def __init__(self, changes: Changes, scope: str) -> None:
        self.watchers = 0
        self._changes = changes
        self._scope = scope
        self._found: Listed | None = None
        self._found_at = float("-inf")
        self._looking = asyncio.Lock()

    async def listed(self) -> Listed | None:
        """The list, at most a second old; None, or an older one, while the store cannot tell."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._found_at >= LOOK_SECONDS / 2:
                with suppress(StoreUnavailable):  # another look comes
                    self._found, self._found_at = await self._changes.listed(self._scope), now
        return self._found


def _shows(entry: LogEntry) -> bool:
    """Whether a transcript shows an event."""
    return isinstance(entry.event, RunStarted | RunWaiting | RunFinished | StepFinished | MessageCommitted)


def _state_of(thread: Thread) -> str:
    return f"{thread.updated_at}.{thread.message_count}"
