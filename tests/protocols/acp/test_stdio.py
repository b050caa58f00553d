"""`wakeful acp` as a process of its own, driven over its pipes, also by the protocol's Python client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import acp
import pytest
from acp import schema
from tests.protocols.acp.judge import Judge

from wakeful.server.pipes import Pipes

STARTING = 60
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
NOISY = """
import os, subprocess, sys
from wakeful import Agent, tool
from wakeful.providers.scripted import ScriptedProvider, call
print("printed while it is imported")

@tool(effect="pure")
def noise() -> str:
    '''Make noise.'''
    print("printed by a tool", flush=True)
    os.write(1, b"written by a tool\\n")
    subprocess.run([sys.executable, "-c", "print('printed by a child', input if not sys.stdin.read() else 'read')"
                    .replace("input if", "1 if").replace("sys.stdin", "__import__('sys').stdin")], check=True)
    return "done"

from wakeful import AgentRuntime
runtime = AgentRuntime(agents=[Agent("a", model="scripted:x", tools=[noise])],
                       providers=[ScriptedProvider([call("noise"), "Quiet now."])])
"""


class Piped:
    """The process, its lines and what it said beside them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []
        self.judge = Judge()

    def say(self, **message: Any) -> None:
        assert self.process.stdin
        if "method" in message and "id" in message:
            self.judge.announce(message["id"], message["method"])
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def until(self, fits: Any) -> dict[str, Any]:
        """The first message that fits; every line has to be JSON-RPC."""
        assert self.process.stdout
        async with asyncio.timeout(STARTING):
            while line := await self.process.stdout.readline():
                self.heard.append(json.loads(line.decode("utf-8")))
                self.judge.hear(self.heard[-1])
                if fits(self.heard[-1]):
                    return self.heard[-1]
        raise AssertionError(self.heard[-3:])

    async def ask(self, id: int, method: str, **params: Any) -> Any:
        self.say(id=id, method=method, params=params)
        return (await self.until(lambda message: message.get("id") == id and "method" not in message))["result"]

    async def begin(self, cwd: str = "/project", servers: Sequence[Any] = ()) -> str:
        await self.ask(1, "initialize", protocolVersion=1)
        return (await self.ask(2, "session/new", cwd=cwd, mcpServers=servers))["sessionId"]

    async def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        async with asyncio.timeout(STARTING):
            return await self.process.wait()

    def text(self) -> str:
        updates = [message["params"]["update"] for message in self.heard if message.get("method") == "session/update"]
        return "".join(u["content"].get("text", "") for u in updates if u["sessionUpdate"] == "agent_message_chunk")


@asynccontextmanager
async def piped(*arguments: str, cwd: Path, log: int = asyncio.subprocess.DEVNULL) -> AsyncIterator[Piped]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "wakeful",
        "acp",
        *arguments,
        cwd=cwd,
        env=CLEAN,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        limit=2**20,
    )
    try:
        yield Piped(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def prompt(session: str, text: str) -> dict[str, Any]:
    return {"sessionId": session, "prompt": [{"type": "text", "text": text}]}


async def test_the_process_ends_by_itself_when_its_input_does(tmp_path: Path) -> None:
    async with piped(cwd=tmp_path) as agent:
        await agent.begin()

        assert await agent.close() == 0


async def test_it_ends_in_mid_prompt_and_its_run_goes_on_with_the_next(tmp_path: Path) -> None:
    async with piped("--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        session = await agent.begin()
        agent.say(id=3, method="session/prompt", params=prompt(session, "count to 60 every 20 ms"))
        await agent.until(lambda message: agent.text())

        assert await agent.close() == 0

    async with piped("--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        await agent.ask(1, "initialize", protocolVersion=1)
        await agent.ask(2, "session/load", sessionId=session, cwd="/project", mcpServers=[])
        await agent.until(lambda message: " 60" in agent.text())


async def test_a_killed_process_loses_nothing_of_its_run(tmp_path: Path) -> None:
    async with piped("--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        session = await agent.begin()
        agent.say(id=3, method="session/prompt", params=prompt(session, "email bob@example.com hi"))
        await agent.until(lambda message: message.get("method") == "session/request_permission")
        agent.process.kill()
        await agent.process.wait()

    async with piped("--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        await agent.ask(1, "initialize", protocolVersion=1)
        await agent.ask(2, "session/load", sessionId=session, cwd="/project", mcpServers=[])
        asked = await agent.until(lambda message: message.get("method") == "session/request_permission")
        agent.say(id=asked["id"], result={"outcome": {"outcome": "selected", "optionId": "allow_once"}})
        await agent.until(lambda message: "I sent the email" in agent.text())


async def test_only_the_protocol_is_on_standard_output(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)

    async with piped("noisy.py:runtime", cwd=tmp_path) as agent:
        session = await agent.begin()
        ended = await agent.ask(3, "session/prompt", **prompt(session, "go"))

        assert ended == {"stopReason": "end_turn"}
        assert agent.text() == "Quiet now."


async def test_an_editor_that_stops_reading_makes_it_wait_and_not_grow(tmp_path: Path) -> None:
    async with piped("--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        session = await agent.begin()

        agent.say(id=3, method="session/prompt", params=prompt(session, "count to 5000"))
        await asyncio.to_thread(finished, tmp_path / "runs.db")
        await agent.until(lambda message: message.get("id") == 3)

        assert " 5000" in agent.text()


def finished(file: Path) -> None:
    """Return when the run is over, which it is without anybody reading."""
    import sqlite3
    import time

    end = time.monotonic() + STARTING
    with sqlite3.connect(file) as store:
        while not store.execute("select 1 from runs where finished_at is not null").fetchall():
            assert time.monotonic() < end
            time.sleep(0.02)


async def test_a_pipe_nobody_reads_takes_a_bounded_number_of_lines() -> None:
    source, sink = os.pipe()
    pipes = Pipes(os.open(os.devnull, os.O_RDONLY), sink)
    pipes.start()
    line, sent = b"x" * 1000, 0
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while sent < 5000:
                await pipes.write(line)
                sent += 1

    received = await asyncio.to_thread(read_lines, source, sent)
    await pipes.write(line)

    assert sent < 5000
    assert received == [line] * sent
    assert await pipes.read() is None


def read_lines(source: int, count: int) -> list[bytes]:
    with os.fdopen(source, "rb", closefd=False) as file:
        return [file.readline().rstrip(b"\n") for _ in range(count)]


async def test_without_a_worker_and_a_shared_store_nobody_would_answer(tmp_path: Path) -> None:
    async with piped("--no-worker", cwd=tmp_path) as agent:
        assert agent.process.stdout

        assert await agent.process.stdout.read() == b""
        assert await agent.process.wait() == 1


PLAIN = str(Path(__file__).parent / "servers" / "plain.py")
SECRET = "hush-hush-4711"
TALKING = """
from wakeful import Agent, AgentRuntime
from wakeful.providers.scripted import ScriptedProvider, call
runtime = AgentRuntime(agents=[Agent("a", model="scripted:x")],
                       providers=[ScriptedProvider([call("mcp__notes__about"), "Done."])])
"""


def server(*how: str, name: str) -> dict[str, Any]:
    env = [{"name": "TOKEN", "value": SECRET}]
    return {"name": name, "command": sys.executable, "args": [PLAIN, *how], "env": env}


async def test_the_editor_s_servers_end_with_the_process_and_their_secrets_are_not_in_its_log(tmp_path: Path) -> None:
    (tmp_path / "talking.py").write_text(TALKING)
    with (tmp_path / "log").open("wb") as log:
        async with piped("talking.py:runtime", cwd=tmp_path, log=log.fileno()) as agent:
            session = await agent.begin(servers=[server(name="notes"), server("noisy", name="noisy")])
            agent.say(id=3, method="session/prompt", params=prompt(session, "go"))
            asked = await agent.until(lambda message: message.get("method") == "session/request_permission")
            agent.say(id=asked["id"], result={"outcome": {"outcome": "selected", "optionId": "allow_once"}})
            await agent.until(lambda message: message.get("id") == 3)
            updates = [message["params"].get("update", {}) for message in agent.heard if "params" in message]
            (output,) = (update["rawOutput"] for update in updates if "rawOutput" in update)
            pid = json.loads(output)["pid"]

            assert await agent.close() == 0

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    logged = (tmp_path / "log").read_text()
    assert "my token is ***" in logged
    assert SECRET not in logged
    assert SECRET not in str(agent.heard)


async def test_who_carries_no_runs_connects_no_servers_and_says_so(tmp_path: Path) -> None:
    async with piped("--no-worker", "--store", "sqlite:///runs.db", cwd=tmp_path) as agent:
        session = await agent.begin(servers=[server(name="notes")])
        agent.say(id=3, method="session/prompt", params=prompt(session, "go"))
        told = await agent.until(lambda message: "notes" in json.dumps(message))

        assert agent.heard[0]["result"]["agentCapabilities"]["mcpCapabilities"] == {"http": False, "sse": False}
        assert "other processes carry this agent's runs" in told["params"]["update"]["content"]["text"]


class Friend(acp.Client):
    """An editor as the protocol's own library has it."""

    def __init__(self) -> None:
        self.said = ""
        self.asked = 0

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        if isinstance(update, schema.AgentMessageChunk):
            self.said += update.content.text

    async def request_permission(self, **_: Any) -> Any:
        self.asked += 1
        return schema.RequestPermissionResponse(
            outcome=schema.AllowedOutcome(outcome="selected", option_id="allow_once")
        )


@pytest.mark.proves("C01")
async def test_the_protocol_s_python_client_completes_a_turn_with_an_approval(tmp_path: Path) -> None:
    friend = Friend()
    command = (sys.executable, "-m", "wakeful", "acp")

    async with asyncio.timeout(STARTING), acp.spawn_agent_process(friend, *command, env=CLEAN, cwd=tmp_path) as both:
        connection, _ = both
        await connection.initialize(protocol_version=acp.PROTOCOL_VERSION)
        session = await connection.new_session(cwd="/project", mcp_servers=[])
        blocks = [acp.text_block("email bob@example.com hi")]
        ended = await connection.prompt(session_id=session.session_id, prompt=blocks)

    assert ended.stop_reason == "end_turn"
    assert friend.asked == 1
    assert "I sent the email" in friend.said
