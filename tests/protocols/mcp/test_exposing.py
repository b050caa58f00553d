"""What an author may expose, and what is refused before anything is served."""

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed, prompt, resource
from wakeful.sdk.tool import tool


def agent(name: str = "assistant") -> Agent:
    return Agent(name, model="demo:offline")


@tool
def assistant() -> str:
    """Bears the agent's name."""
    return ""


@tool(frontend=True)
def paint() -> str:
    """Paint."""
    ...


@resource("docs:one")
def one() -> str:
    """One."""
    return ""


@prompt
def ask() -> str:
    """Ask."""
    return ""


@pytest.mark.parametrize(
    ("exposed", "word"),
    [
        (Exposed(agents=["nobody"]), "nobody"),
        (Exposed(agents=["assistant"], tools=[assistant]), "assistant"),
        (Exposed(tools=[paint]), "paint"),
        (Exposed(resources=[one, one]), "docs:one"),
        (Exposed(prompts=[ask, ask]), "ask"),
    ],
)
def test_what_cannot_be_exposed_is_refused_by_name(exposed: Exposed, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        AgentRuntime(agents=[agent()], exposed=exposed)


def test_an_agent_whose_id_is_no_tool_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="two words"):
        AgentRuntime(agents=[agent("two words")], exposed=Exposed(agents=["two words"]))


@pytest.mark.parametrize("uri", ["", "no-scheme", "docs:with space", "wakeful://threads/mine"])
def test_a_resource_needs_an_address_of_its_own(uri: str) -> None:
    with pytest.raises(ConfigurationError):
        resource(uri)(lambda: "")


def test_a_resource_takes_no_arguments() -> None:
    def read(name: Any) -> str:
        return name

    with pytest.raises(ConfigurationError):
        resource("docs:x")(read)


def test_a_prompt_names_its_arguments() -> None:
    def many(*texts: str) -> str:
        return ""

    with pytest.raises(ConfigurationError, match="texts"):
        prompt(many)


async def test_nothing_is_exposed_unless_it_was_chosen(offer: Any) -> None:
    peer = await offer(agents=[], tools=[], resources=[], prompts=[])
    await peer.initialize()

    listed = [(await peer.request(f"{kind}/list"))["result"][kind] for kind in ("tools", "resources", "prompts")]

    assert listed == [[], [], []]
