"""`wakeful chat` with agents that ask in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wakeful.cli.main import main

AGENTS = '''
from wakeful import Agent, AgentRuntime, Artifact, AskUser, Data, Status, ToolContext, ToolQuestion, agent, tool


@tool
async def book(context: ToolContext):
    """Book."""
    if context.answer is None:
        raise ToolQuestion("How many?", schema={"type": "integer"})
    return "declined" if context.answer.declined else [context.answer.output]


@agent("clerk")
async def clerk(request):
    if not request.answers and not request.declined:
        yield Status("opening the book")
        yield AskUser("Who are you?", key="name")
    yield f"Hello {request.answers.get('name', 'stranger')}."
    yield Data({"page": 1}, "entry")
    yield Artifact("card", "Name: ", name="Card")
    yield Artifact("card", "Ann", append=True, last=True)


runtime = AgentRuntime(agents=[Agent("asker", model="demo:offline", tools=[book]), clerk])
'''


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Talks to one of the agents: `chat("clerk", "hi\\nAnn\\n")` gives what is printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "asked_in_chat.py").write_text(AGENTS)

    def talk(agent: str, text: str) -> str:
        result = CliRunner().invoke(main, ["chat", "asked_in_chat.py:runtime", "--agent", agent], input=text)
        assert result.exit_code == 0, result.output
        return result.output

    yield talk
    sys.modules.pop("asked_in_chat", None)


def test_a_question_is_asked_and_its_answer_goes_on(chat: Any):
    said = chat("clerk", "hi\nAnn\n")

    assert "[opening the book]" in said
    assert "Who are you? " in said
    assert "Hello Ann." in said
    assert '[entry {"page":1}]' in said
    assert "[Card] Name: Ann\n" in said


@pytest.mark.parametrize("nothing", ["\n", ""])
def test_nothing_is_a_refusal_to_say(chat: Any, nothing: str):
    assert "Hello stranger." in chat("clerk", f"hi\n{nothing}")
    assert "[book succeeded: declined]" in chat("asker", f"use book {{}}\n{nothing}")


def test_an_answer_that_does_not_fit_is_asked_for_again(chat: Any):
    said = chat("asker", "use book {}\nmany\n3\n")

    assert said.count("How many?") == 2
    assert "does not fit the schema" in said
    assert "[book succeeded: [3]]" in said
