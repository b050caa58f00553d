"""SQLite passes the shared store suite, in a file and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wakeful.contracts.store import Store
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_suite import StoreSuite


class TestSQLiteFile(StoreSuite):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        store = SQLiteStore(tmp_path / "wakeful.db", readers=2)
        await store.open()
        yield store
        await store.aclose()


class TestSQLiteInMemory(StoreSuite):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = SQLiteStore(":memory:")
        await store.open()
        yield store
        await store.aclose()
