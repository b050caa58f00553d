"""An agent of code for other agents to call, and the official A2A client that calls it. Needs: pip install a2a-sdk."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, SendMessageRequest, Task, TaskState

from wakeful import AgentRequest, AgentRuntime, AgentServer, Artifact, AskUser, Status, agent


@agent("travel", description="Plans a journey.")
async def travel(request: AgentRequest) -> AsyncIterator[Any]:
    """The whole server: every agent of Wakeful can be called over A2A."""
    if "day" not in request.answers:
        yield Status("looking at the calendar")
        yield AskUser("Which day suits you?", key="day")
        return
    yield f"You leave on {request.answers['day']}."
    yield Artifact("plan", "The train at 9:04.", name="Plan", last=True)


async def say(client: Client, message: Message) -> Task:
    """Sends a message and prints what comes; returns the task it is for."""
    task = Task()
    async for event in client.send_message(SendMessageRequest(message=message)):
        if event.HasField("task"):
            task = event.task
        elif event.HasField("artifact_update"):
            artifact = event.artifact_update.artifact
            for part in artifact.parts:
                if part.text:
                    print(f"{artifact.name}: {part.text}")
        else:
            status = event.status_update.status
            print(TaskState.Name(status.state), *(part.text for part in status.message.parts))
    return task


def words(text: str) -> Message:
    """A user's message."""
    return Message(message_id=str(uuid4()), role=Role.ROLE_USER, parts=[Part(text=text)])


async def call(port: int) -> None:
    """What somebody else's program does: it needs the address and nothing else."""
    async with httpx.AsyncClient() as http:
        client = await ClientFactory(ClientConfig(httpx_client=http)).create_from_url(f"http://127.0.0.1:{port}")
        waiting = await say(client, words("I want to go to Rome"))
        answer = words("Friday")
        answer.task_id = waiting.id  # a message without it would begin another task
        await say(client, answer)


async def main() -> None:
    """Server and client in one process, for want of two machines."""
    served = AgentServer(AgentRuntime(agents=[travel]))
    server = uvicorn.Server(uvicorn.Config(served.app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await call(listener.getsockname()[1])
            server.should_exit = True


if __name__ == "__main__":
    asyncio.run(main())
