"""A conversation in the terminal: streams answers, shows reasoning and tools, asks for approvals and answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import click
import msgspec

from wakeful.cli.target import load_server
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.event import (
    ArtifactChanged,
    DataEmitted,
    Event,
    ReasoningDelta,
    RetryScheduled,
    RunFinished,
    RunWaiting,
    StatusNoted,
    StepFinished,
    TextDelta,
    ToolCallFinished,
    ToolCallReady,
)
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import TextPart
from wakeful.embed import AgentRuntime


def chat(target: str | None, *, agent: str | None, thread: str | None, store: str | None) -> None:
    """Talk until end of input."""
    runtime = load_server(target, store=store).runtime
    agent_id = agent or runtime.inner.catalog.default_agent().id
    asyncio.run(_talk(runtime, agent_id, thread or runtime.inner.clock.new_id()))


async def _talk(runtime: AgentRuntime, agent_id: str, thread_id: str) -> None:
    click.secho(f"{agent_id} · thread {thread_id} · end with Ctrl-D", dim=True)
    async with runtime:
        try:
            while (text := await _ask("> ")) is not None:
                if text.strip():
                    await _turn(runtime, agent_id, thread_id, text)
        finally:
            runtime.inner.cut_off()  # who leaves does not wait for an answer
    click.echo()


async def _turn(runtime: AgentRuntime, agent_id: str, thread_id: str, text: str) -> None:
    run_id = runtime.inner.clock.new_id()
    waiting = await _show(runtime.stream(agent_id, text, thread_id=thread_id, run_id=run_id))
    while waiting:
        decisions = [await _decide(interrupt) for interrupt in waiting]
        try:
            waiting = await _show(runtime.stream_decide(run_id, *decisions))
        except BadRequest as error:  # an answer does not fit its question, which is asked again
            click.secho(_problem(error), fg="red")


async def _show(stream: AsyncGenerator[Event]) -> tuple[Interrupt, ...]:
    """Print events until the run rests; returns what it waits for then."""
    waiting: tuple[Interrupt, ...] = ()
    async with aclosing(stream) as events:
        async for event in events:
            _print(event)
            if isinstance(event, RunWaiting):
                waiting = event.interrupts
    return waiting


def _print(event: Event) -> None:
    match event:
        case TextDelta():
            click.echo(event.delta, nl=False)
        case ReasoningDelta():
            click.secho(event.delta, nl=False, dim=True)
        case ToolCallReady():
            click.secho(f"\n[{event.name} {event.arguments}]", fg="cyan")
        case ToolCallFinished():
            click.secho(f"[{event.name} {event.status}: {event.output}]", fg="cyan")
        case RetryScheduled():
            click.secho(f"[{event.error.message} Trying again in {event.delay_ms} ms.]", fg="yellow")
        case RunFinished(error=error) if error is not None:
            click.secho(f"\n{error.code}: {error.message}", fg="red")
        case StepFinished():
            click.echo()
        case _:
            _print_beside(event)


def _print_beside(event: Event) -> None:
    match event:
        case StatusNoted(message):
            click.secho(f"[{message}]", dim=True)
        case DataEmitted(data, name):
            click.secho(f"\n[{name or 'data'} {_json(data)}]", fg="cyan")
        case ArtifactChanged(id, part, name):
            if not event.append:
                click.secho(f"\n[{name or id}] ", fg="cyan", nl=False)
            click.echo(part.text if isinstance(part, TextPart) else _json(msgspec.to_builtins(part)), nl=event.last)
        case _:
            pass


async def _decide(interrupt: Interrupt) -> Decision:
    if interrupt.kind == "question" or (interrupt.kind == "frontend_tool" and interrupt.message):
        return await _answer(interrupt)
    if interrupt.kind == "frontend_tool":
        return Decision(interrupt.id, output=await _ask(f"{interrupt.tool} {interrupt.arguments} gives? ") or "")
    answer = await _ask(f"{interrupt.message} {interrupt.arguments} [y/N] ")
    return Decision(interrupt.id, approved=(answer or "").strip().lower() in ("y", "yes"))


async def _answer(interrupt: Interrupt) -> Decision:
    """A text, or JSON where the question has a schema for something else; nothing at all is a refusal."""
    schema = interrupt.response_schema
    plain = schema is None or schema.get("type") == "string"
    line = await _ask(f"{interrupt.message} " if plain else f"{interrupt.message} (JSON that fits {_json(schema)}) ")
    if not line:
        return Decision(interrupt.id, output="The user would not answer this question.", failed=True)
    return Decision(interrupt.id, output=line if plain else _value(line))


def _value(line: str) -> JsonValue:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return line


def _json(value: JsonValue) -> str:
    return msgspec.json.encode(value).decode()


def _problem(error: BadRequest) -> str:
    return error.message if error.details is None else f"{error.message} {_json(error.details)}"


async def _ask(prompt: str) -> str | None:
    """One line of input without blocking the loop; None at its end."""
    click.echo(prompt, nl=False)
    line = await asyncio.to_thread(sys.stdin.readline)
    return line.rstrip("\r\n") if line else None
