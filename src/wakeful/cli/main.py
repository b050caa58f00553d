"""The command line. Everything heavy is imported by the command that needs it, so that `--help` is instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from wakeful.cli.ages import read_age

T = TypeVar("T")
TARGET_HELP = "TARGET is module:attribute or file.py:attribute: an AgentServer, AgentRuntime, Agent or list of Agents."
AGE_HELP = "Only runs that finished so long ago, such as 30d, 12h, 90m or 45s."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Wakeful: serve LLM agents on a durable log."""


def _served(command: click.decorators.FC) -> click.decorators.FC:
    """The options of the commands that serve."""
    options = [
        click.argument("target", required=False),
        click.option("--host", default=None, help="Address to listen on.  [default: WAKEFUL_ADDRESS, else 127.0.0.1]"),
        click.option("--port", default=None, type=click.IntRange(0, 65535), help="[default: 3000]"),
        click.option("--store", default=None, help="Store URL, such as sqlite:///wakeful.db; in memory without one."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _bused(command: click.decorators.FC) -> click.decorators.FC:
    """The option of the commands that carry or show runs together with other processes."""
    shown = "nats://host:4222: live events travel between processes over it.  [default: WAKEFUL_BUS, else none]"
    return click.option("--bus", default=None, metavar="URL", help=shown)(command)


@main.command(epilog=TARGET_HELP)
@_served
@click.option("--no-worker", is_flag=True, help="Only accept and show runs; other processes carry them.")
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 256), help="Share the port among so many."
)
@_bused
@click.option("--fd", default=None, type=int, hidden=True)
def serve(
    *,
    target: str | None,
    host: str | None,
    port: int | None,
    store: str | None,
    no_worker: bool,
    processes: int,
    bus: str | None,
    fd: int | None,
) -> None:
    """Serve TARGET over HTTP, or the demo agent without one."""
    from wakeful.bootstrap import garbage

    garbage.hold()
    from wakeful.cli import commands

    if no_worker:
        commands.carry_nothing()
    if bus:
        commands.use_bus(bus)
    if processes > 1:
        raise SystemExit(
            _report(lambda: commands.serve_processes(processes, target, host=host, port=port, store=store))
        )
    _report(lambda: commands.serve_target(target, host=host, port=port, store=store, fd=fd))


@main.command(epilog=TARGET_HELP)
@click.argument("target", required=False)
@click.option("--store", default=None, help="Store URL: the one that the servers use.")
@_bused
def worker(target: str | None, store: str | None, bus: str | None) -> None:
    """Carry the runs of TARGET that other processes accept; listen to nobody."""
    from wakeful.bootstrap import garbage

    garbage.hold()
    from wakeful.cli import commands

    if bus:
        commands.use_bus(bus)
    _report(lambda: commands.work_target(target, store=store))


@main.command(epilog=TARGET_HELP)
@_served
def dev(target: str | None, host: str | None, port: int | None, store: str | None) -> None:
    """Like serve, restarting whenever a file below the current folder changes."""
    from wakeful.cli.commands import serve_reloading

    _report(lambda: serve_reloading(target, host=host, port=port, store=store))


@main.command(epilog=TARGET_HELP)
@click.argument("target", required=False)
@click.option("--agent", default=None, help="Which agent to talk to; the default one otherwise.")
@click.option("--thread", default=None, help="Continue this thread.")
@click.option("--store", default=None, help="Store URL; in memory without one.")
def chat(target: str | None, agent: str | None, thread: str | None, store: str | None) -> None:
    """Talk to an agent in the terminal."""
    from wakeful.cli.chat import chat as talk

    _report(lambda: talk(target, agent=agent, thread=thread, store=store))


@main.command(epilog=TARGET_HELP)
@click.argument("target", required=False)
@click.option("--store", default=None, help="Store URL; in memory, and gone with the editor, without one.")
@click.option("--scope", default=None, help="Whose threads these are.  [default: those of a server without tokens]")
@click.option("--no-worker", is_flag=True, help="Only accept and show runs; other processes carry them.")
@click.option("--context-size", default=0, type=click.IntRange(0), help="Tokens the model takes, if known.")
def acp(*, target: str | None, store: str | None, scope: str | None, no_worker: bool, context_size: int) -> None:
    """Be TARGET's agents in an editor that speaks the Agent Client Protocol over standard input and output."""
    from wakeful.cli.acp import serve_acp

    _report(lambda: serve_acp(target, store=store, scope=scope, carry=not no_worker, context_size=context_size))


@main.command(epilog=TARGET_HELP)
@click.argument("target", required=False)
@click.option("--store", default=None, help="Store URL; in memory without one.")
def mcp(target: str | None, store: str | None) -> None:
    """Speak MCP on standard input and output: what TARGET exposes, or all agents where it is a list of agents."""
    from wakeful.cli.mcp import speak

    _report(lambda: speak(target, store=store))


@main.command(epilog=TARGET_HELP)
@click.argument("target", required=False)
@click.option("--store", default=None, help="Store URL to check.")
def doctor(target: str | None, store: str | None) -> None:
    """Check this machine: Python, extras, keys, settings, store and TARGET."""
    from wakeful.cli.doctor import examine

    findings = examine(target, store)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.subject}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@main.group()
def db() -> None:
    """Look after a store; a server may use it meanwhile."""


def _stored(command: click.decorators.FC) -> click.decorators.FC:
    """The option that names the store."""
    return click.option("--store", required=True, help="Store URL, such as sqlite:///wakeful.db.")(command)


def _machine_readable(command: click.decorators.FC) -> click.decorators.FC:
    """The option for programs that read the output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@db.command()
@_stored
def upgrade(store: str) -> None:
    """Bring a store's schema up to date."""
    from wakeful.bootstrap.masking import masked_url
    from wakeful.cli import database

    _report(lambda: database.upgrade(store))
    click.echo(f"{masked_url(store)} is up to date")


@db.command()
@click.argument("source")
@click.argument("target")
@click.option("--force", is_flag=True, help="Copy running runs too, as runs whose process died.")
@_machine_readable
def copy(*, source: str, target: str, force: bool, as_json: bool) -> None:
    """Copy everything from store SOURCE into the empty store TARGET, such as sqlite:///wakeful.db
    postgresql://host/wakeful.

    Stop the servers of both first. Killed in the middle, the same command goes on where it was; until it has ended, no
    server starts on TARGET.
    """
    from wakeful.cli import database

    database.show_copied(_report(lambda: database.copy(source, target, force=force)), as_json=as_json)


@db.command()
@_stored
@_machine_readable
def sizes(*, store: str, as_json: bool) -> None:
    """Show how much a store holds."""
    from wakeful.cli import database

    database.show_sizes(_report(lambda: database.sizes(store)), as_json=as_json)


@db.command()
@_stored
@click.option("--older-than", callback=read_age, default="0s", show_default=True, help=f"{AGE_HELP} All without it.")
@_machine_readable
def compact(*, store: str, older_than: int, as_json: bool) -> None:
    """Pack the logs of finished runs; they read as they did."""
    from wakeful.cli import database

    packed = _report(lambda: database.compact(store, older_than))
    click.echo(f'{{"compacted":{packed}}}' if as_json else f"packed the logs of {packed} runs")


@db.command()
@_stored
@click.option("--older-than", callback=read_age, required=True, help=AGE_HELP)
@_machine_readable
def prune(*, store: str, older_than: int, as_json: bool) -> None:
    """Remove the logs of finished runs; threads, messages and runs stay."""
    from wakeful.cli import database

    removed = _report(lambda: database.prune(store, older_than))
    click.echo(f'{{"pruned":{removed}}}' if as_json else f"removed the logs of {removed} runs")


@db.command()
@_stored
@_machine_readable
def reclaim(*, store: str, as_json: bool) -> None:
    """Give free space back to the disk; a server that uses the store waits meanwhile."""
    from wakeful.cli import database

    freed = _report(lambda: database.reclaim(store))
    click.echo(f'{{"reclaimed_bytes":{freed}}}' if as_json else f"gave back {database.readable(freed)}")


@main.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    click.echo(installed("wakeful"))


def _report(command: Callable[[], T]) -> T:
    """Run a command; what an operator can mend is told without a stack trace."""
    from wakeful.bootstrap.masking import masked
    from wakeful.contracts.errors import WakefulError

    try:
        return command()
    except WakefulError as error:
        raise click.ClickException(masked(error.message)) from error
