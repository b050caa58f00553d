"""`/v1/audit-log`: who changed what, from where."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from wakeful.catalog.journal import Entry
from wakeful.protocols.admin import wire
from wakeful.server import pages
from wakeful.server.administration import Administration
from wakeful.server.documented import documented

MOST_LOOKED_AT = 2000
"""After so many entries that do not fit, a page ends early, with a cursor."""


class Listing:
    """The query, as FastAPI reads it. Times are milliseconds: `since` is inclusive, `until` is not."""

    def __init__(
        self,
        *,
        namespace: str | None = None,
        id: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int = pages.DEFAULT,
    ) -> None:
        self._wanted = {"namespace": namespace, "id": id, "action": action}
        self._actor, self._since, self._until = actor, since, until
        self.limit = pages.clamp(limit)
        self.before = int(pages.decode_cursor(cursor, self.filters)[0]) if cursor else None

    @property
    def filters(self) -> dict[str, Any]:
        """What a cursor is bound to."""
        return {**self._wanted, "actor": self._actor, "since": self._since, "until": self._until}

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is asked for."""
        return (
            all(value in (None, getattr(entry, name)) for name, value in self._wanted.items())
            and self._actor in (None, entry.who.actor)
            and (self._since is None or entry.at >= self._since)
            and (self._until is None or entry.at < self._until)
        )


def router(desk: Administration) -> APIRouter:
    """The routes."""
    api = documented("audit log", prefix="/v1/audit-log", admit=desk.admit)

    @api.get("", summary="What operators did, the newest first")
    async def list_entries(listing: Annotated[Listing, Depends()]) -> wire.EntryPage:
        found, more = await _found(desk, listing)
        last = found[-1].number if found else None
        return wire.EntryPage(
            items=[wire.entry_view(entry, desk.editor.stored(entry)) for entry in found if listing.fits(entry)],
            has_more=more,
            next_cursor=pages.encode_cursor(listing.filters, (last, "")) if more and last else None,
        )

    return api


async def _found(desk: Administration, listing: Listing) -> tuple[list[Entry], bool]:
    """The entries up to the last one of the page, those that do not fit among them, and whether there are more."""
    looked_at: list[Entry] = []
    fitting, before = 0, listing.before
    while len(looked_at) < MOST_LOOKED_AT:
        page = await desk.editor.entries(before=before, limit=pages.LARGEST)
        for i, entry in enumerate(page):
            looked_at.append(entry)
            before = entry.number
            fitting += listing.fits(entry)
            if fitting == listing.limit:
                return looked_at, i + 1 < len(page) or before > 1
        if len(page) < pages.LARGEST:
            return looked_at, False
    return looked_at, True
