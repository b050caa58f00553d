"""PostgreSQL passes the shared store suite."""

from __future__ import annotations

from wakeful.testing.store_suite import StoreSuite


class TestPostgres(StoreSuite):
    """The fixture `store` is the folder's."""
