"""Tools of all three effects, and the side file in which each notes that it ran: what a kill cannot take back."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wakeful.contracts.tool import ToolContext
from wakeful.sdk.tool import tool

ONCE = frozenset({"pay", "sign"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One time that a tool began to run."""

    tool: str
    call: str
    key: str


class Ledger:
    """The side file. Lines are appended in one write each, which survives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, name: str, context: ToolContext) -> None:
        """Write that a call runs now."""
        line = json.dumps([name, context.call_id, context.idempotency_key]) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def entries(self) -> list[Entry]:
        """Everything noted."""
        text = self._path.read_text("utf-8") if self._path.exists() else ""
        return [Entry(*json.loads(line)) for line in text.splitlines()]


def tools(ledger: Ledger, pause: float) -> Sequence[Callable[..., Any]]:
    """`look_up` is pure, `reserve` idempotent, `pay` runs once, `sign` too and asks first; all take `pause` seconds."""

    async def work(name: str, context: ToolContext, item: str) -> dict[str, str]:
        ledger.note(name, context)
        await asyncio.sleep(pause)
        return {"did": name, "item": item}

    @tool(effect="pure")
    async def look_up(context: ToolContext, item: str) -> dict[str, str]:
        return await work("look_up", context, item)

    @tool(effect="idempotent")
    async def reserve(context: ToolContext, item: str) -> dict[str, str]:
        return await work("reserve", context, item)

    @tool(effect="once")
    async def pay(context: ToolContext, item: str) -> dict[str, str]:
        return await work("pay", context, item)

    @tool(effect="once", approval=True)
    async def sign(context: ToolContext, item: str) -> dict[str, str]:
        return await work("sign", context, item)

    return look_up, reserve, pay, sign
