"""The sessions a client has open: prompts, replays, and the runs it came back to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunQuery, ThreadChange
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.run import Run, RunOptions
from wakeful.protocols.acp import content, history, plan, requests, wire
from wakeful.protocols.acp.client import Client
from wakeful.protocols.acp.control import Ended
from wakeful.protocols.acp.encode import View
from wakeful.protocols.acp.grants import Grants
from wakeful.protocols.acp.servers import Servers, SessionServers
from wakeful.protocols.acp.session import Session, Sessions, iso
from wakeful.protocols.acp.turn import Turn
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

ORIGIN = "acp"
LONGEST_TITLE = 80
LONGEST_REASON = 500
RUNS = 200


class OpenSessions:
    """All of one connection. `introduce` it to the client before anything else."""

    def __init__(
        self,
        operations: Operations,
        client: Client,
        sessions: Sessions,
        principal: Principal,
        *,
        servers: Servers,
        context_size: int,
    ) -> None:
        self.operations = operations
        self.client = client
        self.sessions = sessions
        self.principal = principal
        self.servers = servers
        self.context_size = context_size
        self.forms = False
        self.notices = False
        self._open: dict[str, OpenSession] = {}

    def introduce(self, capabilities: requests.ClientCapabilities) -> None:
        """What the client can do."""
        self.forms = capabilities.elicitation is not None and capabilities.elicitation.form is not None
        self.notices = capabilities.session is not None and capabilities.session.notices is not None

    async def add(self, session: Session, servers: Sequence[requests.McpServer]) -> OpenSession:
        """Open a session; who had it open shows no more of a run it came back to."""
        brought = await self.servers.open(session.thread, session.record.cwd, servers)
        before = self._open.get(session.id)
        if before is not None:
            before.detach()
        opened = self._open[session.id] = OpenSession(self, session, brought)
        return opened

    def get(self, session_id: str) -> OpenSession:
        """An open session; raises `NotFound`."""
        opened = self._open.get(session_id)
        if opened is None:
            raise NotFound("open session", session_id)
        return opened

    def cancel(self, session_id: str) -> None:
        """Stop what a session does; raises `NotFound`."""
        self.get(session_id).cancel()

    async def close(self, session_id: str) -> None:
        """Stop what a session does and forget it; one that is not open is left alone."""
        opened = self._open.pop(session_id, None)
        if opened is not None:
            await opened.close()
            self.servers.close(opened.session.thread)


class OpenSession:
    """One session. A new prompt ends what the thread did before; its client is told at once."""

    def __init__(self, around: OpenSessions, session: Session, servers: SessionServers) -> None:
        self.session = session
        self._around = around
        self._operations = around.operations
        self._servers = servers
        self._turn: Turn | None = None
        self._attached: Turn | None = None

    def cancel(self) -> None:
        """Stop the present turn, or the run the client came back to."""
        if self._turn is not None:
            self._turn.cancel()

    def detach(self) -> None:
        """Show no more of the run the client came back to."""
        if self._attached is not None:
            self._attached.drop()

    async def close(self) -> None:
        """Stop everything; returns when the turn is over."""
        turn = self._turn
        if turn is not None:
            turn.cancel()
            await turn.over()

    async def tell(self, update: wire.Update) -> None:
        """Send an update."""
        await self._around.client.update(self.session.id, msgspec.json.encode(update))

    # -- prompts

    async def prompt(self, message: InputMessage) -> Ended:
        """Answer a prompt; what the run's questions wait for is told as the end of the turn."""
        turn = self._turn = self._new_turn()
        try:
            await self._await_servers(turn)
            if not await self._answers(turn, message):
                await self._submit(turn, message)
            return await turn.carry()
        finally:
            turn.leave()
            if self._turn is turn:
                self._turn = None

    async def _answers(self, turn: Turn, message: InputMessage) -> bool:
        """Whether the prompt is the answer to a question that the client could not be asked."""
        run = await self._operations.store.active_run(self.session.thread.key)
        if self._around.forms or run is None or run.status is not RunStatus.WAITING:
            return False
        turn.show(run, await self._view(run))
        async for _ in turn.catch_up():
            pass
        if not turn.awaited:
            return False
        await turn.answer(content.said(message.parts))
        return True

    async def _submit(self, turn: Turn, message: InputMessage) -> None:
        thread, record = await self._around.sessions.thread(self.session.id), self.session.record
        request = RunRequest(
            thread_id=thread.id,
            agent_id=record.agent_id,
            messages=(message,),
            options=RunOptions(context=_context(record.cwd, record.directories)),
        )
        receipt = await self._operations.submit(self._around.principal, request, origin=ORIGIN)
        turn.show(receipt.run, await self._view(receipt.run), after=receipt.after)
        if thread.title is None:
            title = content.one_line(content.said(message.parts), LONGEST_TITLE) or "Untitled"
            thread = await self._operations.update_thread(thread, ThreadChange(title=title))
            await self.tell(wire.SessionInfoUpdate(title, iso(thread.updated_at)))
        await self._tell_news()

    async def _await_servers(self, turn: Turn) -> None:
        """Wait for the tools that the client brings, unless the user does not want to."""
        if not self._servers.at_work:
            return
        async with asyncio.TaskGroup() as tasks:
            waiting = {tasks.create_task(self._servers.settled()), tasks.create_task(turn.until_cancelled())}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    async def _tell_news(self) -> None:
        """Tell which of the client's servers are not available, and why."""
        for name, reason in self._servers.news():
            title = content.one_line(f"The MCP server {name} is not available", LONGEST_TITLE)
            why = content.one_line(reason, LONGEST_REASON)
            if self._around.notices:
                await self.tell(wire.Notice("warning", title, why))
            else:
                await self.tell(wire.ThoughtChunk(content.text(f"{title}: {why}.\n\n"), "mcp-servers"))

    # -- coming back

    async def replay(self) -> Turn | None:
        """Show the thread as it is; what goes on is returned, to be carried on with `attach`."""
        thread, cwd = self.session.thread, self.session.record.cwd
        turn, run = await self._unfinished()
        messages, _ = await self._operations.conversation(thread)
        shown = history.before(messages, run.id) if run else messages
        queued = [entry.messages for entry in await self._operations.store.mailbox(thread.key)][:1]
        for update in history.updates([*shown, *(message for entry in queued for message in entry)], cwd):
            await self.tell(update)
        if turn is not None:
            async for payload in turn.catch_up():
                await self._around.client.update(self.session.id, payload)
        await self._tell_state()
        return turn

    async def catch_up(self) -> Turn | None:
        """Like `replay`, and show nothing."""
        turn, _ = await self._unfinished()
        if turn is not None:
            async for _ in turn.catch_up():
                pass
        return turn

    async def attach(self, turn: Turn | None) -> None:
        """Show what goes on, and ask what is open, until it is over."""
        if turn is None or self._turn is not turn:
            return
        self._attached = turn
        try:
            ended = await turn.carry()
            if ended.code is not None:
                await self.tell(wire.AgentChunk(content.text(f"\n\n{ended.message}")))
        finally:
            turn.leave()
            if self._turn is turn:
                self._turn = None

    async def _unfinished(self) -> tuple[Turn | None, Run | None]:
        run = await self._operations.store.active_run(self.session.thread.key)
        if run is None:
            return None, None
        turn = self._turn = self._new_turn()
        turn.show(run, await self._view(run))
        return turn, run

    async def _tell_state(self) -> None:
        """The plan and the title, as they are now."""
        thread = self.session.thread
        entries = plan.entries_of((await self._operations.store.shared_state(thread.key)).get(plan.KEY))
        if entries:
            await self.tell(wire.Plan(entries))
        if thread.title is not None:
            await self.tell(wire.SessionInfoUpdate(thread.title, iso(thread.updated_at)))

    def _new_turn(self) -> Turn:
        grants = Grants(self._operations, self.session.thread, self._servers.origin)
        return Turn(self._operations, self._around.client, self.session.id, forms=self._around.forms, grants=grants)

    async def _view(self, run: Run) -> View:
        """How the run is shown. What older runs than the newest 200 cost is not known."""
        query = RunQuery(scope=run.scope, thread_id=run.thread_id, limit=RUNS)
        runs = (await self._operations.runs(query)).items
        return View(
            cwd=self.session.record.cwd,
            notices=self._around.notices,
            context_size=self._around.context_size,
            spent=sum(earlier.usage.cost for earlier in runs if earlier.key < run.key),
        )


def _context(cwd: str, directories: Sequence[str]) -> str:
    more = f" and in {', '.join(directories)}" if directories else ""
    return f"The user's editor works in the folder {cwd}{more}."
