"""What the user allows or rejects always: a rule for one tool of one agent in one thread, and for nothing else."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from wakeful import Agent, AgentRuntime, tool
from wakeful.contracts.message import ToolCallPart
from wakeful.contracts.query import RunQuery
from wakeful.contracts.tool import ToolContext
from wakeful.protocols.acp.grants import KIND, Grants
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations

PLAIN = str(Path(__file__).parent / "servers" / "plain.py")
RULE = "Allowed by rule: send is always allowed in this session."


def choosing(option_id: str) -> Any:
    return lambda _: {"outcome": {"outcome": "selected", "optionId": option_id}}


@tool(approval=True)
def send(to: str) -> str:
    """Send.

    Args:
        to: Where.
    """
    return f"sent to {to}"


@tool(approval=True)
def erase() -> str:
    """Erase."""
    return "erased"


SEND, ERASE = call("send", {"to": "a"}), call("erase")


def parts(*replies: Any, agents: tuple[str, ...] = ("a",), **more: Any) -> dict[str, Any]:
    made = [Agent(name, model="scripted:x", tools=[send, erase]) for name in agents]
    return {"agents": made, "providers": [ScriptedProvider(list(replies))], **more}


def shown(editor: Any) -> list[str]:
    """What stands in calls, as the user sees it."""
    contents = [item for update in editor.updates for item in update.get("content") or [] if isinstance(item, dict)]
    return [item["content"]["text"] for item in contents if item.get("type") == "content"]


async def test_what_is_always_allowed_is_not_asked_about_again_and_shows_the_rule(connect: Any) -> None:
    editor = await connect(**parts(SEND, "One.", SEND, "Two."))
    editor.answers["session/request_permission"] = choosing("allow_always")
    session = await editor.new()
    await editor.prompt(session, "go")
    assert RULE not in shown(editor)
    before = len(editor.updates)

    assert await editor.prompt(session, "go") == "end_turn"

    assert len(editor.asked) == 1
    assert editor.text() == "One.Two."
    updates = [update for update in editor.updates[before:] if update["sessionUpdate"].startswith("tool_call")]
    assert [update["status"] for update in updates if "status" in update] == ["pending", "in_progress", "completed"]
    assert len({update["toolCallId"] for update in updates}) == 1
    assert updates[-1]["content"][0]["content"]["text"] == RULE
    assert updates[-1]["rawOutput"] == "sent to a"


async def test_what_is_always_rejected_never_runs_again(connect: Any) -> None:
    editor = await connect(**parts(SEND, "One.", SEND, "Two."))
    editor.answers["session/request_permission"] = choosing("reject_always")
    session = await editor.new()

    for _ in range(2):
        assert await editor.prompt(session, "go") == "end_turn"

    assert len(editor.asked) == 1
    assert editor.statuses() == ["pending", "failed"] * 2
    assert "The user denied this call: send is always rejected in this session." in shown(editor)


async def test_once_is_once(connect: Any, allowing: Any) -> None:
    editor = await connect(**parts(SEND, "One.", SEND, "Two."))
    editor.answers["session/request_permission"] = allowing
    session = await editor.new()

    for _ in range(2):
        await editor.prompt(session, "go")

    assert len(editor.asked) == 2


async def test_another_tool_another_thread_and_another_agent_are_asked_about(connect: Any) -> None:
    replies = (SEND, "1", ERASE, "2", SEND, "3", SEND, "4", SEND, "5")
    editor = await connect(**parts(*replies, agents=("a", "b")))
    editor.answers["session/request_permission"] = choosing("allow_always")
    session, other = await editor.new(), await editor.new()
    await editor.prompt(session, "go")

    await editor.prompt(session, "another tool")
    await editor.prompt(other, "another thread")
    await editor.request("session/set_mode", sessionId=session, modeId="b")
    await editor.prompt(session, "another agent")
    assert len(editor.asked) == 4

    await editor.request("session/set_mode", sessionId=session, modeId="a")
    await editor.prompt(session, "the first again")
    assert len(editor.asked) == 4


async def test_a_rule_outlives_the_process_and_ends_with_the_session(connect: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    async with AgentRuntime(**parts(SEND, "One.", store=store)) as first:
        editor = await connect(runtime=first)
        editor.answers["session/request_permission"] = choosing("allow_always")
        session = await editor.new()
        await editor.prompt(session, "go")

    async with AgentRuntime(**parts(SEND, "Two.", store=store)) as second:
        again = await connect(runtime=second)
        await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
        await again.prompt(session, "go")

        assert again.asked == []
        assert again.text().endswith("Two.")
        assert await second.inner.store.get_document("default", KIND, session)
        await again.request("session/delete", sessionId=session)
        assert await second.inner.store.get_document("default", KIND, session) is None


async def test_a_later_choice_replaces_a_rule(connect: Any) -> None:
    runtime = await started(connect)
    thread = await runtime.inner.store.get_thread("default", "t")
    grants = Grants(operations(runtime), thread, lambda _: "")
    assert await grants.verdict("a", "send") is None

    await grants.allow("a", "send")
    assert await grants.verdict("a", "send") is True
    await grants.reject("a", "send")

    assert await grants.verdict("a", "send") is False


async def test_rules_that_are_made_at_once_are_all_kept(connect: Any) -> None:
    runtime = await started(connect)
    thread = await runtime.inner.store.get_thread("default", "t")
    grants = Grants(operations(runtime), thread, lambda _: "")

    await asyncio.gather(*(grants.allow("a", f"tool{number}") for number in range(5)))

    assert [await grants.verdict("a", f"tool{number}") for number in range(5)] == [True] * 5


async def started(connect: Any) -> AgentRuntime:
    editor = await connect(**parts("Hello."))
    await editor.runtime.run("a", "go", thread_id="t")
    return editor.runtime


def operations(runtime: AgentRuntime) -> Operations:
    return Operations(runtime.inner, ServerConfig(), Metrics(runtime.inner))


async def test_no_rule_lets_a_call_run_again_whose_outcome_is_unknown(connect: Any, tmp_path: Path) -> None:
    begun, starts = asyncio.Event(), 0

    @tool(approval=True)
    async def pay(context: ToolContext) -> str:
        """Pay."""
        nonlocal starts
        starts += 1
        if starts == 2:
            begun.set()
            await asyncio.Event().wait()
        return "paid"

    def paying(*replies: Any) -> AgentRuntime:
        agents = [Agent("a", model="scripted:x", tools=[pay])]
        return AgentRuntime(
            agents=agents, providers=[ScriptedProvider(list(replies))], store=f"sqlite:///{tmp_path}/runs.db"
        )

    async with paying(call("pay"), "One.", call("pay")) as first:
        editor = await connect(runtime=first)
        editor.answers["session/request_permission"] = choosing("allow_always")
        session = await editor.new()
        await editor.prompt(session, "go")
        prompt = editor.start_prompt(session, "go")
        async with asyncio.timeout(10):
            await begun.wait()
        first.inner.cut_off()
    with pytest.raises(Exception, match="going down"):
        await prompt
    assert len(editor.asked) == 1

    async with paying("Two.") as second:
        again = await connect(runtime=second)
        again.answers["session/request_permission"] = choosing("reject_once")
        await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
        await again.until(lambda: again.text().endswith("Two."))

    ((_, asked),) = again.asked
    assert [option["kind"] for option in asked["options"]] == ["allow_once", "reject_once"]
    assert "may have happened or not" in asked["toolCall"]["content"][0]["content"]["text"]
    assert starts == 2


async def test_a_rule_for_an_editor_s_server_is_not_for_another_of_its_name(connect: Any) -> None:
    about = call("mcp__notes__about")
    editor = await connect(**parts(about, "1", about, "2", about, "3"))
    editor.answers["session/request_permission"] = choosing("allow_always")

    def server(*args: str) -> dict[str, Any]:
        return {"name": "notes", "command": sys.executable, "args": [PLAIN, *args], "env": []}

    session = await editor.new(servers=[server()])
    for _ in range(2):
        await editor.prompt(session, "go")
    assert len(editor.asked) == 1

    await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=[server("other")])
    await editor.prompt(session, "go")

    assert len(editor.asked) == 2


async def test_a_rule_of_a_thread_is_asked_for_the_agent_that_took_the_run_over(connect: Any) -> None:
    second = Agent("b", model="scripted:x", tools=[send])
    first = Agent("a", model="scripted:x", tools=[send], handoffs=["b"])
    replies = [SEND, call("transfer_to_b"), SEND, "Done."]
    editor = await connect(agents=[first, second], providers=[ScriptedProvider(replies)])
    editor.answers["session/request_permission"] = choosing("allow_always")

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert len(editor.asked) == 2
    (run,) = (await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).items
    history = await editor.runtime.inner.store.history(run.thread_key)
    called = [part.name for message in history for part in message.parts if isinstance(part, ToolCallPart)]
    assert called == ["send", "transfer_to_b", "send"]
