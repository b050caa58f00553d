"""Judges every message of an agent by the schema of the protocol's Python package, so that none escapes."""

from __future__ import annotations

from typing import Any, Literal

from acp import schema
from pydantic import BaseModel, Field

RESULTS: dict[str, type[BaseModel]] = {
    "initialize": schema.InitializeResponse,
    "session/new": schema.NewSessionResponse,
    "session/load": schema.LoadSessionResponse,
    "session/resume": schema.ResumeSessionResponse,
    "session/list": schema.ListSessionsResponse,
    "session/close": schema.CloseSessionResponse,
    "session/delete": schema.DeleteSessionResponse,
    "session/prompt": schema.PromptResponse,
    "session/set_mode": schema.SetSessionModeResponse,
    "session/set_config_option": schema.SetSessionConfigOptionResponse,
}
REQUESTS: dict[str, type[BaseModel]] = {
    "session/request_permission": schema.RequestPermissionRequest,
    "elicitation/create": schema.CreateFormSessionElicitationRequest,
}
NOTIFICATIONS: dict[str, type[BaseModel]] = {
    "session/update": schema.SessionNotification,
    "$/cancel_request": schema.CancelRequestNotification,
}


class Notice(BaseModel, extra="forbid"):
    """`Notice` as ACP 1 publishes it, with the severities that it names."""

    session_update: Literal["notice"] = Field(alias="sessionUpdate")
    severity: Literal["info", "warning", "error"]
    title: str = Field(min_length=1)
    description: str | None = None


def judge(shape: type[BaseModel], value: Any) -> None:
    """Fails for a member that the schema does not know, or reads as something else.

    The package's schema is older than the published one, by which everything is judged end to end: it knows neither
    notices, whose shape is written down here, nor names of tools.
    """
    if isinstance(update := value.get("update", value.get("toolCall")), dict):
        if update.get("sessionUpdate") == "notice":
            assert value.keys() == {"sessionId", "update"}
            judge(Notice, update)
            return
        assert isinstance(update.get("name", ""), str)
        value = value | {("update" if "update" in value else "toolCall"): {k: update[k] for k in update if k != "name"}}
    read = shape.model_validate(value)
    assert read.model_dump(by_alias=True, mode="json", exclude_unset=True) == value


class Judge:
    """Reads along on one connection. A request has to be announced before its answer can be judged."""

    def __init__(self) -> None:
        self._asked: dict[Any, str] = {}
        self.judged = 0

    def announce(self, id: Any, method: str) -> None:
        """The client asks for something."""
        self._asked[id] = method

    def hear(self, message: Any) -> None:
        """Fails for a message that is not JSON-RPC 2.0, or that the protocol does not know."""
        assert message["jsonrpc"] == "2.0"
        if "method" in message:
            shapes = REQUESTS if "id" in message else NOTIFICATIONS
            assert message.keys() == {"jsonrpc", "method", "params"} | ({"id"} & message.keys())
            judge(shapes[message["method"]], message["params"])
        elif "error" in message:
            assert message.keys() == {"jsonrpc", "id", "error"}
            self._judge_error(message["error"])
        else:
            assert message.keys() == {"jsonrpc", "id", "result"}
            judge(RESULTS[self._asked[message["id"]]], message["result"])
        self.judged += 1

    def _judge_error(self, error: Any) -> None:
        judge(schema.Error, error)
        assert type(error["code"]) is int
        assert isinstance(error["message"], str)
        assert error["message"]
        assert "\n" not in error["message"]
