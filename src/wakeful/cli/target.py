"""Finds what `wakeful serve` was given: `module:attr` or `file.py:attr`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from wakeful.bootstrap.demo import demo_agents
from wakeful.bootstrap.settings import at_address, read_settings
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.spec import AgentSpec
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.function_agent import FunctionAgent

EXPECTED = "expected an AgentServer, an AgentRuntime, an Agent or a list of Agents"


def load_server(
    target: str | None,
    *,
    store: str | None,
    host: str | None = None,
    port: int | None = None,
    offer: Literal["chosen", "all"] = "chosen",
) -> AgentServer:
    """The server behind a target, the demo's without one, at the address of `at_address`.

    Of bare agents none is exposed to other programs, unless `offer` is `all`; the demo's is. Raises
    `ConfigurationError` when there is nothing fit to serve.
    """
    found: Any = load(target) if target else demo_agents()
    config = found.config if isinstance(found, AgentServer) else read_settings()
    config = at_address(config, host=host, port=port)
    runtime = found.runtime if isinstance(found, AgentServer) else found
    if not isinstance(runtime, AgentRuntime):
        agents = _agents(target, runtime)
        exposed = Exposed(agents=agents if offer == "all" or target is None else ())
        runtime = AgentRuntime(agents=agents, store=store, exposed=exposed)
    elif store:
        raise ConfigurationError(f"{target} brings its own store; leave --store out, or serve a list of agents")
    return AgentServer(runtime, config)


def load(target: str) -> object:
    """The object a target names; raises `ConfigurationError`."""
    place, colon, attribute = target.rpartition(":")
    if not colon or not place or not attribute:
        raise ConfigurationError(f"expected module:attribute or file.py:attribute, found {target!r}")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_path(place)
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise ConfigurationError(f"{place} has no attribute {attribute!r}")
        found = getattr(found, name)
    return found


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not a Python file")
    sys.path.insert(0, str(path.resolve().parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _from_path(name: str) -> ModuleType:
    sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(f"there is no module {name!r} here; is the current folder right?") from error
        raise


def _agents(target: str | None, found: object) -> list[Agent | FunctionAgent | AgentSpec]:
    kind = type(found).__name__
    # The cast says what any list holds; `isinstance` alone cannot.
    items = list(cast("Sequence[object]", found)) if isinstance(found, list | tuple) else [found]
    agents = [item for item in items if isinstance(item, Agent | FunctionAgent | AgentSpec)]
    if not agents or len(agents) != len(items):
        raise ConfigurationError(f"{target} is a {kind}; {EXPECTED}")
    return agents
