"""A conversation in the terminal: streams answers, shows reasoning and tools, asks for approvals."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import click

from wakeful.cli.target import load_server
from wakeful.contracts.event import (
    Event,
    ReasoningDelta,
    RetryScheduled,
    RunFinished,
    RunWaiting,
    StepFinished,
    TextDelta,
    ToolCallFinished,
    ToolCallReady,
)
from wakeful.contracts.interrupt import Decision, Interrupt
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
        waiting = await _show(runtime.stream_decide(run_id, *decisions))


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
            pass


async def _decide(interrupt: Interrupt) -> Decision:
    if interrupt.kind == "frontend_tool":
        return Decision(interrupt.id, output=await _ask(f"{interrupt.tool} {interrupt.arguments} gives? ") or "")
    answer = await _ask(f"{interrupt.message} {interrupt.arguments} [y/N] ")
    return Decision(interrupt.id, approved=(answer or "").strip().lower() in ("y", "yes"))


async def _ask(prompt: str) -> str | None:
    """One line of input without blocking the loop; None at its end."""
    click.echo(prompt, nl=False)
    line = await asyncio.to_thread(sys.stdin.readline)
    return line.rstrip("\r\n") if line else None
