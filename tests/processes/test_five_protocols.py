"""One run: started over A2A, watched over AG-UI, polled over MCP, approved in an editor, resumed in a chat."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.processes import transcripts
from tests.processes.conftest import TARGET, Fleet
from tests.processes.editor import Editor, editing
from tests.processes.frames import text_of
from tests.processes.served import GATES, STORE
from tests.processes.transcripts import Line
from tests.protocols.a2a.talking import NEW, message
from tests.protocols.ai_sdk.conftest import Reader
from tests.protocols.mcp.peer import WITH_TASKS, Peer

pytestmark = pytest.mark.network
LEASE = {"WAKEFUL_LEASE_SECONDS": "2"}
A2A = "/v1/a2a/launcher"
ASKED = "launch, then step to 4 as red"
SPOKEN: list[Line] = [
    ("user", ASKED),
    ("agent", "I would like to launch. "),
    ("call", "launch", '{"launched": "red"}'),
    ("agent", "1 2 3 4 "),
]


class Scene:
    """Processes that share a store, and an editor with a process of its own."""

    def __init__(self, fleet: Fleet, folder: Path, gates: Path) -> None:
        self.fleet = fleet
        self._folder = folder
        self._gates = gates

    def editor(self) -> Any:
        where = {STORE: self.fleet.url, GATES: str(self._gates)}
        return editing(TARGET, self._folder, **where, **LEASE)

    def launched(self) -> list[str]:
        """What the tool did."""
        return (self._gates / "launched").read_text().split()


@pytest.fixture(params=["sqlite", "postgresql"])
async def scene(
    request: pytest.FixtureRequest, postgres: Any, database: str, start: Any, tmp_path: Path
) -> AsyncIterator[Scene]:
    """A scene on either store."""
    gates = tmp_path / "gates"
    gates.mkdir()
    url = f"sqlite:///{tmp_path / 'runs.db'}" if request.param == "sqlite" else postgres.url(database)
    async with AsyncExitStack() as stack:
        yield Scene(Fleet(start, stack, url, gates), tmp_path, gates)


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"json": {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}, "headers": NEW}


def said_in(updates: list[dict[str, Any]]) -> str:
    """The text of an A2A stream's artifacts."""
    results = [update["result"] for update in updates]
    artifacts = [result["artifactUpdate"]["artifact"] for result in results if "artifactUpdate" in result]
    return "".join(part["text"] for artifact in artifacts for part in artifact["parts"])


async def polled(server: Any, run: str) -> dict[str, Any]:
    """The run as an MCP task."""
    peer = Peer(server, server.client)
    return (await peer.ask("tasks/get", {"taskId": run}, can=WITH_TASKS))["result"]


async def test_one_run_goes_through_five_protocols_and_a_crash_and_all_tell_the_same_of_it(scene: Scene) -> None:
    server = await scene.fleet.serve(**LEASE)
    run, thread = await begin(scene, server)
    async with scene.editor() as editor:
        await approve(scene, server, editor, run, thread)
        await break_off(scene, server, run)
        server = await scene.fleet.serve(**LEASE)
        await resume(scene, server, run, thread)
        await editor.until(lambda: transcripts.acp(editor.updates)[-1] == SPOKEN[-1])
        await editor.load(thread)
        await editor.shows(SPOKEN)
    await all_agree(server, run, thread)
    log = (await server.get(f"/v1/runs/{run}/events?limit=200"))["items"]
    assert [entry["type"] for entry in log].count("tool_call_started") == 1
    assert scene.launched() == ["red"]


async def begin(scene: Scene, server: Any) -> tuple[str, str]:
    """Started over A2A, watched over AG-UI, polled over MCP: until it asks. The run and its thread."""
    sent = rpc("SendStreamingMessage", message=message(ASKED))
    async with server.events("POST", A2A, **sent) as started:
        await started.until(lambda seen: said_in(seen) == "I would like ")
        task = started.seen[0]["result"]["task"]
        run, thread = task["id"], task["contextId"]
        async with server.events("GET", f"/v1/ag-ui/runs/{run}/stream") as watched:
            await watched.until(lambda seen: text_of(seen) == "I would like ")
            assert (await polled(server, run))["status"] == "working"
            scene.fleet.let_go("red", 0)
            shown = await watched.rest()
        updates = await started.rest()
    assert shown[-1]["outcome"]["type"] == "interrupt"
    assert text_of(shown) == said_in(updates) == SPOKEN[1][1]
    assert updates[-1]["result"]["statusUpdate"]["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    return run, thread


async def approve(scene: Scene, server: Any, editor: Editor, run: str, thread: str) -> None:
    """The editor comes to a session it never opened, is asked what the A2A client was asked, and allows it."""
    assert (await polled(server, run))["status"] == "input_required"
    await editor.load(thread)
    await editor.shows(SPOKEN[:2])
    await editor.until(lambda: editor.asked)
    assert editor.asked[0].raw_input == {"name": "red"}
    editor.allow()
    await editor.shows(SPOKEN[:3])


async def break_off(scene: Scene, server: Any, run: str) -> None:
    """The process is killed in the middle of the answer."""
    async with server.events("GET", f"/v1/ag-ui/runs/{run}/stream") as watched:
        for number in (1, 2):
            scene.fleet.let_go("red", number)
        await watched.until(lambda seen: text_of(seen).endswith("1 2 "))
        assert [event["type"] for event in watched.seen].count("TOOL_CALL_RESULT") == 1
        assert (await polled(server, run))["status"] == "working"
        server.command.process.kill()
        with pytest.raises(httpx.HTTPError):  # the connection breaks
            await watched.rest()
        await server.command.code()


async def resume(scene: Scene, server: Any, run: str, thread: str) -> None:
    """A chat in the next process gets the whole answer, and a chat that is opened afterwards holds the same.

    Who began the run comes back to it, too.
    """
    async with server.events("GET", f"/v1/runs/{run}/events/stream") as native:
        await native.until(lambda seen: any(event["type"] == "step_restarted" for event in seen))
    path = f"/v1/ai-sdk/chat/{thread}"
    async with (
        server.events("GET", f"{path}/stream") as chat,
        server.events("POST", A2A, **rpc("SubscribeToTask", id=run)) as subscribed,
    ):
        await chat.until(lambda seen: text_of(seen).endswith("1 2 "))
        for number in (3, 4):
            scene.fleet.let_go("red", number)
        chunks, updates = await chat.rest(), await subscribed.rest()
    assert text_of(chunks) == SPOKEN[1][1] + SPOKEN[3][1]
    assert updates[-1]["result"]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    client = Reader()
    for chunk in chunks:
        client.feed(json.dumps(chunk).encode())
    *_, answer = (await server.get(f"{path}/messages"))["messages"]
    assert (answer["id"], kept(answer["parts"])) == (client.message_id, kept(client.parts))


def kept(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts without the question, of which only a client that was asked knows all."""
    return [{key: value for key, value in part.items() if key != "approval"} for part in parts]


async def all_agree(server: Any, run: str, thread: str) -> None:
    """Every protocol tells the same conversation, A2A without the calls."""
    asked = rpc("GetTask", id=run)
    task = (await server.client.post(A2A, **asked)).json()["result"]
    peer = Peer(server, server.client)
    found = await peer.ask("resources/read", {"uri": f"wakeful://threads/{thread}"})
    resource = json.loads(found["result"]["contents"][0]["text"])
    done = await polled(server, run)

    assert transcripts.native((await server.get(f"/v1/threads/{thread}/messages"))["messages"]) == SPOKEN
    assert transcripts.ai_sdk((await server.get(f"/v1/ai-sdk/chat/{thread}/messages"))["messages"]) == SPOKEN
    assert transcripts.ag_ui((await server.get(f"/v1/ag-ui/threads/{thread}/messages"))["messages"]) == SPOKEN
    assert transcripts.native(resource["messages"]) == SPOKEN
    assert transcripts.a2a(task) == [line for line in SPOKEN if line[0] != "call"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert (done["status"], done["result"]["content"][0]["text"]) == ("completed", SPOKEN[3][1])
