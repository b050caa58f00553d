"""What a client may ask for (ACP version 1, agent methods)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import msgspec

from wakeful.contracts.errors import BadRequest, WakefulError
from wakeful.contracts.json import JsonObject
from wakeful.contracts.spec import AgentSpec
from wakeful.protocols.acp import decode, requests, wire
from wakeful.protocols.acp.client import Client
from wakeful.protocols.acp.control import Ended
from wakeful.protocols.acp.modes import OPTION, Modes
from wakeful.protocols.acp.opened import OpenSession, OpenSessions
from wakeful.protocols.acp.servers import Servers
from wakeful.protocols.acp.session import Record, Session, Sessions
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

log = logging.getLogger("wakeful.acp")


class MethodNotFound(WakefulError):
    """Version 1 has no such method, or we did not say that we know it."""

    code = "method_not_found"


class NotInitialized(WakefulError):
    """The first request has to be `initialize`."""

    code = "not_initialized"


class RunFailed(WakefulError):
    """The run that answers a prompt failed; `code` is the run's own."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.message)
        self.reason = ended.code


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a request, and what is to be done once it is sent."""

    result: msgspec.Struct
    then: Callable[[], Awaitable[None]] | None = None


class Methods:
    """One client's requests. Every handler raises errors of `contracts/errors.py`.

    Sessions have to be opened by `session/new`, `load` or `resume` on this connection before anything else is done
    with them. `servers` connects what MCP servers the client brings. `context_size` is how many tokens the agents'
    models take, 0 when nobody said.
    """

    def __init__(
        self,
        operations: Operations,
        client: Client,
        *,
        principal: Principal,
        agents: Sequence[AgentSpec],
        servers: Servers,
        context_size: int = 0,
    ) -> None:
        self._operations = operations
        self._modes = Modes(agents)
        self._sessions = Sessions(operations, principal)
        self._servers = servers
        self._open = OpenSessions(
            operations, client, self._sessions, principal, servers=servers, context_size=context_size
        )
        self._client = client
        self._initialized = False
        self._table: dict[str, tuple[type[Any], Callable[[Any], Awaitable[Reply]]]] = {
            "initialize": (requests.Initialize, self._initialize),
            "authenticate": (requests.Authenticate, self._authenticate),
            "session/new": (requests.NewSession, self._new),
            "session/load": (requests.OpenSession, self._load),
            "session/resume": (requests.OpenSession, self._resume),
            "session/list": (requests.ListSessions, self._list),
            "session/close": (requests.OneSession, self._close),
            "session/delete": (requests.OneSession, self._delete),
            "session/prompt": (requests.Prompt, self._prompt),
            "session/set_mode": (requests.SetMode, self._set_mode),
            "session/set_config_option": (requests.SetOption, self._set_option),
        }

    async def call(self, method: str, params: msgspec.Raw) -> Reply:
        """Answer one request."""
        if method not in self._table:
            raise MethodNotFound(f"there is no method {method!r} in version {requests.PROTOCOL_VERSION}")
        if not self._initialized and method != "initialize":
            raise NotInitialized("expected 'initialize' as the first request")
        shape, handler = self._table[method]
        return await handler(decode.params(params, shape))

    def cancel(self, params: msgspec.Raw) -> None:
        """`session/cancel`; it is a notification, so that what is wrong with it is nobody's concern."""
        try:
            self._open.cancel(decode.params(params, requests.OneSession).session_id)
        except WakefulError as error:
            log.warning("a session/cancel did nothing: %s", error.message)

    # -- the connection

    async def _initialize(self, asked: requests.Initialize) -> Reply:
        self._initialized = True
        self._open.introduce(decode.capabilities(asked.client_capabilities))
        about: dict[str, Any] = {"name": "wakeful", "title": "Wakeful", "version": version("wakeful")}
        return Reply(requests.Initialized(requests.PROTOCOL_VERSION, self._capabilities(), about, ()))

    def _capabilities(self) -> JsonObject:
        return {
            "loadSession": True,
            "promptCapabilities": {"image": True, "audio": True, "embeddedContext": True},
            "mcpCapabilities": {"http": self._servers.http, "sse": False},
            "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}, "additionalDirectories": {}},
        }

    async def _authenticate(self, asked: requests.Authenticate) -> Reply:
        raise BadRequest(f"there is no method {asked.method_id!r}: nobody has to authenticate")

    # -- sessions

    async def _new(self, asked: requests.NewSession) -> Reply:
        agent_id = self._operations.agent(None).id
        record = Record(decode.folder(asked.cwd), agent_id, _folders(asked.additional_directories))
        session = await self._sessions.create(record)
        await self._open.add(session, asked.mcp_servers or ())
        return Reply(self._modes.opened(agent_id, session_id=session.id))

    async def _load(self, asked: requests.OpenSession) -> Reply:
        opened = await self._reopened(asked)
        going = await opened.replay()
        return Reply(self._modes.opened(opened.session.record.agent_id), partial(opened.attach, going))

    async def _resume(self, asked: requests.OpenSession) -> Reply:
        opened = await self._reopened(asked)
        going = await opened.catch_up()
        return Reply(self._modes.opened(opened.session.record.agent_id), partial(opened.attach, going))

    async def _reopened(self, asked: requests.OpenSession) -> OpenSession:
        """A session of any thread; one that came by another protocol gets its document here."""
        cwd, thread = decode.folder(asked.cwd), await self._sessions.thread(asked.session_id)
        known = await self._sessions.get(asked.session_id)
        agent_id = known.record.agent_id if known else thread.latest_agent_id or ""
        if not self._modes.knows(agent_id):
            agent_id = self._operations.agent(None).id
        record = Record(cwd, agent_id, _folders(asked.additional_directories))
        session = await self._sessions.keep(Session(thread, record))
        return await self._open.add(session, asked.mcp_servers or ())

    async def _list(self, asked: requests.ListSessions) -> Reply:
        return Reply(await self._sessions.page(asked))

    async def _close(self, asked: requests.OneSession) -> Reply:
        await self._sessions.thread(asked.session_id)
        await self._open.close(asked.session_id)
        return Reply(requests.Nothing())

    async def _delete(self, asked: requests.OneSession) -> Reply:
        await self._open.close(asked.session_id)
        await self._sessions.delete(asked.session_id)
        return Reply(requests.Nothing())

    # -- in a session

    async def _prompt(self, asked: requests.Prompt) -> Reply:
        opened = self._open.get(asked.session_id)
        ended = await opened.prompt(decode.message(asked.prompt, self._operations.files()))
        if ended.code is not None:
            raise RunFailed(ended)
        return Reply(requests.Done(ended.stop_reason))

    async def _set_mode(self, asked: requests.SetMode) -> Reply:
        opened = await self._choose(asked.session_id, asked.mode_id)
        chosen = wire.ConfigOptions(self._modes.options(asked.mode_id))
        return Reply(requests.Nothing(), partial(opened.tell, chosen) if self._modes.any else None)

    async def _set_option(self, asked: requests.SetOption) -> Reply:
        if asked.config_id != OPTION or not self._modes.any:
            raise BadRequest(f"there is no configuration option {asked.config_id!r}")
        opened = await self._choose(asked.session_id, asked.value)
        chosen = opened.session.record.agent_id
        return Reply(
            requests.ChosenOptions(self._modes.options(chosen)), partial(opened.tell, wire.CurrentMode(chosen))
        )

    async def _choose(self, session_id: str, agent_id: object) -> OpenSession:
        opened = self._open.get(session_id)
        record = msgspec.structs.replace(opened.session.record, agent_id=self._modes.check(agent_id))
        opened.session = await self._sessions.keep(Session(opened.session.thread, record))
        return opened


def _folders(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(decode.folder(folder) for folder in given or ())
