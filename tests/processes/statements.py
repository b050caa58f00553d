"""What a PostgreSQL server was asked, by whom, read from its own log."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.stores.postgres.conftest import connected

from wakeful.stores.named_sql import load_queries

PREFIX = "asked|%a|"
_LINE = re.compile(r"^asked\|([^|]*)\|LOG:  (?:statement|execute [^:]*): (.*)$")
_PARAMETER = re.compile(r"\$\d+|(?<!:):[a-z_]+")
_WORD = {"begin", "commit", "rollback"}
LEARNING = "what the driver learns of types"
"""Asked on a connection that is new, before the first statement with an array."""
_LEARNING = re.compile(r"SELECT (current_setting|set_config)\('jit'|WITH RECURSIVE typeinfo_tree", re.IGNORECASE)


class Statements:
    """How often each process asked what, by the name of the query: `counts["wakeful 12"]["last_seqs"]`."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    @property
    def names(self) -> set[str]:
        return {name for counter in self.counts.values() for name in counter}


@asynccontextmanager
async def overheard(server: Any) -> AsyncIterator[Statements]:
    """Everything asked of the server during the block, but for transactions' beginnings and ends."""
    heard, log = Statements(), Path(server.folder) / "log"
    async with connected(server.url("postgres")) as connection:
        await _set(connection, log_statement="all", log_line_prefix=PREFIX)
        begins = log.stat().st_size
        try:
            yield heard
        finally:
            await connection.execute("alter system reset log_statement")
            await connection.execute("alter system reset log_line_prefix")
            await connection.execute("select pg_reload_conf()")
    said = log.read_bytes()[begins:].decode()
    known = {_bare(query.text({})): name for name, query in load_queries("wakeful.stores.postgres").items()}
    for who, statement in _statements(said):
        if statement.split()[0].strip(";") not in _WORD and who.startswith("wakeful"):
            heard.counts.setdefault(who, Counter())[_name(_bare(statement), known)] += 1


async def _set(connection: Any, **settings: str) -> None:
    for name, value in settings.items():
        await connection.execute(f"alter system set {name} = '{value}'")
    await connection.execute("select pg_reload_conf()")
    async with asyncio.timeout(10):
        while await connection.fetchval("show log_statement") != settings["log_statement"]:
            pass


def _statements(said: str) -> list[tuple[str, str]]:
    """(application, statement); further lines of a statement begin with a tab."""
    found: list[tuple[str, str]] = []
    for line in said.splitlines():
        if line.startswith("\t"):
            if found:
                found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif match := _LINE.match(line):
            found.append((match[1], match[2]))
    return found


def _name(statement: str, known: dict[str, str]) -> str:
    return LEARNING if _LEARNING.match(statement) else known.get(statement, statement)


def _bare(text: str) -> str:
    return " ".join(_PARAMETER.sub("?", text).split())
