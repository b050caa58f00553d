"""A client of AG-UI that asks, is asked and answers, as tests need it."""

from __future__ import annotations

import json
from typing import Any

from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

RUNS = "/v1/ag-ui/agents/assistant/runs"
TWO = "email a@example.com hi and email b@example.com yo"
PAINT = {"name": "paint", "description": "Paint.", "parameters": {"type": "object", "properties": {}}}
USER = {"id": "u", "role": "user", "content": "do it"}


@tool(approval=True)
def launch(name: str = "") -> str:
    """Launch."""
    return f"launched {name}"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


def kinds(text: str) -> list[str]:
    return [event["type"] for event in events(text)]


def entry(interrupt: str, approved: Any = True, status: str = "resolved", **more: Any) -> dict[str, Any]:
    return {"interruptId": interrupt, "status": status, "payload": {"approved": approved, **more}}


def cancelled(interrupt: str) -> dict[str, Any]:
    return {"interruptId": interrupt, "status": "cancelled"}


class Chat:
    """One thread of a server, asked as a client of AG-UI does."""

    def __init__(self, server: Any, thread: str = "t") -> None:
        self.server = server
        self.thread = thread
        self.turn = 0

    async def post(
        self, version: str | None = "1.0", thread: str | None = None, accept: str = "*/*", **body: Any
    ) -> Any:
        self.turn += 1
        sent = {"threadId": thread or self.thread, "runId": f"{self.thread}-{self.turn}", "messages": [], **body}
        sent |= {"protocolVersion": version} if version else {}
        return await self.server.client.post(RUNS, json=sent, headers={"accept": accept})

    async def ask(self, text: str = TWO, **body: Any) -> list[str]:
        """The interrupts a turn ends with."""
        body.setdefault("messages", [{**USER, "id": f"u-{self.turn}", "content": text}])
        end = events((await self.post(**body)).text)[-1]
        return [interrupt["id"] for interrupt in end["outcome"].get("interrupts", ())]

    async def answer(self, *entries: dict[str, Any], **body: Any) -> list[dict[str, Any]]:
        response = await self.post(resume=[*entries], **body)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        return events(response.text)

    async def stored(self) -> tuple[Any, Any]:
        """What the server holds of the thread: its messages, and its runs with their decisions."""
        messages = (await self.server.client.get(f"/v1/threads/{self.thread}/messages")).json()["messages"]
        runs = (await self.server.client.get(f"/v1/runs?thread_id={self.thread}")).json()["items"]
        return messages, [run["status"] for run in runs]


def without_messages(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A continuation that is shown again, without the messages before it, which a client is given first."""
    assert [event["type"] for event in found[:2]] == ["RUN_STARTED", "MESSAGES_SNAPSHOT"]
    return [found[0], *found[2:]]


def refused(found: list[dict[str, Any]], code: str) -> bool:
    (only,) = found
    return (only["type"], only["code"]) == ("RUN_ERROR", code) and "expected" in only["message"]


def agent(**limits: Any) -> Agent:
    return Agent("assistant", model="scripted:any", tools=[launch], **limits)


def result(call_id: str, content: str = "red") -> dict[str, Any]:
    return {"id": "painted", "role": "tool", "toolCallId": call_id, "content": content}
