"""Whether the parts of a catalog fit together: every name leads somewhere, and no two things share one."""

from __future__ import annotations

from collections.abc import Iterator

from wakeful.bootstrap.plugs import PROVIDERS
from wakeful.catalog.snapshot import Catalog
from wakeful.contracts.config import Problem
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.spec import AgentSpec
from wakeful.runtime.handoff import PREFIX
from wakeful.sdk.tool import TOOL_NAME


def problems_of(catalog: Catalog) -> Iterator[Problem]:
    """Everything that does not fit."""
    for agent in catalog.agents.values():
        yield from _carrier(catalog, agent)
        missing = list(_unknown_tools(catalog, agent))
        if missing:
            yield _problem(agent, "tools", f"unknown tools: {', '.join(missing)}")
        for name in agent.delegates:
            if found := _unfit_delegate(catalog, agent, name):
                yield _problem(agent, "delegates", found)
        for name in agent.handoffs:
            if found := _unfit_handoff(catalog, agent, name):
                yield _problem(agent, "handoffs", found)
    for name, model in catalog.models.items():
        if model.provider not in catalog.providers:
            yield Problem("models", name, "provider", _unknown_provider(catalog, model.provider))
    unknown = [name for name in catalog.exposure.agents if name not in catalog.agents]
    if unknown:
        yield Problem("agents", unknown[0], "", f"unknown agents are exposed: {', '.join(unknown)}")


def _carrier(catalog: Catalog, agent: AgentSpec) -> Iterator[Problem]:
    try:
        _ = catalog.backend(agent) if agent.model is None else catalog.model(agent.model)
    except ConfigurationError as error:
        known = f"; built-in providers: {', '.join(PROVIDERS)}" if agent.model else ""
        yield _problem(agent, "model", f"{error.message}{known}")


def _unknown_tools(catalog: Catalog, agent: AgentSpec) -> Iterator[str]:
    """Its tools that neither exist nor belong to a source, which may offer them later."""
    for name in agent.tools:
        try:
            catalog.offered(name)
        except NotFound:
            yield name


def _unfit_delegate(catalog: Catalog, agent: AgentSpec, name: str) -> str | None:
    """What is wrong with an agent it may hand work to, which becomes a tool named by its id."""
    if name not in catalog.agents:
        return f"unknown agent in delegates: {name}"
    if not TOOL_NAME.fullmatch(name):
        return f"delegate {name!r} cannot be a tool name; give that agent an id of letters, digits, _ and -"
    if name in agent.tools or name == agent.id:
        return f"delegate {name!r} is also the name of {'the agent itself' if name == agent.id else 'a tool'}"
    return None


def _unfit_handoff(catalog: Catalog, agent: AgentSpec, name: str) -> str | None:
    """What is wrong with an agent it may hand the conversation to."""
    tool = f"{PREFIX}{name}"
    if name not in catalog.agents:
        return f"unknown agent in handoffs: {name}"
    if name == agent.id:
        return f"handoff {name!r} is the agent itself"
    if not TOOL_NAME.fullmatch(tool):
        return f"handoff {name!r} cannot be a tool name; give that agent a shorter id of letters, digits, _ and -"
    if tool in agent.tools or tool in agent.delegates:
        return f"handoff {name!r} is a tool named {tool!r}, and so is another tool; rename that"
    return None


def _unknown_provider(catalog: Catalog, provider: str) -> str:
    known = ", ".join(catalog.providers) or "none"
    return f"unknown provider {provider!r}; expected one of: {known}; or built-in: {', '.join(PROVIDERS)}"


def _problem(agent: AgentSpec, path: str, message: str) -> Problem:
    return Problem("agents", agent.id, path, message)
