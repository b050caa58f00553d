"""What the commands of the command line do."""

from __future__ import annotations

import logging
import os
import socket
import sys
from pathlib import Path

import uvicorn

from wakeful.bootstrap.processes import Processes, listening
from wakeful.bootstrap.serve import serve, warn_if_exposed
from wakeful.bootstrap.work import work
from wakeful.cli.target import load_server
from wakeful.contracts.errors import ConfigurationError
from wakeful.embed import AgentServer
from wakeful.runtime.runtime import Runtime
from wakeful.server.app import App

CAPACITY = "WAKEFUL_WORKER_CAPACITY"
BUS = "WAKEFUL_BUS"
RELOAD_TARGET = "WAKEFUL_DEV_TARGET"
RELOAD_STORE = "WAKEFUL_DEV_STORE"
RELOAD_ADDRESS = "WAKEFUL_ADDRESS"
RELOAD_GRACE = "WAKEFUL_SHUTDOWN_GRACE_SECONDS"

GREETING = """
Wakeful is on {base}

  curl {base}/health
  curl -N -H 'content-type: application/json' {base}/v1/runs \\
    -d '{{"agent_id": "{agent}", "thread_id": "demo", "messages": [{{"role": "user", "content": "weather in Paris"}}]}}'
  curl '{base}/v1/threads/demo/messages'

AI SDK   {base}/v1/ai-sdk/agents/{agent}/runs
AG-UI    {base}/v1/ag-ui/agents/{agent}/runs
API docs {base}/docs
"""


def serve_target(
    target: str | None, *, host: str | None, port: int | None, store: str | None, fd: int | None = None
) -> None:
    """Serve until interrupted; with `fd` on the socket of a parent process, which has greeted already."""
    _log()
    server = load_server(target, host=host, port=port, store=store)
    if fd is None:
        print(greeting(server), flush=True)
        serve(server.app, server.runtime.inner, server.config)
    else:
        serve(server.app, server.runtime.inner, server.config, shared=socket.socket(fileno=fd))


def serve_processes(count: int, target: str | None, *, host: str | None, port: int | None, store: str | None) -> int:
    """Serve with so many processes until interrupted; the exit code."""
    _log()
    server = load_server(target, host=host, port=port, store=store)
    _check_shared(server.runtime.inner)
    with listening(server.config.host, server.config.port) as shared:
        bound = server.config.model_copy(update={"address": f"{server.config.host}:{shared.getsockname()[1]}"})
        print(greeting(AgentServer(server.runtime, bound)), flush=True)
        warn_if_exposed(bound)
        what = [*([target] if target else []), *(["--store", store] if store else [])]
        command = [sys.executable, "-m", "wakeful", "serve", *what, "--fd", str(shared.fileno())]
        return Processes(command, count, shared).run()


def work_target(target: str | None, *, store: str | None) -> None:
    """Carry runs until interrupted."""
    _log()
    runtime = load_server(target, store=store).runtime.inner
    _check_shared(runtime)
    work(runtime)


def carry_nothing() -> None:
    """Let the runtimes that are built from here on only accept runs."""
    os.environ[CAPACITY] = "0"


def use_bus(url: str) -> None:
    """Let the runtimes that are built from here on, in child processes too, use this message bus."""
    os.environ[BUS] = url


def serve_reloading(target: str | None, *, host: str | None, port: int | None, store: str | None) -> None:
    """Serve in a child process that restarts when a file changes, without waiting for steps unless told to."""
    server = load_server(target, host=host, port=port, store=store)
    config = server.config
    print(greeting(server), flush=True)
    warn_if_exposed(config)
    os.environ[RELOAD_ADDRESS] = config.address
    os.environ[RELOAD_TARGET] = target or ""
    os.environ[RELOAD_STORE] = store or ""
    os.environ.setdefault(RELOAD_GRACE, "0")
    uvicorn.run(
        "wakeful.cli.commands:reloaded_app",
        factory=True,
        reload=True,
        reload_dirs=[str(Path.cwd())],
        host=config.host,
        port=config.port,
        access_log=False,
        timeout_graceful_shutdown=1,
    )


def reloaded_app() -> App:
    """The app of a reloading server's child process, described by its environment."""
    target, store = os.environ[RELOAD_TARGET], os.environ[RELOAD_STORE]
    return load_server(target or None, store=store or None).app


def _check_shared(runtime: Runtime) -> None:
    if not runtime.store.shared:
        raise ConfigurationError("several processes need a store that they share; name one with --store")


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s  %(name)s  %(message)s")


def greeting(server: AgentServer) -> str:
    """What to try first."""
    host = "127.0.0.1" if server.config.host in ("0.0.0.0", "::") else server.config.host  # noqa: S104 - compared only
    shown = f"[{host}]" if ":" in host else host
    agent = server.runtime.inner.catalog.default_agent().id
    return GREETING.format(base=f"http://{shown}:{server.config.port}", agent=agent)
