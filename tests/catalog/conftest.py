"""A catalog of cups: each stands on a table, which must be there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import cast

import pytest
from pydantic import Field

from wakeful.catalog.catalogs import Catalogs
from wakeful.catalog.editor import Editor
from wakeful.catalog.journal import Journal, Who
from wakeful.catalog.records import Records
from wakeful.catalog.snapshot import Catalog
from wakeful.catalog.vault import FernetVault, NoVault
from wakeful.contracts.config import InvalidConfiguration, Namespace, Problem, Specs
from wakeful.contracts.secret import Secret, Vault
from wakeful.contracts.spec import AgentSpec, Id, Spec
from wakeful.contracts.store import Store
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.clock import FakeClock

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ADA = Who(actor="ada", address="127.0.0.1", request_id="r1")


class Cup(Spec):
    id: Id
    table: Id = "wooden"
    litres: float = Field(default=0.2, gt=0)
    labels: dict[str, str] = Field(default_factory=dict)
    lock: Secret | None = None


class Table(Spec):
    id: Id
    legs: int = 4


NAMESPACES = {
    "cups": Namespace("cups", Cup, {"mug": Cup(id="mug", labels={"colour": "blue"})}),
    "tables": Namespace("tables", Table, {"wooden": Table(id="wooden")}, closed=True),
}


class Carpenter:
    """Builds catalogs whose agents are named by the cups."""

    def build(self, publication: int, specs: Specs) -> Catalog:
        return build(publication, specs)

    async def aclose(self) -> None:
        pass


def build(publication: int, specs: Specs) -> Catalog:
    cups = cast("Mapping[str, Cup]", specs["cups"])
    problems = [
        Problem("cups", cup.id, "table", f"no table {cup.table!r}")
        for cup in cups.values()
        if cup.table not in specs["tables"]
    ]
    if problems:
        raise InvalidConfiguration(problems)
    agents = {name: AgentSpec(id=name, instructions=repr(cup)) for name, cup in cups.items()}
    return Catalog(agents=agents, models={}, providers={}, tools={}, publication=publication)


class Process:
    """One process's share of the configuration in a store."""

    def __init__(self, store: Store, clock: FakeClock, vault: Vault) -> None:
        records = Records(NAMESPACES, vault)
        journal = Journal(store, clock)
        first = build(0, records.specs({}))
        self.catalogs = Catalogs(first=first, journal=journal, records=records, builder=Carpenter(), clock=clock)
        self.editor = Editor(self.catalogs, clock)
        self.journal = journal


class House:
    """A store and the processes that share it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock()

    def process(self, *keys: str) -> Process:
        """One more process; without keys it has no vault."""
        return Process(self.store, self.clock, FernetVault(keys) if keys else NoVault())


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    store = SQLiteStore(":memory:")
    await store.open()
    yield House(store)
    await store.aclose()
