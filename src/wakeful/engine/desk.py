"""Where a running call reports to: carries what it shows of itself to the journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import TypeVar

import msgspec

from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import FileGenerated, SourceCited, ToolProgressed
from wakeful.contracts.journal import Journal
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import FilePart, SourcePart, ToolCallPart
from wakeful.contracts.tool import CallReport
from wakeful.engine.output import bounded_text
from wakeful.engine.state import CallState, SharedState

T = TypeVar("T")
PROGRESS_BYTES = 2048
QUOTE_BYTES = 2048
MOST_SOURCES = 64
MOST_FILES = 8
FILE_BYTES = 8 * 1024 * 1024
"""How long the URL of one file may be."""


class Desk:
    """Takes reports from whatever thread until the call is `over`; long texts are cut. `extras` are for its message.

    A tool does not wait for the store: progress that comes while the journal is behind is left out.
    """

    def __init__(self, call: ToolCallPart, journal: Journal, state: SharedState) -> None:
        self._call = call
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._state = CallState(state, call.call_id, lambda: self.over)
        self._lock = threading.Lock()
        self.over = False
        self.extras: list[SourcePart | FilePart] = []

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self.over

    @property
    def state(self) -> MutableMapping[str, JsonValue]:
        """The shared state, as this call sees it."""
        return self._state

    def update_state(self, key: str, change: Callable[[T], T], default: T) -> T:
        """Change one key of it at once."""
        return self._state.update_key(key, change, default)

    def report(self, event: CallReport) -> None:
        """Show something of the call; raises `ToolError` for a source or a file too many, or one that is unfit."""
        if self.over:
            return
        checked = self._checked(event)
        if threading.get_ident() == self._thread:
            self._emit(checked)
        else:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to watch
                self._loop.call_soon_threadsafe(self._emit, checked)

    def _checked(self, event: CallReport) -> CallReport:
        match event:
            case ToolProgressed(message=str(message)):
                return msgspec.structs.replace(event, message=bounded_text(message, PROGRESS_BYTES))
            case SourceCited(source):
                return SourceCited(self._kept_source(source), self._call.call_id)
            case FileGenerated(file):
                self._keep_file(file)
                return event
            case _:
                return event

    def _kept_source(self, source: SourcePart) -> SourcePart:
        if source.url is not None and not source.url.startswith(("https://", "http://")):
            raise ToolError("expected a source's url to be an http or https address; clients show it as a link")
        with self._lock:
            known = sum(isinstance(part, SourcePart) for part in self.extras)
            if known == MOST_SOURCES:
                raise ToolError(f"expected at most {MOST_SOURCES} sources of one call")
            kept = msgspec.structs.replace(
                source,
                id=f"{self._call.call_id}:source:{known + 1}",
                title=_cut(source.title),
                cited_text=_cut(source.cited_text),
            )
            self.extras.append(kept)
        return kept

    def _keep_file(self, file: FilePart) -> None:
        if not file.url.startswith(("data:", "https:")) or len(file.url) > FILE_BYTES:
            raise ToolError(f"expected a file as a data: or https: URL of at most {FILE_BYTES} characters")
        with self._lock:
            if sum(isinstance(part, FilePart) for part in self.extras) == MOST_FILES:
                raise ToolError(f"expected at most {MOST_FILES} files of one call")
            self.extras.append(file)

    def _emit(self, event: CallReport) -> None:
        if not self.over and not (isinstance(event, ToolProgressed) and self._journal.behind):
            self._journal.emit(event)


def _cut(text: str | None) -> str | None:
    return None if text is None else bounded_text(text, QUOTE_BYTES)
