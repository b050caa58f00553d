"""`/v1/capabilities` and `/v1/agents`: what there is to talk to."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import ToolSpec
from wakeful.server.capabilities import Capabilities
from wakeful.server.documented import documented
from wakeful.server.operations import Operations


class AgentView(BaseModel):
    """An agent as its clients may know it. `tools` are those its model is offered now."""

    id: str
    description: str
    carried_by: Literal["model", "function", "endpoint"]
    model: str | None
    tools: list[str]
    delegates: list[str]
    handoffs: list[str]


class Agents(BaseModel):
    """All agents; the one a request without an agent goes to is `default`."""

    items: list[AgentView]
    default: str | None


class ToolView(BaseModel):
    """A tool as models are told of it. `approval`: a human is asked first; `frontend`: the client carries it out."""

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Literal["pure", "idempotent", "once"]
    approval: bool
    frontend: bool


class ModelView(BaseModel):
    """A model with a name of its own."""

    id: str
    provider: str
    name: str


class ServerView(BaseModel):
    """A connected server of tools; `problem` where it is not connected."""

    name: str
    state: str
    tools: int
    problem: str | None


class ProtocolView(BaseModel):
    """A protocol that is spoken here; `versions` newest first."""

    name: str
    versions: list[str]
    path: str


class CapabilitiesView(BaseModel):
    """All a client can find here."""

    version: str
    publication: int
    agents: list[AgentView]
    tools: list[ToolView]
    models: list[ModelView]
    providers: list[str]
    tool_servers: list[ServerView]
    protocols: list[ProtocolView]


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("capabilities", prefix="/v1", admit=operations.principal)

    @api.get("/capabilities", summary="Everything there is to talk to, and how")
    async def get_capabilities() -> CapabilitiesView:
        return _view(operations.capabilities())

    @api.get("/agents", summary="The agents, in the order in which they were defined")
    async def list_agents() -> Agents:
        found = operations.capabilities()
        default = operations.agent(None).id if found.agents else None
        return Agents(items=[_agent(found, agent) for agent in found.agents.values()], default=default)

    @api.get("/agents/{agent_id}", summary="One agent")
    async def get_agent(agent_id: str) -> AgentView:
        found = operations.capabilities()
        return _agent(found, operations.agent(agent_id))

    return api


def _view(found: Capabilities) -> CapabilitiesView:
    return CapabilitiesView(
        version=version("wakeful"),
        publication=found.catalog.publication,
        agents=[_agent(found, agent) for agent in found.agents.values()],
        tools=[_tool(tool) for tool in found.tools.values()],
        models=[ModelView(id=model.id, provider=model.provider, name=model.name) for model in found.models.values()],
        providers=list(found.providers),
        tool_servers=[
            ServerView(name=name, state=health.state, tools=health.tools, problem=health.problem)
            for name, health in found.sources.items()
        ],
        protocols=[ProtocolView(name=p.name, versions=list(p.versions), path=p.path) for p in found.protocols],
    )


def _agent(found: Capabilities, agent: AgentSpec) -> AgentView:
    return AgentView(
        id=agent.id,
        description=agent.description,
        carried_by="endpoint" if agent.endpoint else "model" if agent.model else "function",
        model=agent.model,
        tools=list(found.tools_of(agent)),
        delegates=list(agent.delegates),
        handoffs=list(agent.handoffs),
    )


def _tool(tool: ToolSpec) -> ToolView:
    return ToolView(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters,
        effect=tool.effect,
        approval=tool.approval,
        frontend=tool.frontend,
    )
