"""Serves, or stands in a pipe, writes down all that is said over MCP, and judges it as the Python tests do.

`judged.py serve RECORD PORT` serves `agents.py`; `judged.py pipe RECORD COMMAND...` runs a server behind pipes;
`judged.py judge RECORD` says how many messages there were, and fails for one that does not fit the protocol's types.
A record is written message by message, so that it is whole up to the moment in which its server is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.protocols.mcp.judge import version_of
from tests.protocols.mcp.traffic import PATH, Exchange, Traffic


class Record:
    """A file to which several processes may append lines."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def add(self, **line: Any) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


class Recorder:
    """An application behind which another one answers; writes down the requests to its MCP endpoint."""

    def __init__(self, app: Any, record: Record) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        exchange = str(uuid.uuid4())
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
        self._record.add(exchange=exchange, headers=headers)

        async def hearing() -> Any:
            message = await receive()
            if message.get("body"):
                self._record.add(exchange=exchange, heard=message["body"].decode("latin-1"))
            return message

        async def telling(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [[name.decode(), value.decode("latin-1")] for name, value in message["headers"]]
                self._record.add(exchange=exchange, status=message["status"], headers=headers)
            else:
                told, more = message.get("body", b"").decode("latin-1"), message.get("more_body", False)
                self._record.add(exchange=exchange, told=told, more=more)
            await send(message)

        await self._app(scope, hearing, telling)


def serve(path: str, port: str) -> None:
    """Serve what `agents.py` has."""
    import uvicorn
    from agents import runtime

    from wakeful.embed import AgentServer

    app = Recorder(AgentServer(runtime).app, Record(path))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


def pipe(path: str, *command: str) -> int:
    """Run a server, pass on what it and its client say, and end as it does."""
    record, name = Record(path), str(uuid.uuid4())
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def copy(side: str, source: BinaryIO, sink: BinaryIO) -> None:
        try:
            for line in iter(source.readline, b""):
                record.add(pipe=name, side=side, line=line.decode())
                sink.write(line)
                sink.flush()
        except OSError:
            pass  # the other side is gone
        finally:
            sink.close()

    threading.Thread(target=copy, args=("client", sys.stdin.buffer, child.stdin), daemon=True).start()
    copy("server", child.stdout, sys.stdout.buffer)
    return child.wait()


def judge(path: str) -> None:
    """Judge a record."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in Path(path).read_text().splitlines():
        entry = json.loads(line)
        groups[entry.get("exchange") or entry["pipe"]].append(entry)
    http = Traffic()
    pipes: list[Traffic] = []
    for entries in groups.values():
        if "pipe" in entries[0]:
            pipes.append(_piped(entries))
        else:
            _exchanged(entries).judge(http)
    for traffic in (http, *pipes):
        traffic.assert_all_fits()
    said = sum(len(traffic.said) for traffic in (http, *pipes))
    assert said, "nothing was said"
    print(f"{said} messages, {sum(traffic.judged for traffic in (http, *pipes))} of them judged by their types")


def _exchanged(entries: Iterable[dict[str, Any]]) -> Exchange:
    first, *rest = entries
    exchange = Exchange({"headers": _encoded(first["headers"])})
    for entry in rest:
        if "heard" in entry:
            exchange.body += entry["heard"].encode("latin-1")
        elif "status" in entry:
            headers = _encoded(entry["headers"])
            exchange.note({"type": "http.response.start", "status": entry["status"], "headers": headers})
        else:
            body = entry["told"].encode("latin-1")
            exchange.note({"type": "http.response.body", "body": body, "more_body": entry["more"]})
    return exchange


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _piped(entries: Iterable[dict[str, Any]]) -> Traffic:
    traffic = Traffic()
    lines = [(entry["side"], json.loads(entry["line"])) for entry in entries if entry["line"].strip()]
    refused = {message["id"] for side, message in lines if side == "server" and "error" in message and "id" in message}
    asked = {message["id"]: message for side, message in lines if side == "client" and "id" in message}
    modern = next((version_of(message) for message in asked.values() if "method" in message), "")
    for side, message in lines:
        if side == "client":
            traffic.sent(message, refused=message.get("id") in refused and "method" in message)
        else:
            answered = asked.get(message.get("id")) if "method" not in message else None
            traffic.told(message, version=modern, request=answered)
    return traffic


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    sys.exit({"serve": serve, "pipe": pipe, "judge": judge}[what](*arguments))
