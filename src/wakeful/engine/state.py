"""The state that a thread's agents, tools and client share, while a run is carried."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import TypeVar, cast

import jsonpatch
import msgspec

from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import StateChanged
from wakeful.contracts.journal import Journal
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.thread import MAX_STATE_BYTES

T = TypeVar("T")


class SharedState:
    """One JSON object that the calls of a run read and write from whatever thread; its values are never changed.

    Each write is journalled as a patch. Writes that come faster than the store takes them are shown as one.
    """

    def __init__(self, state: JsonObject, journal: Journal) -> None:
        self._current = self._shown = state
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._lock = threading.RLock()
        self._changed: dict[str, None] = {}
        self._writer = ""

    @property
    def current(self) -> JsonObject:
        """The state as it is now."""
        return self._current

    def update(self, call_id: str, key: str, change: Callable[[T], T], default: T) -> T:
        """Set a key to what `change` makes of its value, which nobody writes meanwhile; returns that."""
        with self._lock:
            value = change(cast("T", copy.deepcopy(self._current[key])) if key in self._current else default)
            self.write(call_id, key, cast("JsonValue", value))
        return value

    def write(self, call_id: str, key: str, value: JsonValue | msgspec.UnsetType) -> None:
        """Set a key, or remove it. Raises `ToolError` for what is no JSON and for a state that gets too large."""
        with self._lock:
            after = {name: known for name, known in self._current.items() if name != key or value is not msgspec.UNSET}
            if value is not msgspec.UNSET:
                after[_name(key)] = _json_copy(value)
            size = len(msgspec.json.encode(after))
            if size > MAX_STATE_BYTES:
                raise ToolError(f"the shared state would have {size} bytes; expected at most {MAX_STATE_BYTES}")
            self._current, self._writer = after, call_id
            self._changed[key] = None
        if threading.get_ident() == self._thread:
            self.show()
        else:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to watch
                self._loop.call_soon_threadsafe(self.show)

    def show(self, *, all_of_it: bool = False) -> None:
        """Journal what was written; while the journal is behind that waits, unless `all_of_it` is wanted now."""
        if self._journal.behind and not all_of_it:
            return
        with self._lock:
            before, after, changed, call_id = self._shown, self._current, tuple(self._changed), self._writer
            self._shown = after
            self._changed.clear()
        patch = tuple(operation for key in changed for operation in _patch(before, after, key))
        if patch:
            self._journal.change_state(StateChanged(call_id, patch), after)


class CallState(MutableMapping[str, JsonValue]):
    """The shared state as one call sees it: what is read is a copy. Writes raise `ToolError` once it is `over`."""

    def __init__(self, shared: SharedState, call_id: str, over: Callable[[], bool]) -> None:
        self._shared = shared
        self._call_id = call_id
        self._over = over

    def __getitem__(self, key: str) -> JsonValue:
        return copy.deepcopy(self._shared.current[key])

    def __setitem__(self, key: str, value: JsonValue) -> None:
        self._write(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self._shared.current:
            raise KeyError(key)
        self._write(key, msgspec.UNSET)

    def update_key(self, key: str, change: Callable[[T], T], default: T) -> T:
        """Set a key to what `change` makes of its value."""
        self._refuse_when_over()
        return self._shared.update(self._call_id, key, change, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shared.current)

    def __len__(self) -> int:
        return len(self._shared.current)

    def _write(self, key: str, value: JsonValue | msgspec.UnsetType) -> None:
        self._refuse_when_over()
        self._shared.write(self._call_id, key, value)

    def _refuse_when_over(self) -> None:
        if self._over():
            raise ToolError("nobody waits for this call any more; the shared state stays as it is")


def _patch(before: JsonObject, after: JsonObject, key: str) -> list[JsonObject]:
    """How one key came from `before` to `after`, as RFC 6902 operations."""
    old, new = ({key: state[key]} if key in state else {} for state in (before, after))
    return list(jsonpatch.make_patch(old, new))


def _name(key: str) -> str:
    if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - tools are not all type-checked
        raise ToolError(f"expected the name of a state key as a text, found {key!r}")
    return key


def _json_copy(value: JsonValue) -> JsonValue:
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ToolError(f"expected a JSON value for the shared state, found a {type(value).__name__}") from error
