"""The command line. Everything heavy is imported by the command that needs it, so that `--help` is instant."""

from __future__ import annotations

from collections.abc import Callable

import click

TARGET_HELP = "TARGET is module:attribute or file.py:attribute: an AgentServer, AgentRuntime, Agent or list of Agents."


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


@main.command(epilog=TARGET_HELP)
@_served
def serve(target: str | None, host: str | None, port: int | None, store: str | None) -> None:
    """Serve TARGET over HTTP, or the demo agent without one."""
    from wakeful.cli.commands import serve_target

    _report(lambda: serve_target(target, host=host, port=port, store=store))


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
    """Look after a store."""


@db.command()
@click.option("--store", required=True, help="Store URL, such as sqlite:///wakeful.db.")
def upgrade(store: str) -> None:
    """Bring a store's schema up to date."""
    from wakeful.cli.commands import upgrade_store

    _report(lambda: upgrade_store(store))
    click.echo(f"{store} is up to date")


@main.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    click.echo(installed("wakeful"))


def _report(command: Callable[[], None]) -> None:
    """Run a command; what an operator can mend is told without a stack trace."""
    from wakeful.contracts.errors import WakefulError

    try:
        command()
    except WakefulError as error:
        raise click.ClickException(error.message) from error
