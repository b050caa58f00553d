"""Reads along what a server and its clients say to each other, and has every message of both sides judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Sent:
    """A client's message, and whether the server refused it."""

    message: Any
    session: str
    refused: bool


@dataclass(frozen=True)
class Told:
    """A server's message, in the stream of a request of this version, where it is known."""

    message: dict[str, Any]
    session: str
    version: str
    request: dict[str, Any] | None


class Traffic:
    """What was said between servers of one store and their clients.

    A message that the server refuses is judged by the refusal only; whatever it takes has to fit. All is judged when
    it is asked for: what a message answers may be noted after it.
    """

    def __init__(self) -> None:
        self.said: list[Sent | Told] = []
        self.complete = True
        """Whether whatever the server writes is sent: nobody leaves early, or gives a call up."""

    def sent(self, message: Any, *, session: str = "", refused: bool = False) -> None:
        """A client's message, once it is known whether the server took it."""
        self.said.append(Sent(message, session, refused))

    def told(self, message: dict[str, Any], *, session: str = "", version: str = LEGACY, request: Any = None) -> None:
        """A message of the server, perhaps the answer to a known request."""
        self.said.append(Told(message, session, version, request))

    @property
    def judged(self) -> int:
        """How many messages were judged."""
        return sum(1 for one in self.said if isinstance(one, Told) or not one.refused)

    @property
    def faults(self) -> list[str]:
        """What does not fit, and why."""
        asked: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
        questions: dict[Any, str] = {}
        for one in self.said:
            message = one.message
            if isinstance(message, dict) and "method" in message and "id" in message:
                if isinstance(one, Sent):
                    asked[one.session, str(message["id"])] = (version_of(message), message)
                else:
                    questions[message["id"]] = message["method"]
        return [fault for one in self.said if (fault := _fault(one, asked, questions))]

    def assert_all_fits(self) -> None:
        """Fails with what did not fit."""
        assert not self.faults, "\n".join(self.faults)

    def count(self, by: type[Sent | Told]) -> Counter[str]:
        """What one side said, each message as often as it was said."""
        return Counter(canonical(one.message) for one in self.said if isinstance(one, by))


def canonical(message: Any) -> str:
    """A message as a text that is the same for equal ones."""
    return json.dumps(message, sort_keys=True)


def _fault(one: Sent | Told, asked: Mapping[Any, tuple[str, dict[str, Any]]], questions: Mapping[Any, str]) -> str:
    message = one.message
    try:
        if isinstance(one, Told):
            if "method" in message:
                judge.judge_told(one.version, message)
            else:
                request = asked.get((one.session, str(message.get("id"))), (one.version, {}))
                if one.request is not None:
                    request = version_of(one.request), one.request
                judge.judge_answer(*request, message)
        elif not one.refused:
            if "method" in message:
                judge.judge_sent(version_of(message), message)
            else:
                judge.judge_reply(LEGACY, questions.get(message["id"], "elicitation/create"), message)
    except (AssertionError, KeyError, TypeError) as fault:
        return f"{type(one).__name__}: {fault!r} in {json.dumps(message)}"
    return ""


class Tap:
    """An application behind which another one answers; notes what goes in and out of its MCP endpoint."""

    def __init__(self, app: Any, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope)

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


class Exchange:
    """One request over HTTP and its answer."""

    def __init__(self, scope: Any) -> None:
        self.body = b""
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._status = 0
        self._streams = False
        self._answer = b""
        self._ended = False

    def note(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            self._status = message["status"]
            self._streams = headers.get(b"content-type", b"").startswith(b"text/event-stream")
            self._headers.setdefault("mcp-session-id", headers.get(b"mcp-session-id", b"").decode())
        else:
            self._answer += message.get("body", b"")
            self._ended = not message.get("more_body", False)

    def judge(self, traffic: Traffic) -> None:
        """Note what was said; what the server was about to say when its client left is not known."""
        traffic.complete = traffic.complete and self._ended
        session, sent = self._headers.get("mcp-session-id", ""), self._sent()
        told = self._told()
        if self.body and self._status:
            refused = self._status >= 400 or any("error" in one for one in told)
            traffic.sent(sent, session=session, refused=refused)
        version = version_of(sent) if isinstance(sent, dict) and isinstance(sent.get("params"), dict) else LEGACY
        for message in told:
            answered = isinstance(sent, dict) and "method" in sent and sent.get("id") == message.get("id")
            traffic.told(message, session=session, version=version, request=sent if answered else None)

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
