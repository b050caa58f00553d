"""The envelope of a 2026-07-28 request: what `_meta` must say, and the headers that repeat it (Streamable HTTP)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from wakeful.contracts.json import JsonObject
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import Client, capabilities_of, level_of
from wakeful.server.auth import Principal

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
LEVEL_KEY = "io.modelcontextprotocol/logLevel"
VERSION_HEADER = "mcp-protocol-version"
METHOD_HEADER = "mcp-method"
NAME_HEADER = "mcp-name"
ROUTING = frozenset({VERSION_HEADER, METHOD_HEADER, NAME_HEADER})
NAMED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
BASE64 = re.compile(r"=\?base64\?(.*)\?=")


def check_version(spoken: str) -> None:
    """Raise `Refused` for a version that this server does not speak."""
    if spoken not in wire.SUPPORTED:
        raise wire.Refused(
            wire.UNSUPPORTED_VERSION,
            f"expected protocol version {', '.join(wire.SUPPORTED)}; found {spoken!r}",
            data={"supported": list(wire.SUPPORTED), "requested": spoken},
        )


def speaks_modern(message: wire.Received, header: str | None) -> bool:
    """Whether a message is of the new era: its header says so, or its `_meta` has a version."""
    if header is not None and header not in wire.LEGACY:
        return True
    return not isinstance(message, wire.Reply) and VERSION_KEY in wire.object_of(message.params, "_meta")


def read(principal: Principal, call: wire.Call) -> Client:
    """Who sent a request of the new era, by its `_meta`. Raises `Refused`."""
    meta = wire.object_of(call.params, "_meta")
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in meta]
    if missing:
        raise wire.Refused(wire.INVALID_PARAMS, f"expected params._meta to have {' and '.join(missing)}")
    spoken, capabilities = meta[VERSION_KEY], meta[CAPABILITIES_KEY]
    if not isinstance(spoken, str) or not isinstance(capabilities, dict):
        raise wire.Refused(wire.INVALID_PARAMS, f"expected a text in {VERSION_KEY}, an object in {CAPABILITIES_KEY}")
    check_version(spoken)
    if spoken != wire.MODERN:
        raise wire.Refused(
            wire.UNSUPPORTED_VERSION,
            f"version {spoken} begins with initialize and has no {VERSION_KEY}; expected {wire.MODERN}",
            data={"supported": list(wire.SUPPORTED), "requested": spoken},
        )
    return Client(
        principal=principal,
        version=spoken,
        capabilities=capabilities_of(capabilities),
        log_level=level_of(meta.get(LEVEL_KEY)),
    )


def check_headers(call: wire.Call, headers: Iterable[tuple[str, str]]) -> None:
    """Raise `Refused` unless the headers say what the body says, each once."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key in ROUTING and key in found:
            raise _mismatch(f"expected one header {key}, found several")
        found[key] = value
    spoken = wire.object_of(call.params, "_meta").get(VERSION_KEY)
    if spoken is None:
        check_version(found.get(VERSION_HEADER, wire.MODERN))
        return  # what is missing from `_meta` is told by `read`
    _check_header(found, VERSION_HEADER, spoken)
    _check_header(found, METHOD_HEADER, call.method)
    named = NAMED.get(call.method)
    if named is not None:
        _check_header(found, NAME_HEADER, call.params.get(named))


def _check_header(headers: Mapping[str, str], name: str, expected: object) -> None:
    sent = headers.get(name)
    if sent is None:
        raise _mismatch(f"expected a header {name} with what the body says, found none")
    if decoded(sent) != expected:
        raise _mismatch(f"expected the header {name} to say what the body says, found {sent!r}")


def decoded(value: str) -> str | None:
    """A header's value, which may be text in base64 as `=?base64?...?=`; None when that cannot be read."""
    sealed = BASE64.fullmatch(value)
    if sealed is None:
        return value
    try:
        raw = base64.b64decode(sealed[1], validate=True)
        return raw.decode() if base64.b64encode(raw).decode() == sealed[1] else None
    except (binascii.Error, UnicodeError):
        return None


def meta_of(params: JsonObject) -> JsonObject:
    """The `_meta` of a request, empty when it has none."""
    return wire.object_of(params, "_meta")


def completed(client: Client, result: JsonObject) -> JsonObject:
    """A result as the client's era has it: in the new one it says what it is and who made it."""
    if not client.modern:
        return result
    meta = wire.object_of(result, "_meta")
    return {"resultType": "complete", **result, "_meta": {**meta, SERVER_KEY: server_info()}}


def server_info() -> JsonObject:
    """This server's name and version."""
    return {"name": "wakeful", "title": "Wakeful", "version": version("wakeful")}


def _mismatch(message: str) -> wire.Refused:
    return wire.Refused(wire.HEADER_MISMATCH, message)
