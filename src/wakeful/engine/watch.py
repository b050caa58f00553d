"""Carries the progress of one tool call to the journal."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from wakeful.contracts.event import ToolProgressed
from wakeful.contracts.journal import Journal
from wakeful.contracts.message import ToolCallPart
from wakeful.engine.output import bounded_text

PROGRESS_BYTES = 2048


class Watch:
    """Takes progress from whatever thread until the call is `over`; a long message is cut.

    A tool does not wait for the store: progress that comes while the journal is behind is left out.
    """

    def __init__(self, call: ToolCallPart, journal: Journal) -> None:
        self._call = call
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.over = False

    def progress(self, message: str | None, progress: float | None, total: float | None) -> None:
        """Show progress; `ToolContext.progress` says what it means."""
        if self.over:
            return
        text = None if message is None else bounded_text(message, PROGRESS_BYTES)
        event = ToolProgressed(self._call.call_id, self._call.name, text, progress, total)
        if threading.get_ident() == self._thread:
            self._emit(event)
        else:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to watch
                self._loop.call_soon_threadsafe(self._emit, event)

    def _emit(self, event: ToolProgressed) -> None:
        if not self.over and not self._journal.behind:
            self._journal.emit(event)
