"""The requests of ACP version 1 and their answers. What a client sends may have more members; those are ignored."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.protocols.acp.wire import AskedCall, ConfigOption, SentBlock, Shape, StopReason

PROTOCOL_VERSION = 1
RequestId = int | str | None


class Incoming(Shape, frozen=True):
    """Any message of a client: a request (`id`, `method`), a notification (no `id`) or a response (no `method`)."""

    jsonrpc: str = ""
    id: RequestId | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"null")
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


# -- what a client asks for


class ElicitationCapabilities(Shape, frozen=True):
    """How the client can ask the user."""

    form: JsonObject | None = None


class SessionCapabilities(Shape, frozen=True):
    """What the client understands of sessions."""

    notices: JsonObject | None = None


class ClientCapabilities(Shape, frozen=True):
    """What the client can do, as far as we use it."""

    elicitation: ElicitationCapabilities | None = None
    session: SessionCapabilities | None = None


class Initialize(Shape, frozen=True):
    """`initialize`; capabilities that cannot be read count as absent, as the schema says."""

    protocol_version: int
    client_capabilities: msgspec.Raw = msgspec.Raw(b"{}")


class Nothing(Shape, frozen=True):
    """Parameters nobody looks at."""


class Authenticate(Shape, frozen=True):
    """`authenticate`."""

    method_id: str


class Setting(Shape, frozen=True):
    """An environment variable or a header. Its value may be a secret."""

    name: str
    value: str

    def __repr__(self) -> str:
        """Without the value."""
        return f"Setting({self.name!r})"


class McpServer(Shape, frozen=True):
    """A server of tools that the client brings; it is never stored.

    `stdio`, which names no type, has `command`, `args` and `env`; `http` and `sse` have `url` and `headers`.
    """

    name: str
    type: str = "stdio"
    command: str = ""
    args: tuple[str, ...] | None = ()
    env: tuple[Setting, ...] | None = ()
    url: str = ""
    headers: tuple[Setting, ...] | None = ()


class NewSession(Shape, frozen=True):
    """`session/new`."""

    cwd: str
    mcp_servers: tuple[McpServer, ...] | None
    additional_directories: tuple[str, ...] | None = ()


class OpenSession(Shape, frozen=True):
    """`session/load` and `session/resume`. Folders that are not named again are none of the session's any more."""

    session_id: str
    cwd: str
    mcp_servers: tuple[McpServer, ...] | None = ()
    additional_directories: tuple[str, ...] | None = ()


class ListSessions(Shape, frozen=True):
    """`session/list`."""

    cwd: str | None = None
    cursor: str | None = None


class OneSession(Shape, frozen=True):
    """`session/close`, `session/delete` and `session/cancel`."""

    session_id: str


class SetMode(Shape, frozen=True):
    """`session/set_mode`."""

    session_id: str
    mode_id: str


class SetOption(Shape, frozen=True):
    """`session/set_config_option`."""

    session_id: str
    config_id: str
    value: Any


class Prompt(Shape, frozen=True):
    """`session/prompt`."""

    session_id: str
    prompt: list[SentBlock]


class CancelRequest(Shape, frozen=True):
    """`$/cancel_request`."""

    request_id: RequestId


# -- what we answer


class Initialized(Shape, frozen=True):
    """Who we are and what we can do."""

    protocol_version: int
    agent_capabilities: JsonObject
    agent_info: JsonObject
    auth_methods: tuple[JsonObject, ...]


class SessionMode(Shape, frozen=True):
    """A mode is an agent."""

    id: str
    name: str
    description: str | None = None


class SessionModes(Shape, frozen=True):
    """The modes there are."""

    current_mode_id: str
    available_modes: list[SessionMode]


class Opened(Shape, frozen=True):
    """What the client needs of a session; `session_id` of a new one only."""

    session_id: str | None = None
    modes: SessionModes | None = None
    config_options: list[ConfigOption] | None = None


class SessionInfo(Shape, frozen=True):
    """A session in a list."""

    session_id: str
    cwd: str
    title: str | None = None
    updated_at: str | None = None
    additional_directories: list[str] | None = None


class Sessions(Shape, frozen=True):
    """One page of sessions."""

    sessions: list[SessionInfo]
    next_cursor: str | None = None


class ChosenOptions(Shape, frozen=True):
    """All choices, after one was made."""

    config_options: list[ConfigOption]


class Done(Shape, frozen=True):
    """The end of a turn."""

    stop_reason: StopReason


class PermissionOption(Shape, frozen=True):
    """One answer to a request for permission."""

    option_id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]


class RequestPermission(Shape, frozen=True):
    """`session/request_permission`, ours to the client."""

    session_id: str
    tool_call: AskedCall
    options: list[PermissionOption]


class PermissionOutcome(Shape, frozen=True):
    """What the user chose: `selected` an option, or `cancelled`."""

    outcome: str
    option_id: str | None = None


class PermissionAnswer(Shape, frozen=True):
    """The client's answer to it."""

    outcome: PermissionOutcome


class Elicit(Shape, frozen=True):
    """`elicitation/create` with a form, ours to the client."""

    session_id: str
    tool_call_id: str
    message: str
    requested_schema: JsonObject
    mode: Literal["form"]


class ElicitAnswer(Shape, frozen=True):
    """The client's answer to it: `accept` with `content`, `decline` or `cancel`."""

    action: str
    content: JsonObject | None = None
