"""The MCP servers a client brings with a session: connected while it is open, lent to the runs of its thread alone."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec

from wakeful.contracts.errors import BadRequest, ConfigurationError
from wakeful.contracts.thread import Thread
from wakeful.contracts.tool_source import ToolSource
from wakeful.protocols.acp import requests
from wakeful.server.operations import Operations

MOST_SERVERS = 32
"""How many servers one session may bring."""
PATIENCE_SECONDS = 15
"""How long a prompt waits for servers to tell their tools; a run that begins without does not get them any more."""
LONGEST_ID = 24


class Opener(Protocol):
    """Makes connections to servers that a client names: whoever is allowed to do that."""

    @property
    def http(self) -> bool:
        """Whether servers behind HTTP can be reached."""
        ...

    async def open(self, server: requests.McpServer, *, id: str, cwd: str) -> ToolSource:
        """A source that is not connected yet; `id` fits into names of tools, `cwd` is the session's folder.

        Raises `BadRequest` and `ConfigurationError`, whose messages hold nothing secret.
        """
        ...


class NoServers:
    """Connects nothing, and says why."""

    http = False

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def open(self, server: requests.McpServer, *, id: str, cwd: str) -> ToolSource:
        """Raises `ConfigurationError`."""
        raise ConfigurationError(self._reason)


@dataclass(frozen=True, slots=True)
class _Server:
    """A server at work; `cwd` is the folder it was started for."""

    given: requests.McpServer
    cwd: str
    source: ToolSource
    work: asyncio.Task[None]


class SessionServers:
    """Those of one session."""

    def __init__(self) -> None:
        self.at_work: list[_Server] = []
        self.refused: list[tuple[str, str]] = []
        self._told: set[str] = set()

    async def settled(self) -> None:
        """Return when every server has told its tools or has failed to, but not after more than 15 seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                for server in self.at_work:
                    await server.source.settled()

    def news(self) -> list[tuple[str, str]]:
        """Which servers are not available, by name, and why; each is told once, until it was there again."""
        found, self.refused = self.refused, []
        for server in self.at_work:
            name, health = server.given.name, server.source.health
            if health.state == "connected":
                self._told.discard(name)
            elif name not in self._told:
                self._told.add(name)
                found.append((name, health.problem or "it is not connected"))
        return found

    def origin(self, tool: str) -> str:
        """Which of the servers has a tool, as a hash of what it runs or where it is; empty for tools of the agents."""
        server = next((one for one in self.at_work if tool.startswith(one.source.name)), None)
        if server is None:
            return ""
        given = server.given
        place = msgspec.json.encode([given.type, given.command, given.args, given.url])
        return hashlib.sha256(place).hexdigest()[:16]


class Servers:
    """All of one client's, whichever session they came with. Use it while `running`."""

    def __init__(self, operations: Operations, opener: Opener) -> None:
        self._operations = operations
        self._opener = opener
        self._sessions: dict[str, SessionServers] = {}
        self._opening = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        self._work: set[asyncio.Task[None]] = set()

    @property
    def http(self) -> bool:
        """Whether servers behind HTTP can be reached."""
        return self._opener.http

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keeps the connections; in the end all servers are gone."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                for work in self._work:
                    work.cancel()

    async def open(self, thread: Thread, cwd: str, given: Sequence[requests.McpServer]) -> SessionServers:
        """Connect the servers a session brings now; those it brought before and brings again stay connected."""
        async with self._opening:
            before, now = self._sessions.get(thread.id, SessionServers()), SessionServers()
            taken = given[:MOST_SERVERS]
            for server, server_id in zip(taken, server_ids([server.name for server in taken]), strict=True):
                try:
                    now.at_work.append(await self._admit(thread, cwd, server, id=server_id, before=before, now=now))
                except (BadRequest, ConfigurationError) as refusal:
                    now.refused.append((server.name or server_id, refusal.message))
            if left_out := len(given) - len(taken):
                why = f"a session has at most {MOST_SERVERS} servers; {left_out} are left out"
                now.refused.append((given[MOST_SERVERS].name, why))
            self._sessions[thread.id] = now
            for server in before.at_work:
                if server not in now.at_work:
                    self._leave(thread, server)
            return now

    def close(self, thread: Thread) -> None:
        """Leave the servers of a session; again is harmless."""
        for server in self._sessions.pop(thread.id, SessionServers()).at_work:
            self._leave(thread, server)

    async def _admit(
        self,
        thread: Thread,
        cwd: str,
        server: requests.McpServer,
        *,
        id: str,
        before: SessionServers,
        now: SessionServers,
    ) -> _Server:
        known = next((one for one in before.at_work if (one.given, one.cwd) == (server, cwd)), None)
        if known is not None and known not in now.at_work:
            return known
        check(server)
        if any(server.name == one.given.name for one in now.at_work):
            raise BadRequest("another server of the session is named so too; give each a name of its own")
        source = await self._opener.open(server, id=id, cwd=cwd)
        if self._operations.has_tools(source.name):
            raise BadRequest("the agents have a server of that name already; rename this one")
        work = self._begin(source)
        self._operations.lend(thread, source)
        return _Server(server, cwd, source, work)

    def _begin(self, source: ToolSource) -> asyncio.Task[None]:
        if self._tasks is None:
            raise ConfigurationError("the agent is going down")
        work = self._tasks.create_task(source.run(), name=f"source {source.name}")
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        return work

    def _leave(self, thread: Thread, server: _Server) -> None:
        self._operations.take_back(thread, server.source)
        server.work.cancel()


def check(server: requests.McpServer) -> None:
    """Raises `BadRequest` saying what is wrong with a server's description; its message holds no value."""
    if not server.name.strip():
        raise BadRequest("expected a name")
    if server.type == "stdio":
        _check_command(server)
    elif server.type == "http":
        _check_address(server)
    else:
        raise BadRequest("expected a stdio or http server; this agent does not speak any other transport")


def _check_command(server: requests.McpServer) -> None:
    variables = server.env or ()
    if not server.command:
        raise BadRequest("expected a command")
    if "\0" in "".join((server.command, *(server.args or ()), *(variable.value for variable in variables))):
        raise BadRequest("expected a command, arguments and variables without null characters")
    if any(not variable.name or set("=\0") & set(variable.name) for variable in variables):
        raise BadRequest("expected names of environment variables, without '='")


_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = frozenset({"host", "connection", "content-length", "content-type", "transfer-encoding", "accept"})


def _check_address(server: requests.McpServer) -> None:
    if not re.match(r"https?://[^/]", server.url):
        raise BadRequest("expected a url that begins with http:// or https://")
    for header in server.headers or ():
        if not _HEADER.fullmatch(header.name) or header.name.lower() in _OURS:
            raise BadRequest("a header has a name that cannot be used; expected one such as Authorization")
        if not _HEADER_VALUE.fullmatch(header.value):
            raise BadRequest(f"the header {header.name} has a value that cannot be sent; expected printable ASCII")


def server_ids(names: Sequence[str]) -> list[str]:
    """Ids that fit into names of tools: letters, digits, `-` and single `_`, at most 24 characters.

    A name that has to be changed, and would be another's or too long then, ends with a hash of what it was.
    """
    plain = [re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9_-]+", "-", name)).strip("_-") or "server" for name in names]
    uses = Counter(plain)
    return [
        short if len(short) <= LONGEST_ID and (uses[short] == 1 or short == name) else _hashed(short, name)
        for short, name in zip(plain, names, strict=True)
    ]


def _hashed(short: str, name: str) -> str:
    digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:6]
    return f"{short[: LONGEST_ID - 7].strip('_-')}-{digest}"
