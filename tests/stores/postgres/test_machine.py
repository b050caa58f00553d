"""PostgreSQL, under any sequence of calls, does what the model of a store does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import settings

from wakeful.contracts.store import Store
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_machine import StoreMachine


class PostgresMachine(StoreMachine):
    emptied: ClassVar[Callable[[], str]]

    def new_store(self) -> Store:
        return PostgresStore(f"{type(self).emptied()}&pool_size=1")


@pytest.fixture(autouse=True)
def _database(emptied: Callable[[], str]) -> None:
    PostgresMachine.emptied = emptied


TestPostgresMachine = PostgresMachine.TestCase
TestPostgresMachine.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
