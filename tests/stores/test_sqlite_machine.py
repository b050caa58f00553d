"""SQLite, under any sequence of calls, does what the model of a store does."""

from __future__ import annotations

from hypothesis import settings

from wakeful.contracts.store import Store
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_machine import StoreMachine


class SQLiteMachine(StoreMachine):
    def new_store(self) -> Store:
        return SQLiteStore(":memory:")


TestSQLiteMachine = SQLiteMachine.TestCase
TestSQLiteMachine.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
