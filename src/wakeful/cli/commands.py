"""What the commands of the command line do."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import uvicorn

from wakeful.bootstrap.serve import serve, warn_if_exposed
from wakeful.cli.target import load_server
from wakeful.embed import AgentServer
from wakeful.server.app import App

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


def serve_target(target: str | None, *, host: str | None, port: int | None, store: str | None) -> None:
    """Serve until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s  %(name)s  %(message)s")
    server = load_server(target, host=host, port=port, store=store)
    print(greeting(server), flush=True)
    serve(server.app, server.runtime.inner, server.config)


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


def greeting(server: AgentServer) -> str:
    """What to try first."""
    host = "127.0.0.1" if server.config.host in ("0.0.0.0", "::") else server.config.host  # noqa: S104 - compared only
    shown = f"[{host}]" if ":" in host else host
    agent = server.runtime.inner.catalog.default_agent().id
    return GREETING.format(base=f"http://{shown}:{server.config.port}", agent=agent)
