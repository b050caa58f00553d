"""Agent cards: what an agent is, where it answers and how to prove who asks (A2A 1.0, section 8).

A client that does not say it speaks 1.0 finds the fields of 0.3 beside those of 1.0. The public card never shows
instructions or tools; the extended one, for known callers only, has a skill per tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from urllib.parse import quote

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import ToolSpec
from wakeful.protocols.a2a.decode import OUTPUT_MODES

PREFIX = "/v1/a2a"
INPUT_MODES = ("text/plain", "application/json", "image/*", "audio/*", "video/*", "application/pdf", "text/markdown")
SCHEME = "bearer"


def card(
    agent: AgentSpec,
    *,
    base_url: str,
    tenant: str | None,
    guarded: bool,
    delegates: Sequence[AgentSpec] = (),
    tools: Sequence[ToolSpec] = (),
) -> JsonObject:
    """The card of an agent at `base_url` (without a slash at its end), in 1.0.

    `tenant` is its name in paths, None for the server's default agent; `guarded`: callers need a token.
    """
    place = f"/{quote(tenant, safe='')}" if tenant else ""
    url = f"{base_url}{PREFIX}{place}"
    bindings = (("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3"), ("HTTP+JSON", "0.3"))
    shown: JsonObject = {
        "name": agent.id,
        "description": agent.description or f"The agent {agent.id}.",
        "version": version("wakeful"),
        "supportedInterfaces": [
            {"url": url, "protocolBinding": binding, "protocolVersion": number} for binding, number in bindings
        ],
        "capabilities": {"streaming": True, "pushNotifications": True, "extendedAgentCard": guarded},
        "defaultInputModes": list(INPUT_MODES),
        "defaultOutputModes": list(OUTPUT_MODES),
        "skills": [_skill(agent), *(_skill(one) for one in delegates), *(_tool_skill(tool) for tool in tools)],
    }
    if guarded:
        shown["securitySchemes"] = {SCHEME: {"httpAuthSecurityScheme": {"scheme": "Bearer"}}}
        shown["securityRequirements"] = [{"schemes": {SCHEME: {"list": []}}}]
    return shown


def with_legacy(shown: JsonObject) -> JsonObject:
    """The same with what clients of 0.3 look for."""
    url = shown["supportedInterfaces"][0]["url"]
    legacy: JsonObject = {
        **shown,
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3.0",
        "additionalInterfaces": [{"url": url, "transport": binding} for binding in ("JSONRPC", "HTTP+JSON")],
    }
    if "securitySchemes" in shown:
        scheme = {**shown["securitySchemes"][SCHEME], "type": "http", "scheme": "Bearer"}
        legacy["securitySchemes"] = {SCHEME: scheme}
        legacy["security"] = [{SCHEME: []}]
        legacy["supportsAuthenticatedExtendedCard"] = True
    return legacy


def tag(body: bytes) -> str:
    """A strong validator of a card (RFC 9110, section 8.8.3): equal for equal cards, in any process."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def matches(header: str | None, found: str) -> bool:
    """Whether an If-None-Match header names this tag: in a list, weakly, or as `*`."""
    if header is None:
        return False
    sent = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in sent or found in sent


def encoded(shown: JsonObject) -> bytes:
    """A card as bytes, the same for the same card."""
    return msgspec.json.encode(shown)


def _skill(agent: AgentSpec) -> JsonObject:
    description = agent.description or f"Answers as {agent.id}."
    return {"id": agent.id, "name": agent.id, "description": description, "tags": ["agent"]}


def _tool_skill(tool: ToolSpec) -> JsonObject:
    return {"id": f"tool:{tool.name}", "name": tool.name, "description": tool.description, "tags": ["tool"]}
