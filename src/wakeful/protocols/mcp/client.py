"""Who asks over MCP, in which era, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp.wire import LATEST_LEGACY, MODERN, as_object
from wakeful.server.auth import Principal

TASKS = "io.modelcontextprotocol/tasks"
LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The other side of one request. `log_level` is the least important kind of log message it wants, None: none."""

    principal: Principal
    version: str
    capabilities: JsonObject
    log_level: LogLevel | None = None

    @property
    def modern(self) -> bool:
        """Whether every request of it stands for itself."""
        return self.version == MODERN

    @property
    def elicits(self) -> bool:
        """Whether it can show its user a form; an empty capability means forms."""
        found = self.capabilities.get("elicitation")
        return isinstance(found, dict) and (not found or "form" in found)

    @property
    def visits(self) -> bool:
        """Whether it can send its user to a page (MCP 2025-11-25 and later, elicitation, URL mode)."""
        found = self.capabilities.get("elicitation")
        return self.version in (MODERN, LATEST_LEGACY) and isinstance(found, dict) and "url" in found

    @property
    def answers_requests(self) -> bool:
        """Whether questions are asked of it by requests on the stream of their call."""
        return not self.modern and (self.elicits or self.visits)

    @property
    def may_ask_for_tasks(self) -> bool:
        """Whether its calls may ask to be tasks (MCP 2025-11-25, tasks)."""
        return self.version == LATEST_LEGACY

    @property
    def knows_tasks(self) -> bool:
        """Whether it declared the extension for tasks (MCP 2026-07-28)."""
        found = self.capabilities.get("extensions")
        return self.modern and isinstance(found, dict) and TASKS in found


def level_of(value: JsonValue) -> LogLevel | None:
    """The level of this name, None when there is none."""
    return next((level for level in LEVELS if level == value), None)


def capabilities_of(value: JsonValue) -> JsonObject:
    """The capabilities a client sent, empty unless they are an object."""
    return as_object(value) or {}
