"""What an agent can do, in the words of AG-UI 1.0 (`AgentCapabilities`): from its spec, and never its instructions.

What depends on the model behind it is left out, which the protocol reads as "unknown".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import ToolSpec
from wakeful.protocols.ag_ui.encode import CUSTOM_EVENTS


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A category; what is None is unknown and left out."""


class Identity(_Part, frozen=True):
    """Who it is."""

    name: str
    type: str
    description: str | None = None


class Transport(_Part, frozen=True):
    """How it is reached; `resumable` by `Last-Event-ID`."""

    streaming: bool | None = None
    websocket: bool | None = None
    http_binary: bool | None = None
    push_notifications: bool | None = None
    resumable: bool | None = None


class OfferedTool(_Part, frozen=True):
    """A tool of the agent's own."""

    name: str
    description: str
    parameters: JsonObject


class Tools(_Part, frozen=True):
    """Which tools it has."""

    supported: bool | None = None
    items: list[OfferedTool] | None = None
    parallel_calls: bool | None = None
    client_provided: bool | None = None


class Output(_Part, frozen=True):
    """What it answers with."""

    structured_output: bool | None = None


class State(_Part, frozen=True):
    """What becomes of shared state."""

    snapshots: bool | None = None
    deltas: bool | None = None
    memory: bool | None = None
    persistent_state: bool | None = None


class Subagent(_Part, frozen=True):
    """An agent it may hand work to."""

    name: str
    description: str | None = None


class MultiAgent(_Part, frozen=True):
    """Whom it works with."""

    supported: bool | None = None
    delegation: bool | None = None
    handoffs: bool | None = None
    subagents: list[Subagent] | None = None


class Reasoning(_Part, frozen=True):
    """Whether it thinks aloud; known where the agent's spec says how hard it thinks."""

    supported: bool | None = None
    streaming: bool | None = None


class MultimodalInput(_Part, frozen=True):
    """Which files it takes."""

    file: bool | None = None


class Multimodal(_Part, frozen=True):
    """Which media it knows."""

    input: MultimodalInput | None = None


class Execution(_Part, frozen=True):
    """Its limits; `max_execution_time` in ms."""

    max_iterations: int | None = None
    max_execution_time: int | None = None


class HumanInTheLoop(_Part, frozen=True):
    """What it asks people."""

    supported: bool | None = None
    approvals: bool | None = None
    feedback: bool | None = None
    interrupts: bool | None = None
    approve_with_edits: bool | None = None


class Capabilities(_Part, frozen=True):
    """All categories; `custom` is {customEvents: names of CUSTOM events}."""

    identity: Identity
    transport: Transport
    tools: Tools
    output: Output
    state: State
    multi_agent: MultiAgent
    reasoning: Reasoning
    multimodal: Multimodal
    execution: Execution
    human_in_the_loop: HumanInTheLoop
    custom: JsonObject


def capabilities(agent: AgentSpec, tools: Sequence[ToolSpec], delegates: Sequence[AgentSpec]) -> Capabilities:
    """The capabilities of an agent with these tools, which may hand work to these others."""
    effort = agent.reasoning_effort
    thinks = None if effort is None else effort != "none"
    return Capabilities(
        identity=Identity(agent.id, "wakeful", agent.description or None),
        transport=Transport(
            streaming=True, websocket=False, http_binary=False, push_notifications=False, resumable=True
        ),
        tools=Tools(
            supported=True,
            items=[OfferedTool(tool.name, tool.description, tool.parameters) for tool in tools],
            parallel_calls=True,
            client_provided=True,
        ),
        output=Output(structured_output=False),
        state=State(snapshots=True, deltas=True, memory=False, persistent_state=True),
        multi_agent=MultiAgent(
            supported=bool(delegates),
            delegation=bool(delegates),
            handoffs=False,
            subagents=[Subagent(other.id, other.description or None) for other in delegates],
        ),
        reasoning=Reasoning(supported=thinks, streaming=thinks),
        multimodal=Multimodal(MultimodalInput(file=False)),
        execution=Execution(
            max_iterations=agent.max_steps,
            max_execution_time=None if agent.max_seconds is None else int(agent.max_seconds * 1000),
        ),
        human_in_the_loop=HumanInTheLoop(
            supported=True,
            approvals=any(tool.approval for tool in tools),
            feedback=False,
            interrupts=True,
            approve_with_edits=True,
        ),
        custom={"customEvents": list(CUSTOM_EVENTS)},
    )
