"""Shows a task as it changes: the task first, then each change, as the payloads of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from wakeful.contracts.event import LogEntry
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run
from wakeful.protocols.a2a import legacy, legacy_proto
from wakeful.protocols.a2a.task import Fold, Update
from wakeful.protocols.a2a.wire import Message, StatusUpdate, StreamResponse

Version = Literal["1.0", "0.3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a client is spoken to: its version, and the JSON-RPC id of its request (None where there is no JSON-RPC)."""

    version: Version = "1.0"
    rpc_id: str | int | None = None
    rpc: bool = False

    def payload(self, response: StreamResponse) -> bytes:
        """One message of a stream."""
        return msgspec.json.encode(self._rpc(response) if self.rpc else self._bare(response))

    def _rpc(self, response: StreamResponse) -> JsonObject:
        result = response if self.version == "1.0" else legacy.streamed(response)
        return {"jsonrpc": "2.0", "id": self.rpc_id, "result": result}

    def _bare(self, response: StreamResponse) -> object:
        return response if self.version == "1.0" else legacy_proto.streamed(response)


class Encoder:
    """Feed it a run's log from the beginning; the same log gives the same bytes.

    The first event after `after` shows the whole task with `history`, those behind it what they change.
    """

    def __init__(
        self,
        run: Run,
        *,
        after: int,
        dialect: Dialect,
        history: tuple[Message, ...] = (),
        answered: frozenset[str] = frozenset(),
    ) -> None:
        self._fold = Fold(task_id=run.id, context_id=run.thread_id, answered=answered)
        self._after = after
        self._dialect = dialect
        self._history = history
        self._shown = False

    def encode(self, entry: LogEntry) -> list[bytes]:
        """The payloads this entry adds."""
        updates = self._fold.apply(entry)
        if entry.seq <= self._after:
            return []
        if not self._shown:
            self._shown = True
            return [self._dialect.payload(StreamResponse(task=self._fold.task(self._history)))]
        return [self._dialect.payload(response(update)) for update in updates]


def response(update: Update) -> StreamResponse:
    """A change as what a stream brings."""
    if isinstance(update, StatusUpdate):
        return StreamResponse(status_update=update)
    return StreamResponse(artifact_update=update)
