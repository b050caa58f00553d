"""The methods of A2A, each once for both bindings and both versions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import NotFound
from wakeful.contracts.json import JsonObject
from wakeful.protocols.a2a import wire
from wakeful.protocols.a2a.card import card
from wakeful.protocols.a2a.card_key import Signing
from wakeful.protocols.a2a.decode import history_length, sent
from wakeful.protocols.a2a.delivery import Delivery
from wakeful.protocols.a2a.encode import Dialect
from wakeful.protocols.a2a.faults import AGENT_NOT_FOUND, UNSUPPORTED_OPERATION, Fault, invalid
from wakeful.protocols.a2a.listing import Listing
from wakeful.protocols.a2a.push import Push
from wakeful.protocols.a2a.tasks import Caller, Handed, Tasks
from wakeful.server.config import ServerConfig
from wakeful.server.operations import Operations
from wakeful.server.outgoing import Outgoing, public_or_loopback
from wakeful.server.remote_files import is_public
from wakeful.server.sse import last_event_id


class Calls:
    """Each method raises `Fault`, or an error that `fault_of` makes one."""

    def __init__(self, operations: Operations, config: ServerConfig, signing: Signing) -> None:
        outgoing = Outgoing(may_reach=public_or_loopback if config.push_to_loopback else is_public)
        self._operations = operations
        self._public_url = config.public_url
        self._signing = signing
        self._guarded = bool(config.api_tokens)
        self._tasks = Tasks(operations)
        self._listing = Listing(operations, self._tasks)
        self._push = Push(operations, outgoing)
        self.delivery = Delivery(operations, outgoing)

    def caller(self, request: Request, tenant: str = "") -> Caller:
        """Who asks, and of which agent: that of the path, with which one in the body must agree."""
        principal = self._operations.principal(request)
        named = request.path_params.get("tenant")
        if named and tenant and named != tenant:
            raise invalid("tenant", f"the path names the agent {named!r}, the request {tenant!r}; expected the same")
        agent_id = named or tenant or None
        if agent_id is not None:
            self._check_agent(agent_id)
        return Caller(principal, agent_id)

    # -- messages

    async def send(self, caller: Caller, request: wire.SendRequest, dialect: Dialect) -> wire.SendResponse:
        """SendMessage: the task once it rests, or at once where that was asked for."""
        handed = await self._handed(caller, request, dialect)
        length = history_length(request.configuration.history_length)
        if request.configuration.return_immediately:
            return wire.SendResponse(task=await self._tasks.task(handed.run, length))
        return wire.SendResponse(task=await self._tasks.at_rest(handed.run, length))

    async def stream(self, caller: Caller, request: wire.SendRequest, dialect: Dialect) -> Response:
        """SendStreamingMessage: the task and every change of it until it rests."""
        handed = await self._handed(caller, request, dialect)
        length = history_length(request.configuration.history_length)
        return await self._tasks.watch(handed.run, dialect, after=handed.after, history_length=length)

    async def _handed(self, caller: Caller, request: wire.SendRequest, dialect: Dialect) -> Handed:
        message = sent(request, self._operations.files())
        await self._push.check(message.push)
        handed = await self._tasks.send(caller, message)
        if message.push is not None:
            await self._push.create(handed.run, message.push, seen=handed.after, version=dialect.version)
        if message.task_id is not None:
            await self._push.wake(handed.run)
        self.delivery.hurry()
        return handed

    # -- tasks

    async def get(self, caller: Caller, request: wire.TaskRequest) -> wire.Task:
        """GetTask."""
        length = history_length(request.history_length)
        return await self._tasks.task(await self._tasks.run(caller, request.id), length)

    async def list(self, caller: Caller, request: wire.ListRequest) -> wire.TaskPage:
        """ListTasks."""
        return await self._listing.page(caller, request)

    async def cancel(self, caller: Caller, request: wire.TaskRequest) -> wire.Task:
        """CancelTask."""
        return await self._tasks.cancel(await self._tasks.run(caller, request.id))

    async def subscribe(self, caller: Caller, task_id: str, dialect: Dialect, request: Request) -> Response:
        """SubscribeToTask; a client that comes back says with Last-Event-ID what it saw."""
        run = await self._tasks.run(caller, task_id)
        last_seen = last_event_id(request.headers.get("last-event-id"))
        return await self._tasks.subscribe(run, dialect, last_seen=last_seen)

    # -- notifications

    async def create_push(self, caller: Caller, config: wire.PushConfig, dialect: Dialect) -> wire.PushConfig:
        """CreateTaskPushNotificationConfig: the next notification is about the task as it is now."""
        run = await self._tasks.run(caller, config.task_id)
        newest = (await self._operations.store.last_seqs([run.key])).get(run.key, 1)
        created = await self._push.create(run, config, seen=newest - 1, version=dialect.version)
        self.delivery.hurry()
        return created

    async def get_push(self, caller: Caller, request: wire.PushRequest) -> wire.PushConfig:
        """GetTaskPushNotificationConfig."""
        return await self._push.get(await self._tasks.run(caller, request.task_id), request.id)

    async def list_push(self, caller: Caller, request: wire.PushRequest) -> wire.PushConfigPage:
        """ListTaskPushNotificationConfigs."""
        return await self._push.list(await self._tasks.run(caller, request.task_id), request)

    async def delete_push(self, caller: Caller, request: wire.PushRequest) -> None:
        """DeleteTaskPushNotificationConfig."""
        await self._push.delete(await self._tasks.run(caller, request.task_id), request.id)

    # -- cards

    def public_card(self, request: Request) -> JsonObject:
        """What everybody may know of the path's agent, or of the default one."""
        tenant = request.path_params.get("tenant")
        if tenant is not None:
            self._check_agent(tenant)
        agent = self._operations.agent(tenant)
        return self._signing.signed(card(agent, base_url=self._base_url(request), tenant=tenant, guarded=self._guarded))

    def extended_card(self, caller: Caller, request: Request) -> JsonObject:
        """GetExtendedAgentCard: what known callers may know, too."""
        if not self._guarded:
            raise Fault(UNSUPPORTED_OPERATION, "there is no extended card, because this server asks nobody for a token")
        agent = self._operations.agent(caller.agent_id)
        shown = card(
            agent,
            base_url=self._base_url(request),
            tenant=caller.agent_id,
            guarded=True,
            delegates=[self._operations.agent(name) for name in agent.delegates],
            tools=self._operations.agent_tools(agent),
        )
        return self._signing.signed(shown)

    def _base_url(self, request: Request) -> str:
        return self._public_url or str(request.base_url).rstrip("/")

    def _check_agent(self, agent_id: str) -> None:
        try:
            self._operations.agent(agent_id)
        except NotFound as error:
            raise Fault(AGENT_NOT_FOUND, error.message) from None
