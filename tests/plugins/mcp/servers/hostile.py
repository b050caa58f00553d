"""A server that misbehaves, written by hand: `python hostile.py <how>`; it greets like one of revision 2025-11-25."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

SEEN: list[Any] = []
GOOD = {"name": "good", "description": "Good.", "inputSchema": {"type": "object"}}


def write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}]}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


def bomb() -> dict[str, Any]:
    """Small, and of 2^40 subschemas once its references are followed."""
    layers = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    root = {"$ref": "#/$defs/d0"}
    return {"type": "object", "properties": {"x": root}, "$defs": {**layers, "d40": {"type": "string"}}}


LIES: list[Any] = [
    GOOD,
    {"name": "no_schema", "description": "Lies."},
    {"name": "a_list", "inputSchema": ["object"]},
    {"name": "no_object", "inputSchema": {"type": "string"}},
    {"name": "no_json_schema", "inputSchema": {"type": "object", "properties": {"x": {"type": "nope"}}}},
    {"name": "deep", "inputSchema": deep(60)},
    {"name": "large", "inputSchema": {"type": "object", "description": "x" * 100_000}},
    {"name": "elsewhere", "inputSchema": {"$schema": "http://127.0.0.1:9/json-schema.org/x", "type": "object"}},
    {"name": "fetches", "inputSchema": {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/x"}}}},
    {"name": "bomb", "inputSchema": bomb()},
    {"name": "again", "inputSchema": {"type": "object", "properties": {"x": {"$ref": "#"}}}},
    {"name": "talks", "description": "Do\x1b[2J it\u202e.\x00" + "y" * 10_000, "inputSchema": {"type": "object"}},
    {"name": "good", "description": "A second one.", "inputSchema": {"type": "object"}},
    {"name": "", "inputSchema": {"type": "object"}},
    "nothing",
]


def flood(_: dict[str, Any]) -> None:
    while True:
        write({"method": "notifications/tools/list_changed"})


def endless(_: dict[str, Any]) -> None:
    while True:
        sys.stdout.write("x" * 65_536)
        sys.stdout.flush()


def garbage(_: dict[str, Any]) -> None:
    while True:
        sys.stdout.write("this is no JSON\n")
        sys.stdout.flush()


def silence(_: dict[str, Any]) -> None:
    """No answer, now or ever."""


def close_stdout(_: dict[str, Any]) -> None:
    os.close(1)
    sys.stdin.read()


def misfit(message: dict[str, Any]) -> None:
    write({"id": message["id"], "result": {"content": [{"type": "text"}, 7]}})


def huge(message: dict[str, Any]) -> None:
    write({"id": message["id"], "result": text("z" * 2_000_000)})


def linger(message: dict[str, Any]) -> None:
    """Answers with the id of a child that holds the pipes and ignores being told to end, as this process does."""
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('.', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    write({"id": message["id"], "result": text(f"{os.getpid()} {child.pid}")})


def samples(message: dict[str, Any]) -> None:
    write({"id": "s", "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}})
    answer = json.loads(sys.stdin.readline())
    write({"id": message["id"], "result": text(json.dumps(answer.get("error", {}).get("message")))})


def freeze(_: dict[str, Any]) -> None:
    time.sleep(60)


def pages(message: dict[str, Any]) -> None:
    """Wants a page opened, and is content when it is called again."""
    SEEN.append(message["id"])
    page = {"mode": "url", "message": "Sign in.", "url": "https://login.example/", "elicitationId": "e1"}
    error = {"code": -32042, "message": "URL elicitation required", "data": {"elicitations": [page]}}
    write({"id": message["id"], "error": error} if len(SEEN) == 1 else {"id": message["id"], "result": text("in")})


def lists(message: dict[str, Any]) -> None:
    write({"id": message["id"], "result": text("fine")})


def promised(message: dict[str, Any]) -> None:
    """Gives what it is told to give, which is not always what its outputSchema says."""
    arguments = message["params"]["arguments"]
    given = {"structuredContent": arguments["give"]} if "give" in arguments else {}
    failed = {"isError": True} if arguments.get("fail") else {}
    write({"id": message["id"], "result": {**text("words"), **given, **failed}})


PROMISE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
PROMISES = [
    {**GOOD, "name": "honest", "outputSchema": PROMISE},
    {
        **GOOD,
        "name": "fetches",
        "outputSchema": {"type": "object", "properties": {"n": {"$ref": "http://127.0.0.1:9/x"}}},
    },
    {**GOOD, "name": "recursive", "outputSchema": {"type": "object", "properties": {"n": {"$ref": "#"}}}},
    {**GOOD, "name": "bomb", "outputSchema": bomb()},
    {**GOOD, "name": "deep", "outputSchema": deep(60)},
    {**GOOD, "name": "nonsense", "outputSchema": {"type": "nope"}},
]

CALLS: dict[str, Callable[[dict[str, Any]], None]] = {
    "flood": flood,
    "endless": endless,
    "garbage": garbage,
    "silence": silence,
    "close_stdout": close_stdout,
    "misfit": misfit,
    "huge": huge,
    "linger": linger,
    "samples": samples,
    "freeze": freeze,
    "pages": pages,
    "lies": lists,
    "promised": promised,
    "many": lists,
}


def tools(how: str) -> list[Any]:
    if how == "lies":
        return LIES
    if how == "promised":
        return PROMISES
    if how == "many":
        return [{**GOOD, "name": f"tool{n}"} for n in range(300)]
    return [GOOD]


def main(how: str) -> None:
    if how == "linger":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in iter(sys.stdin.readline, ""):
        message = json.loads(line)
        match message.get("method"):
            case "initialize":
                served = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {"listChanged": True}}}
                write({"id": message["id"], "result": {**served, "serverInfo": {"name": "h", "version": "1"}}})
            case "server/discover":
                write({"id": message["id"], "error": {"code": -32601, "message": "Method not found"}})
            case "tools/list":
                write({"id": message["id"], "result": {"tools": tools(how)}})
            case "tools/call":
                CALLS[how](message)
            case "ping":
                write({"id": message["id"], "result": {}})
            case _:
                pass
    if how == "linger":
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
