"""MCP over pipes, line by line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.protocols.mcp.judge import LEGACY, META, MODERN, version_of
from tests.protocols.mcp.traffic import Traffic

PATIENCE = 30
HELLO: dict[str, Any] = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
TALKATIVE = """
from wakeful import Agent
from wakeful.bootstrap.demo import get_weather
print("loaded")
agents = [Agent("talkative", model="demo:offline", tools=[get_weather])]
"""


class Pipe:
    """A server behind pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.traffic = Traffic()
        self.unanswered: list[dict[str, Any]] = []

    async def write(self, message: Any) -> None:
        assert self.process.stdin is not None
        self.unanswered += [message] if isinstance(message, dict) else []
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def ask(self, method: str, params: Any = None, *, id: Any = 1) -> None:
        await self.write({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}})

    async def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            return self._noted(json.loads(await self.process.stdout.readline()))

    async def answer(self, id: Any = 1) -> dict[str, Any]:
        """The response with this id; what comes before it is left out."""
        while (message := await self.read()).get("id") != id or "method" in message:
            pass
        return message

    async def rest(self) -> list[dict[str, Any]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            lines = (await self.process.stdout.read()).split(b"\n")
            await self.process.wait()
        return [self._noted(json.loads(line)) for line in lines if line]

    def _noted(self, message: dict[str, Any]) -> dict[str, Any]:
        asked = next(
            (one for one in self.unanswered if "method" not in message and one.get("id") == message["id"]), None
        )
        if asked is not None:
            self.unanswered.remove(asked)
            self.traffic.sent(asked, refused="error" in message)
        self.traffic.told(message, version=version_of(asked) if asked else LEGACY)
        return message

    def judge(self) -> None:
        """Fails for whatever either side said that is not in the schema."""
        for message in self.unanswered:
            self.traffic.sent(message)
        self.traffic.assert_all_fits()


def modern(**more: Any) -> dict[str, Any]:
    return {**more, "_meta": {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}}


Open = Callable[..., Awaitable[Pipe]]


@pytest.fixture
async def open_pipe(tmp_path: Path) -> AsyncIterator[Open]:
    """Starts `wakeful mcp` with these arguments in an empty folder."""
    running: list[Pipe] = []

    async def start(*arguments: str) -> Pipe:
        settings = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "wakeful",
            "mcp",
            *arguments,
            cwd=tmp_path,
            env=settings,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        running.append(Pipe(process))
        return running[-1]

    yield start
    for pipe in running:
        if pipe.process.returncode is None:
            pipe.process.kill()
        await pipe.process.wait()
        pipe.judge()


@pytest.mark.proves("P01")
async def test_what_was_asked_before_the_end_of_input_is_answered(open_pipe: Open) -> None:
    pipe = await open_pipe()
    await pipe.ask("initialize", HELLO, id=1)
    await pipe.ask("ping", id="two")
    await pipe.ask("tools/call", {"name": "assistant", "arguments": {"message": "hi"}}, id=3)

    found = {message.get("id"): message for message in await pipe.rest()}

    assert found[1]["result"]["protocolVersion"] == LEGACY
    assert found["two"]["result"] == {}
    assert "hi" in found[3]["result"]["content"][0]["text"]
    assert pipe.process.returncode == 0


async def test_both_eras_are_spoken_side_by_side(open_pipe: Open) -> None:
    pipe = await open_pipe()

    await pipe.ask("server/discover", modern(), id="d")
    discovered = await pipe.answer("d")
    await pipe.ask("initialize", HELLO)
    begun = await pipe.answer()
    await pipe.ask("tools/list", modern(), id="m")
    listed = await pipe.answer("m")
    await pipe.ask("tools/list", id="l")
    plain = await pipe.answer("l")

    assert discovered["result"]["supportedVersions"] == [MODERN]
    assert begun["result"]["protocolVersion"] == LEGACY
    assert [one["name"] for one in listed["result"]["tools"]] == [one["name"] for one in plain["result"]["tools"]]


@pytest.mark.proves("P01")
async def test_bad_lines_are_refused_and_the_next_one_is_answered(open_pipe: Open) -> None:
    pipe = await open_pipe()
    codes: list[int] = []
    for line in (b"{", b"[]", b'{"jsonrpc":"2.0","id":1}', b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'):
        await pipe.write(line)
        codes.append((await pipe.read())["error"]["code"])
    await pipe.ask("initialize", HELLO)
    await pipe.answer()
    await pipe.ask("nothing", id=2)
    codes.append((await pipe.answer(2))["error"]["code"])

    assert codes == [-32700, -32600, -32600, -32600, -32601]


@pytest.mark.parametrize("params", [modern, dict])
async def test_a_call_given_up_is_stopped_and_not_answered(open_pipe: Open, params: Any) -> None:
    pipe = await open_pipe()
    await pipe.ask("initialize", HELLO)
    await pipe.answer()
    asked = params(name="assistant", arguments={"message": "count to 100000 every 50 ms"})
    asked.setdefault("_meta", {})["progressToken"] = 1
    await pipe.ask("tools/call", asked, id="long")
    while (await pipe.read()).get("method") != "notifications/progress":
        pass

    await pipe.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}})
    rest = await pipe.rest()

    assert "long" not in {message.get("id") for message in rest}
    assert pipe.process.returncode == 0


async def test_what_prints_does_not_come_between_the_messages(open_pipe: Open, tmp_path: Path) -> None:
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    pipe = await open_pipe("talkative.py:agents")

    await pipe.ask("tools/list", modern())
    found = await pipe.read()

    assert [tool["name"] for tool in found["result"]["tools"]] == ["talkative"]


async def test_a_signal_ends_it_cleanly(open_pipe: Open) -> None:
    pipe = await open_pipe()
    await pipe.ask("ping")
    await pipe.answer()

    pipe.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        code = await pipe.process.wait()

    assert code == 0
