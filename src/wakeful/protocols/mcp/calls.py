"""The run behind a `tools/call`: begun, gone on with after its questions, followed to its rest, cancelled."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.event import LogEntry, RunWaiting
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import FINISHED, RESTING, RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import envelope, questions, results, wire
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.encode import RELATED_KEY, Encoder, ProgressToken
from wakeful.protocols.mcp.sealing import Seal
from wakeful.protocols.mcp.tools import THREAD_KEY, Tools
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

ORIGIN = "mcp"
RESULT = "tasks/result"
"""The request of the old era that waits for the end of a task."""
PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """A run whose end answers a request; its events after `after` are shown before that."""

    run: Run
    call: wire.Call
    client: Client
    after: int = 0
    asked: tuple[Interrupt, ...] = ()
    """Questions that were open at that point, to be asked first."""

    @property
    def announced(self) -> bool:
        """Whether the client wants no stream: if the run does not come to its end soon, it is told of a task."""
        return self.client.modern and self.client.knows_tasks

    @property
    def token(self) -> ProgressToken | None:
        """What the client wants progress under."""
        found = envelope.meta_of(self.call.params).get("progressToken")
        return found if isinstance(found, str | int) and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a stream; `seq` is the event it came of, and no message of that event comes after the `last`.

    The `response` to the call comes after all others.
    """

    seq: int
    message: bytes
    last: bool
    response: bool = False


class Calls:
    """Every call is a run on a thread of its own, unless its `_meta` names a thread to go on with."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._seal = Seal(operations)
        self.tools = Tools(operations)

    async def begin(self, client: Client, call: wire.Call) -> Following:
        """Start the run of a call, or go on with it where the call brings answers. Durable once this returns.

        Raises `Refused`; `Unusable` for arguments that do not fit.
        """
        name, arguments = wire.text_of(call.params, "name"), wire.object_of(call.params, "arguments")
        asked = self.tools.asked(name, arguments)
        state = call.params.get("requestState")
        if client.modern and state is not None:
            run_id = await self._seal.open(client.principal, name, arguments, str(state))
            return await self._go_on(client, call, await self._operations.run(client.principal, run_id))
        thread_id = envelope.meta_of(call.params).get(THREAD_KEY)
        if thread_id is not None:
            thread_id = (await self._operations.thread(client.principal, str(thread_id))).id
        request = asked.request(thread_id)
        receipt = await self._operations.submit(client.principal, request, origin=ORIGIN, mode="queue")
        return Following(run=receipt.run, call=call, client=client, after=receipt.after)

    async def _go_on(self, client: Client, call: wire.Call, run: Run) -> Following:
        answers = wire.object_of(call.params, "inputResponses")
        after = await self.answer(run, answers)
        run = await self._operations.run(client.principal, run.id)
        return Following(run=run, call=call, client=client, after=after)

    async def answer(self, run: Run, answers: Mapping[str, object]) -> int:
        """Give answers by their questions' ids; those that were answered already, and unknown ones, change nothing.

        What follows comes after the returned sequence number. Raises `Refused` for an answer that does not fit.
        """
        open_ones = questions.open_questions(await self._operations.store.interrupts(run.key))
        decisions: list[Decision] = []
        for one in open_ones:
            given = wire.as_object(answers.get(one.id))
            if given is not None:
                decisions.append(questions.decision(one, given))
        if run.status is not RunStatus.WAITING or not decisions:
            return 0 if run.status is not RunStatus.WAITING else await self._last_seq(run)
        try:
            return (await self._operations.control.decide(run, decisions)).after
        except Conflict:  # somebody else was faster
            return 0

    async def reply(self, principal: Principal, reply: wire.Reply) -> None:
        """Take a client's response to an elicitation of ours; what cannot be used counts as no answer."""
        run_id, _, interrupt_id = str(reply.id).partition("/")
        try:
            run = await self._operations.run(principal, run_id)
        except NotFound:
            return
        open_ones = questions.open_questions(await self._operations.store.interrupts(run.key))
        asked = next((one for one in open_ones if one.id == interrupt_id), None)
        if asked is not None and run.status is RunStatus.WAITING:
            await self._take(run, asked, reply.result)

    async def _take(self, run: Run, asked: Interrupt, answer: JsonObject | None) -> None:
        try:
            await self._operations.control.decide(run, [questions.decision(asked, answer)])
        except Conflict:  # somebody else was faster
            return
        except BadRequest as error:
            await self._operations.control.decide(run, [questions.unfit(asked, error.message)])

    async def follow(self, following: Following) -> AsyncGenerator[Said | None]:
        """The messages of a call up to its response; None means silence.

        Ends without a response when the process goes down, and for a call that its client cancelled.
        """
        run, client = following.run, following.client
        is_tool, is_task = self.tools.is_tool(run.agent_id), following.call.method == RESULT
        encoder = Encoder(run, client, token=following.token, is_tool=is_tool, is_task=is_task)
        seq, stuck = following.after, not client.answers_requests or not _askable(following.asked, client)
        if not stuck:
            for one in following.asked:
                yield Said(seq, encoder.question(one), last=True)
        events = self._operations.follow(run, after=seq, until_finished=not stuck)
        async with aclosing(events):
            async for batch in events:
                if not batch:
                    yield None
                for entry in batch:
                    seq = entry.seq
                    messages = encoder.encode(entry)
                    for message in messages:
                        yield Said(seq, message, last=message is messages[-1])
                if not stuck and await self._stuck(run, client, batch):
                    stuck = True
                    break
        run = await self._operations.run(client.principal, run.id)
        if run.status in (RESTING if stuck else FINISHED):
            yield Said(seq, await self.response(following.call, client, run), last=True, response=True)

    async def response(self, call: wire.Call, client: Client, run: Run) -> bytes:
        """The response to a call whose run rests."""
        try:
            found = await self.outcome(call, client, run)
        except wire.Refused as error:
            return wire.failure(call.id, error)
        if call.method == RESULT:
            found = {**found, "_meta": {**wire.object_of(found, "_meta"), RELATED_KEY: {"taskId": run.id}}}
        return wire.result(call.id, envelope.completed(client, found))

    async def _stuck(self, run: Run, client: Client, batch: Sequence[LogEntry]) -> bool:
        """Whether a run waits for what this client's user cannot be asked."""
        if not any(isinstance(entry.event, RunWaiting) for entry in batch):
            return False
        now = await self._operations.run(client.principal, run.id)
        if now.status is not RunStatus.WAITING:
            return False
        return not _askable(questions.open_questions(await self._operations.store.interrupts(run.key)), client)

    async def outcome(self, call: wire.Call, client: Client, run: Run) -> JsonObject:
        """The result of a run that rests: what it wrote, or what it asks. Raises `Refused` when it cannot ask."""
        if run.status in FINISHED:
            return await self.written(run)
        asked = questions.open_questions(await self._operations.store.interrupts(run.key))
        if not client.modern:
            return results.waiting(run, [one.message or one.tool for one in asked])
        if not _askable(asked, client):
            raise wire.Refused(
                wire.MISSING_CAPABILITY,
                f"run {run.id} asks its user something; expected the capability elicitation to be declared",
                data={"requiredCapabilities": {"elicitation": {"form": {}} if client.visits else {}}},
            )
        arguments = wire.object_of(call.params, "arguments")
        state = await self._seal.seal(client.principal, wire.text_of(call.params, "name"), arguments, run.id)
        return {
            "resultType": "input_required",
            "inputRequests": questions.input_requests(asked, client),
            "requestState": state,
        }

    async def written(self, run: Run) -> JsonObject:
        """The result of a run that is finished."""
        return results.of_run(run, await self._messages(run), is_tool=self.tools.is_tool(run.agent_id))

    async def cancel(self, principal: Principal, run_id: str) -> None:
        """Ask the run of a call to stop."""
        await self._operations.control.cancel(await self._operations.run(principal, run_id))

    async def _messages(self, run: Run) -> list[Message]:
        """What a run wrote, without its input; at most its newest 200 messages."""
        rows = await self._operations.messages(
            MessageQuery(thread_key=run.thread_key, run_id=run.id, visibility=None, order="desc", limit=PAGE)
        )
        return [message for _, message in reversed(rows.items) if message.role in ("assistant", "tool")]

    async def _last_seq(self, run: Run) -> int:
        """The last number of a waiting run's log, before which nothing is shown again."""
        open_runs = await self._operations.store.open_runs(run.thread_key)
        return next((seq for found, seq in open_runs if found.key == run.key), 0)


def _askable(asked: Sequence[Interrupt], client: Client) -> bool:
    return all(questions.can_be_asked(one, client) for one in asked)
