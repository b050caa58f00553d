"""An MCP server of revision 2025-11-25, written by hand: `python plain.py [how]`. Its secret is the variable TOKEN."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("about", "wait", "die")]


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def call(id: Any, name: str) -> None:
    if name == "die":
        os._exit(1)
    if name == "about":
        about = {
            "pid": os.getpid(),
            "cwd": str(Path.cwd()),
            "args": sys.argv[1:],
            "knows": len(os.environ.get("TOKEN", "")),
        }
        say(id=id, result={"content": [{"type": "text", "text": json.dumps(about)}]})


def main(how: str) -> None:
    if how == "mute":
        sys.stdin.read()
    if how == "noisy":
        print("my token is", os.environ["TOKEN"], file=sys.stderr, flush=True)
        return
    for line in iter(sys.stdin.readline, ""):
        message = json.loads(line)
        match message.get("method"):
            case "initialize":
                served = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
                say(id=message["id"], result={**served, "serverInfo": {"name": "plain", "version": "1"}})
            case "tools/list":
                say(id=message["id"], result={"tools": TOOLS})
            case "tools/call":
                call(message["id"], message["params"]["name"])
            case _ if "id" in message:
                say(id=message["id"], error={"code": -32601, "message": "Method not found"})
            case _:
                pass


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
