"""The modes of a session are the agents there are; newer clients make the same choice by a configuration option."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.spec import AgentSpec
from wakeful.protocols.acp import requests, wire

OPTION = "agent"


class Modes:
    """The agents a user may choose from; with one alone there is nothing to choose."""

    def __init__(self, agents: Sequence[AgentSpec]) -> None:
        self._agents = {agent.id: agent for agent in agents}

    @property
    def any(self) -> bool:
        """Whether there is a choice."""
        return len(self._agents) > 1

    def knows(self, agent_id: str) -> bool:
        """Whether there is such an agent."""
        return agent_id in self._agents

    def check(self, agent_id: object) -> str:
        """The id of an agent that can be chosen; raises `BadRequest`."""
        if not isinstance(agent_id, str) or agent_id not in self._agents:
            raise BadRequest(f"expected one of {', '.join(self._agents)}; found {agent_id!r}")
        return agent_id

    def opened(self, agent_id: str, *, session_id: str | None = None) -> requests.Opened:
        """What the client is told of a session whose agent this is."""
        if not self.any:
            return requests.Opened(session_id)
        modes = [requests.SessionMode(agent.id, agent.id, agent.description or None) for agent in self._agents.values()]
        return requests.Opened(session_id, requests.SessionModes(agent_id, modes), self.options(agent_id))

    def options(self, agent_id: str) -> list[wire.ConfigOption]:
        """All configuration options."""
        values = [wire.SelectOption(agent.id, agent.id, agent.description or None) for agent in self._agents.values()]
        return [wire.ConfigOption(OPTION, "Agent", agent_id, values, "mode")] if self.any else []
