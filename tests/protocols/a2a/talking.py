"""A client of A2A as tests need it: raw over HTTP, every answer judged by the SDK's own types, strictly."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

from a2a.compat.v0_3 import types as old
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import MessageToDict, ParseDict

from wakeful import (
    AgentFailed,
    AgentRequest,
    Artifact,
    AskAuthorisation,
    AskUser,
    Data,
    FilePart,
    Refused,
    Status,
    agent,
)
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

ROOT = "/v1/a2a"
NEW = {"A2A-Version": "1.0"}
PNG = FilePart("image/png", "data:image/png;base64,eA==", "x.png")
numbers = count(1)


class Gate:
    """What a test holds an agent with."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()


async def report(request: AgentRequest) -> Any:
    yield Status("Looking it up.")
    yield "Here "
    yield "it is."
    yield Data({"rows": 2}, name="table")
    yield PNG
    yield Artifact("doc", "Chapter one. ", name="Report", description="All of it")
    yield Artifact("doc", "Chapter two.", append=True, last=True)


async def ask(request: AgentRequest) -> Any:
    if "city" in request.answers:
        yield f"The weather in {request.answers['city']} is fine."
    else:
        yield AskUser("Which city?", key="city")


async def number(request: AgentRequest) -> Any:
    if "n" in request.answers:
        yield Data({"twice": request.answers["n"] * 2})
    else:
        yield AskUser("How many?", key="n", schema={"type": "integer"})


async def both(request: AgentRequest) -> Any:
    if len(request.answers) == 2:
        yield f"From {request.answers['from']} to {request.answers['to']}."
    else:
        yield AskUser("From where?", key="from", more=True)
        yield AskUser("To where?", key="to")


async def login(request: AgentRequest) -> Any:
    if "authorisation" in request.answers:
        yield "You are in."
    else:
        yield AskAuthorisation("Please log in.", url="https://login.example.com/")


async def refuse(request: AgentRequest) -> Any:
    yield Refused("Not this.")


async def fail(request: AgentRequest) -> Any:
    yield "Writing. "
    raise AgentFailed("The disk is full.")


async def metadata(request: AgentRequest) -> Any:
    yield Data(request.metadata)


async def echo(request: AgentRequest) -> Any:
    yield f"You said: {request.text}"


DEEDS = {deed.__name__: deed for deed in (report, ask, number, both, login, refuse, fail, metadata)}


def agents(gate: Gate) -> list[Any]:
    """Agents that do what their message says."""

    async def slow(request: AgentRequest) -> Any:
        yield "One, "
        gate.reached.set()
        await gate.open.wait()
        yield "two."

    @agent("worker", description="Does what it is told.")
    async def worker(request: AgentRequest) -> Any:
        deed = {**DEEDS, "slow": slow}.get(request.text.split(" ")[0], echo)
        async for value in deed(request):
            yield value

    @agent("second")
    async def second(request: AgentRequest) -> Any:
        yield f"second heard {request.text}"

    return [worker, second]


@tool(approval=True)
def launch(name: str = "") -> str:
    """Launch a rocket."""
    return f"launched {name}"


@tool
def look(name: str = "") -> str:
    """Look at a rocket."""
    return f"{name} is there"


def approver(**fields: Any) -> Agent:
    return Agent("assistant", model="scripted:any", tools=[launch, look], **fields)


def message(*parts: Any, **fields: Any) -> dict[str, Any]:
    """A user's message of texts and of parts."""
    shown = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"messageId": f"m-{next(numbers)}", "role": "ROLE_USER", "parts": shown, **fields}


def strictly(body: Any, shape: Any) -> Any:
    """The body as the SDK's type; unknown fields are refused, and nothing of it is lost."""
    found = ParseDict(body, shape())
    assert MessageToDict(found).keys() <= body.keys() | {"nextPageToken"}
    return found


def payloads(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


class Talk:
    """A client of one server, over one binding."""

    def __init__(self, client: Any, *, rpc: bool, root: str = ROOT) -> None:
        self.client = client
        self.rpc = rpc
        self.root = root

    async def call(self, method: str, path: str, rpc: str, params: dict[str, Any]) -> Any:
        if self.rpc:
            body = {"jsonrpc": "2.0", "id": 7, "method": rpc, "params": params}
            return await self.client.post(self.root, json=body, headers=NEW)
        if method == "GET":
            names = {name: value for name, value in params.items() if f"{{{name}}}" not in path}
            return await self.client.get(self.root + path.format(**params), params=names, headers=NEW)
        if method == "DELETE":
            return await self.client.delete(self.root + path.format(**params), headers=NEW)
        return await self.client.post(self.root + path.format(**params), json=params, headers=NEW)

    async def result(self, method: str, path: str, rpc: str, params: dict[str, Any], shape: Any) -> Any:
        response = await self.call(method, path, rpc, params)
        assert response.status_code == 200, response.text
        body = response.json()
        if self.rpc:
            assert response.headers["content-type"] == "application/json"
            assert body.keys() == {"jsonrpc", "id", "result"}, body
            assert body["id"] == 7
            body = body["result"]
        else:
            assert response.headers["content-type"] == "application/a2a+json"
        return strictly(body, shape)

    async def send(self, *parts: Any, configuration: Any = None, **fields: Any) -> Any:
        params = {"message": message(*parts, **fields)}
        if configuration:
            params["configuration"] = configuration
        return (await self.result("POST", "/message:send", "SendMessage", params, pb.SendMessageResponse)).task

    async def stream(self, *parts: Any, **fields: Any) -> list[Any]:
        params = {"message": message(*parts, **fields)}
        response = await self.call("POST", "/message:stream", "SendStreamingMessage", params)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return self.read(response.text)

    def read(self, text: str) -> list[Any]:
        bodies = payloads(text)
        if self.rpc:
            assert all(body["id"] == 7 for body in bodies)
            bodies = [body["result"] for body in bodies]
        return [strictly(body, pb.StreamResponse) for body in bodies]

    async def get(self, task_id: str, **params: Any) -> Any:
        return await self.result("GET", "/tasks/{id}", "GetTask", {"id": task_id, **params}, pb.Task)

    async def list(self, **params: Any) -> Any:
        return await self.result("GET", "/tasks", "ListTasks", params, pb.ListTasksResponse)

    async def cancel(self, task_id: str) -> Any:
        return await self.result("POST", "/tasks/{id}:cancel", "CancelTask", {"id": task_id}, pb.Task)

    async def fault(self, method: str, path: str, rpc: str, params: dict[str, Any]) -> tuple[int, str]:
        """The number (JSON-RPC) or status (HTTP) of the error and its reason."""
        response = await self.call(method, path, rpc, params)
        return self.fault_in(response)

    def fault_in(self, response: Any) -> tuple[int, str]:
        error = response.json()["error"]
        details = error["data"] if self.rpc else error["details"]
        assert details[0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
        assert details[0]["domain"] == "a2a-protocol.org"
        assert error["message"]
        if not self.rpc:
            assert error["code"] == response.status_code
        return error["code"], details[0]["reason"]


def state(found: Any) -> str:
    return pb.TaskState.Name(found.status.state).removeprefix("TASK_STATE_")


def states(stream: list[Any]) -> list[str]:
    return [
        state(item.task if item.HasField("task") else item.status_update)
        for item in stream
        if not item.HasField("artifact_update")
    ]


def text(artifact: Any) -> str:
    return "".join(part.text for part in artifact.parts)


async def old_call(client: Any, method: str, params: dict[str, Any]) -> Any:
    """A request of A2A 0.3, which sends no version."""
    return await client.post(ROOT, json={"jsonrpc": "2.0", "id": "a", "method": method, "params": params})


def old_message(*texts: str, **fields: Any) -> dict[str, Any]:
    parts = [{"kind": "text", "text": one} for one in texts]
    return {"kind": "message", "messageId": f"m-{next(numbers)}", "role": "user", "parts": parts, **fields}


def old_events(body: str) -> list[Any]:
    return [old.SendStreamingMessageSuccessResponse.model_validate(one).result for one in payloads(body)]
