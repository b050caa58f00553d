"""Servers of the official SDK, whose agent does what its message says."""

from __future__ import annotations

import asyncio
from typing import Any

from a2a.helpers import new_data_part, new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2 as pb
from starlette.applications import Starlette


class Executor(AgentExecutor):
    """`says`, `table`, `message`, `ask`, `login`, `reject` and `slow` are what it knows."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.messages: list[pb.Message] = []
        self.cancelled: list[str] = []

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        message, text = context.message, context.get_user_input()
        self.messages.append(message)
        if text == "message":
            await event_queue.enqueue_event(new_text_message("Just words.", context_id=context.context_id))
            return
        if context.current_task is None:
            await event_queue.enqueue_event(new_task_from_user_message(message))
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        await updater.start_work(self._words(updater, "Thinking."))
        asked = context.current_task is not None
        await (self._answered(updater, text) if asked else self._do(updater, text))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        self.cancelled.append(context.task_id)
        self.open.set()
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _do(self, updater: TaskUpdater, text: str) -> None:
        match text:
            case "ask":
                await updater.requires_input(self._words(updater, "Which city?"))
            case "login":
                await updater.requires_auth(self._words(updater, "Please log in."))
            case "reject":
                await updater.reject(self._words(updater, "Not my department."))
            case "words":
                await updater.complete(self._words(updater, "Said at the end."))
            case "table":
                await updater.add_artifact([new_data_part({"rows": 2})], artifact_id="t", name="Table", last_chunk=True)
                await updater.complete()
            case _:
                await updater.add_artifact([new_text_part("One, ")], artifact_id="a")
                if text == "slow":
                    self.reached.set()
                    await self.open.wait()
                await updater.add_artifact([new_text_part("two.")], artifact_id="a", append=True, last_chunk=True)
                await updater.complete()

    async def _answered(self, updater: TaskUpdater, text: str) -> None:
        await updater.add_artifact([new_text_part(f"{text} it is.")], artifact_id="b")
        await updater.complete()

    def _words(self, updater: TaskUpdater, text: str) -> pb.Message:
        return updater.new_agent_message([new_text_part(text)])


class Elsewhere:
    """An ASGI app that speaks one binding; its card is made when it is asked for, at whatever port it came to."""

    def __init__(self, executor: Executor, *, binding: str = "JSONRPC", streaming: bool = True) -> None:
        self.executor = executor
        self._binding = binding
        self._streaming = streaming
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None and scope["type"] == "http":
            host, port = scope["server"]
            self._app = self._made(f"http://{host}:{port}")
        if scope["type"] == "http":
            await self._app(scope, receive, send)
        elif scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})

    def _made(self, base: str) -> Starlette:
        place = pb.AgentInterface(url=f"{base}/a2a", protocol_binding=self._binding, protocol_version="1.0")
        card = pb.AgentCard(
            name="Elsewhere",
            description="Does what it is told.",
            version="1",
            supported_interfaces=[place],
            capabilities=pb.AgentCapabilities(streaming=self._streaming),
            default_input_modes=["text/plain"],
            default_output_modes=["text/plain"],
        )
        handler = DefaultRequestHandler(self.executor, InMemoryTaskStore(), card)
        spoken = (
            create_jsonrpc_routes(handler, "/a2a")
            if self._binding == "JSONRPC"
            else create_rest_routes(handler, path_prefix="/a2a")
        )
        return Starlette(routes=[*create_agent_card_routes(card), *spoken])
