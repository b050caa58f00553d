"""Reads along what a server and its clients say to each other, and has every message of both sides judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.protocols.mcp import judge
from tests.protocols.mcp.judge import LEGACY, version_of

PATH = "/v1/mcp"


def messages(text: str) -> list[tuple[str | None, dict[str, Any] | None]]:
    """The frames of a stream: their ids and what they say; None is a frame that only has an id."""
    found: list[tuple[str | None, dict[str, Any] | None]] = []
    for part in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id"), json.loads(fields["data"]) if fields["data"].strip() else None))
    return found


class Traffic:
    """What was said between servers of one store and their clients.

    A message that the server refuses is judged by the refusal only; whatever it takes has to fit.
    """

    def __init__(self) -> None:
        self.judged = 0
        self.faults: list[str] = []
        self._sent: dict[tuple[str, Any], tuple[str, str]] = {}
        self._told: dict[Any, str] = {}

    def sent(self, message: Any, *, session: str = "", refused: bool = False) -> None:
        """A client's message, once it is known whether the server took it."""
        if not isinstance(message, dict):
            assert refused, f"no message, but taken: {message!r}"
            return
        if "method" in message and "id" in message:
            self._sent[session, str(message["id"])] = (version_of(message), message["method"])
        if refused:
            return
        if "method" in message:
            self._judge(judge.judge_sent, version_of(message), message)
        elif isinstance(message.get("id"), str | int) and message["id"] in self._told:
            self._judge(judge.judge_reply, LEGACY, self._told[message["id"]], message)

    def told(self, message: dict[str, Any], *, session: str = "", version: str = LEGACY) -> None:
        """A message of the server, in the stream of a request of this version."""
        if "method" in message:
            if "id" in message:
                self._told[message["id"]] = message["method"]
            self._judge(judge.judge_told, version, message)
            return
        spoken, method = self._sent.get((session, str(message.get("id"))), (version, ""))
        self._judge(judge.judge_answer, spoken, method, message)

    def assert_all_fits(self) -> None:
        """Fails with what did not fit."""
        assert not self.faults, "\n".join(self.faults)

    def _judge(self, by: Callable[..., None], *said: Any) -> None:
        self.judged += 1
        try:
            by(*said)
        except (AssertionError, KeyError) as fault:
            self.faults.append(f"{by.__name__}{said[:-1]}: {fault!r} in {json.dumps(said[-1])}")


class Tap:
    """An application behind which another one answers; notes what goes in and out of its MCP endpoint."""

    def __init__(self, app: Any, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope)

        async def hearing() -> Any:
            message = await receive()
            exchange.body += message.get("body", b"")
            return message

        async def telling(message: Any) -> None:
            exchange.note(message)
            await send(message)

        try:
            await self._app(scope, hearing, telling)
        finally:
            exchange.judge(self._traffic)


class _Exchange:
    """One request over HTTP and its answer."""

    def __init__(self, scope: Any) -> None:
        self.body = b""
        self._headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        self._status = 0
        self._streams = False
        self._answer = b""

    def note(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            self._status = message["status"]
            self._streams = headers.get(b"content-type", b"").startswith(b"text/event-stream")
            self._headers.setdefault("mcp-session-id", headers.get(b"mcp-session-id", b"").decode())
        else:
            self._answer += message.get("body", b"")

    def judge(self, traffic: Traffic) -> None:
        session, sent = self._headers.get("mcp-session-id", ""), self._sent()
        told = self._told()
        if self.body and self._status:
            refused = self._status >= 400 or any("error" in one for one in told)
            traffic.sent(sent, session=session, refused=refused)
        version = version_of(sent) if isinstance(sent, dict) and isinstance(sent.get("params"), dict) else LEGACY
        for message in told:
            traffic.told(message, session=session, version=version)

    def _sent(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def _told(self) -> list[dict[str, Any]]:
        text = self._answer.decode()
        if self._streams:
            whole = text[: text.rfind("\n\n") + 2]
            return [message for _, message in messages(whole) if message is not None]
        found = json.loads(text) if text else None
        return [found] if isinstance(found, dict) and "jsonrpc" in found else []
