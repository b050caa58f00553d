"""A run shown to the client from some point on: its updates, its questions, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress

import msgspec

from wakeful.contracts.errors import BadRequest, Conflict, NotFound, WakefulError
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.run import Run
from wakeful.protocols.acp import content, questions, requests, wire
from wakeful.protocols.acp.client import Client, ClientRefused
from wakeful.protocols.acp.control import UPDATE, Asked, Decided, Ended, Going, Waiting, read_control
from wakeful.protocols.acp.encode import Encoder, View
from wakeful.server.operations import Operations, Watch

PAGE = 500
CANCEL_SECONDS = 5
"""How long a client waits for a run to stop that somebody else carries; it stops in any case."""
MOST_TRIES = 3
"""How often a question is asked again when its answer does not fit."""
DATA = b"data: "


class Turn:
    """Give it a run with `show`, then `carry` it; `cancel` may come at any time.

    `forms` says that the client can ask the user with forms. A question it cannot ask ends the turn; its answer is the
    next prompt.
    """

    def __init__(self, operations: Operations, client: Client, session_id: str, *, forms: bool) -> None:
        self._operations = operations
        self._client = client
        self._session_id = session_id
        self._forms = forms
        self._run: Run | None = None
        self._view = View(cwd="/")
        self._after = 0
        self._cancelled = False
        self._tasks: asyncio.TaskGroup | None = None
        self._open: dict[str, Asked] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._children: set[asyncio.Task[None]] = set()
        self._unaskable: set[str] = set()
        self._rested = asyncio.Event()
        self._left = asyncio.Event()
        self._ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def show(self, run: Run, view: View, *, after: int = 0) -> None:
        """What to show: the run's events after that one."""
        self._run, self._view, self._after = run, view, after
        self._open.clear()
        self._rested.clear()

    async def catch_up(self) -> AsyncGenerator[bytes]:
        """The updates of what is committed so far; `carry` goes on from there, and asks what is open then."""
        run, encoder, more = self._shown, Encoder(self._view), True
        while more:
            page = await self._operations.log(run, after=self._after, limit=PAGE)
            for entry in page.entries:
                self._after = entry.seq
                void = any(after < entry.seq <= upto for after, upto in run.voids)
                for payload in encoder.encode(entry):
                    if not payload.startswith(UPDATE):
                        self._act(payload)
                    elif not void:
                        yield payload
            more = page.has_more
        for record in await self._operations.store.interrupts(run.key):
            if record.decision is not None:  # the log tells this when the run goes on
                self._close(record.interrupt.id)

    async def answer(self, said: str) -> None:
        """Take what the user said as the answer to the oldest open question, after `catch_up`.

        Raises `BadRequest` when it does not fit.
        """
        asked = next(iter(self._open.values()))
        await self._operations.control.decide(self._shown, [questions.text_decision(asked.interrupt, said)])
        del self._open[asked.interrupt.id]

    @property
    def awaited(self) -> bool:
        """Whether the run waits for nothing but answers that the client cannot be asked for."""
        return self._rested.is_set() and bool(self._open) and not any(map(self._can_ask, self._open.values()))

    def cancel(self) -> None:
        """Stop the run; the turn ends when it has stopped."""
        if not self._cancelled:
            self._cancelled = True
            if self._tasks is not None:
                self._spawn(self._stop())

    def drop(self) -> None:
        """Show no more of it; the run goes on."""
        self._end(Ended("end_turn"))

    def leave(self) -> None:
        """Nobody carries the turn any more."""
        self._left.set()

    async def over(self) -> None:
        """Return when nobody carries the turn any more, or when stopping it takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS + 1):
                await self._left.wait()

    async def carry(self) -> Ended:
        """Send updates and ask questions until the run is over, or waits for the user's next prompt."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._spawn(self._read())
            if self._cancelled:
                self._spawn(self._stop())
            for asked in list(self._open.values()):
                self._begin(asked)
            await self._look()
            ended = await self._ended
            self._tasks = None
            for child in self._children:
                child.cancel()
        return ended

    @property
    def _shown(self) -> Run:
        assert self._run is not None, "show comes first"  # noqa: S101 - an invariant of the room
        return self._run

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None] | None:
        """A task beside `carry`; none outside of it."""
        if self._tasks is None:
            work.close()
            return None
        child = self._tasks.create_task(work)
        self._children.add(child)
        child.add_done_callback(self._children.discard)
        return child

    def _end(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)

    async def _stop(self) -> None:
        await self._operations.control.cancel(self._shown)
        await asyncio.sleep(CANCEL_SECONDS)
        self._end(Ended("cancelled"))

    # -- what the log says

    async def _read(self) -> None:
        try:
            async with aclosing(self._payloads()) as payloads:
                async for payload in payloads:
                    if payload.startswith(UPDATE):
                        await self._client.update(self._session_id, payload)
                    else:
                        self._act(payload)
                        await self._look()
        except WakefulError as error:
            self._end(Ended("end_turn", error.code, error.message))
        self._end(Ended("end_turn", "unavailable", "The agent's process is going down; its run goes on without it."))

    async def _payloads(self) -> AsyncGenerator[bytes]:
        run, view = self._shown, self._view
        watch = Watch(
            key=f"acp:{msgspec.json.encode(view).decode()}",
            encoder=lambda: Encoder(view),
            after=self._after,
            until_finished=True,
            voids=run.voids,
        )
        async with aclosing(self._operations.frames(run, watch)) as frames:
            async for data in frames:
                for line in data.split(b"\n"):
                    if line.startswith(DATA):
                        yield line[len(DATA) :]

    def _act(self, payload: bytes) -> None:
        match read_control(payload):
            case Asked() as asked:
                self._open[asked.interrupt.id] = asked
                self._begin(asked)
            case Decided(interrupt_id):
                self._close(interrupt_id)
            case Waiting(interrupt_ids):
                for interrupt_id in self._open.keys() - set(interrupt_ids):
                    self._close(interrupt_id)
                self._rested.set()
            case Going():
                self._rested.clear()
            case Ended() as ended:
                self._end(ended)

    def _close(self, interrupt_id: str) -> None:
        """Somebody answered, or nobody has to any more."""
        self._open.pop(interrupt_id, None)
        asking = self._asking.pop(interrupt_id, None)
        if asking is not None:
            asking.cancel()

    # -- questions

    def _can_ask(self, asked: Asked) -> bool:
        return asked.interrupt.kind == "approval" or (self._forms and asked.interrupt.id not in self._unaskable)

    def _begin(self, asked: Asked) -> None:
        """Ask at once, while the run may still go on; the answer is given when it rests."""
        asking = self._spawn(self._ask(asked)) if self._can_ask(asked) else None
        if asking is not None:
            self._asking[asked.interrupt.id] = asking

    async def _ask(self, asked: Asked) -> None:
        for _ in range(MOST_TRIES):
            try:
                decision = await self._answer(asked)
            except ClientRefused:
                if asked.interrupt.kind != "approval":
                    self._unaskable.add(asked.interrupt.id)
                    await self._look()
                    return
                decision = Decision(asked.interrupt.id, approved=False, reason="The editor could not ask the user.")
            if decision is None:
                self.cancel()
                return
            if await self._decide(decision):
                return
        await self._decide(Decision(asked.interrupt.id, output=questions.DECLINED, failed=True))

    async def _answer(self, asked: Asked) -> Decision | None:
        if asked.interrupt.kind == "approval":
            request = questions.permission(self._session_id, asked)
            allowed = await self._client.ask("session/request_permission", request, requests.PermissionAnswer)
            return questions.permission_decision(asked, allowed)
        form = questions.elicitation(self._session_id, asked)
        return questions.form_decision(
            asked.interrupt, await self._client.ask("elicitation/create", form, requests.ElicitAnswer)
        )

    async def _decide(self, decision: Decision) -> bool:
        """Whether the question is answered, if not by this."""
        await self._rested.wait()
        try:
            await self._operations.control.decide(self._shown, [decision])
        except (Conflict, NotFound):  # somebody else was faster
            pass
        except BadRequest:
            return False
        self._open.pop(decision.target, None)
        self._asking.pop(decision.target, None)
        await self._look()
        return True

    async def _look(self) -> None:
        """End the turn when only the user's next prompt can go on."""
        if self.awaited and not self._ended.done():
            self._end(Ended("end_turn"))
            waiting: list[Interrupt] = [asked.interrupt for asked in self._open.values()]
            chunk = wire.AgentChunk(content.text(questions.invitation(waiting)))
            await self._client.update(self._session_id, msgspec.json.encode(chunk))
