"""The snapshots of this process: the one that counts now, and those that runs began with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from wakeful.catalog.journal import Entry, Journal, Versions
from wakeful.catalog.records import Records
from wakeful.catalog.snapshot import Catalog
from wakeful.contracts.clock import Clock
from wakeful.contracts.config import Specs
from wakeful.contracts.errors import ConfigurationError, NotFound, StoreUnavailable, WakefulError
from wakeful.contracts.json import JsonObject

FOLLOW_MS = 500
KEPT = 64
"""How many snapshots that no longer count are kept built."""


class Builder(Protocol):
    """Makes catalogs of specs."""

    def build(self, publication: int, specs: Specs) -> Catalog:
        """A checked catalog. Raises `InvalidConfiguration` naming every problem."""
        ...

    async def aclose(self) -> None:
        """Release what was opened for them."""
        ...


log = logging.getLogger("wakeful.catalog")


@dataclass(frozen=True, slots=True)
class Publication:
    """All stored values that count from one entry on."""

    number: int
    versions: Versions
    values: Mapping[str, Mapping[str, JsonObject]]


NOTHING = Publication(0, {}, {})
"""Nobody changed anything: what code defines counts."""


class Catalogs:
    """Builds snapshots, keeps them, and follows what other processes publish."""

    def __init__(self, *, first: Catalog, journal: Journal, records: Records, builder: Builder, clock: Clock) -> None:
        self._current = first
        self.journal = journal
        self.records = records
        self._builder = builder
        self._clock = clock
        self._built: dict[int, Catalog] = {first.publication: first}
        self._entries: dict[int, Entry] = {}
        self._refused: int | None = None

    @property
    def current(self) -> Catalog:
        """What counts now, as far as this process knows."""
        return self._current

    async def at(self, publication: int) -> Catalog:
        """The catalog a run began with; the current one where that was forgotten. Raises `ConfigurationError`."""
        found = self._built.get(publication)
        if found is not None:
            return found
        try:
            return self._keep(self.build(await self.publication(publication)))
        except NotFound:
            log.warning("publication %d was forgotten; its runs go on with %d", publication, self._current.publication)
            return self._current

    async def refresh(self) -> None:
        """Take over what was published last. Raises `InvalidConfiguration`, after which the old one still counts."""
        newest = await self.journal.newest()
        number = newest.publication if newest else 0
        if number > self._current.publication:
            self._current = await self.at(number)

    async def follow(self) -> None:
        """Take over what others publish, until cancelled."""
        while True:
            try:
                await self.refresh()
            except StoreUnavailable:
                pass  # the store's own users say so
            except WakefulError as error:
                self._complain(error)
            await self._clock.sleep(FOLLOW_MS)

    async def aclose(self) -> None:
        """Release what the catalogs hold; none is used afterwards."""
        await self._builder.aclose()

    async def newest(self) -> tuple[int, Publication]:
        """The number of the last journal entry, and the publication that counts in the store now."""
        newest = await self.journal.newest()
        if newest is None:
            return 0, NOTHING
        self._entries[newest.number] = newest
        return newest.number, await self.publication(newest.publication)

    async def publication(self, number: int) -> Publication:
        """One publication as it is stored; raises `NotFound` when it was forgotten."""
        if number == 0:
            return NOTHING
        versions = (await self._entry(number)).versions or {}
        values = {
            namespace: {key: await self._value(version) for key, version in records.items()}
            for namespace, records in versions.items()
        }
        return Publication(number, versions, values)

    def build(self, publication: Publication) -> Catalog:
        """Its catalog. Raises `InvalidConfiguration` naming every problem."""
        return self._builder.build(publication.number, self.records.specs(publication.values))

    def publish(self, catalog: Catalog) -> None:
        """What was just written counts, unless something newer does already."""
        self._keep(catalog)
        if catalog.publication > self._current.publication:
            self._current = catalog

    def _keep(self, catalog: Catalog) -> Catalog:
        built = self._built
        built.pop(catalog.publication, None)
        built[catalog.publication] = catalog
        while len(built) > KEPT:
            del built[next(number for number in built if number != self._current.publication)]
        return catalog

    async def _value(self, version: int) -> JsonObject:
        value = (await self._entry(version)).value
        if value is None:
            raise ConfigurationError(f"journal entry {version} holds no record, and one is expected; restore a backup")
        return value

    async def _entry(self, number: int) -> Entry:
        found = self._entries.get(number)
        if found is None:
            found = self._entries[number] = await self.journal.entry(number)
        return found

    def _complain(self, error: WakefulError) -> None:
        """Once for each snapshot that counts, not twice a second."""
        if self._refused != self._current.publication:
            self._refused = self._current.publication
            log.error("what was published cannot be taken over here, the last one goes on: %s", error.message)
