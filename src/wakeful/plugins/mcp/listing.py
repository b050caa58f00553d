"""Turns what a server lists into tools of ours: names, schemas, effects and who has to ask. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wakeful.contracts.tool import Effect, ToolSpec
from wakeful.plugins.mcp.schemas import ArgumentCheck, ResultCheck, SchemaRefused, argument_check, result_check
from wakeful.plugins.mcp.spec import McpServerSpec

if TYPE_CHECKING:
    from mcp.types import Tool as ListedTool

LONGEST_NAME = 64
LONGEST_REMOTE_NAME = 256
LONGEST_DESCRIPTION = 4096


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool of a server: as the model sees it, and what the server calls it."""

    spec: ToolSpec
    remote_name: str
    check: ArgumentCheck
    misfit: ResultCheck
    promises: bool
    """Whether its results are to have structured content, judged by `misfit`."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server offers, by its own order, and why the rest of what it lists is left out."""

    offers: tuple[Offer, ...]
    refused: tuple[str, ...]


def prefix_of(server: McpServerSpec) -> str:
    """What the names of a server's tools begin with."""
    return f"mcp__{server.id}__"


def read_listing(server: McpServerSpec, listed: Sequence[ListedTool]) -> Listing:
    """The tools of `listed` that are allowed and sound; of two with the same name the first counts."""
    allowed: dict[str, ListedTool] = {}
    refused: list[str] = []
    for tool in listed:
        if not 0 < len(tool.name) <= LONGEST_REMOTE_NAME or tool.name in allowed:
            refused.append(f"{plain_text(tool.name, 80)!r}: expected a name of its own of at most 256 characters")
        elif _allowed(server, tool.name):
            allowed[tool.name] = tool
    offers: list[Offer] = []
    for name, tool in zip(tool_names(prefix_of(server), allowed), allowed.values(), strict=True):
        if len(offers) == server.max_tools:
            refused.append(f"{len(allowed) - len(offers)} more: expected at most {server.max_tools} tools")
            break
        try:
            offers.append(_offer(server, name, tool))
        except SchemaRefused as reason:
            refused.append(f"{plain_text(tool.name, 80)!r}: {plain_text(str(reason), 300)}")
    return Listing(tuple(offers), tuple(refused))


def tool_names(prefix: str, remote_names: Iterable[str]) -> list[str]:
    """Names a model vendor takes, one for each, the same whatever the order.

    Characters that are not allowed become `_`; where that makes two names one, or a name is too long, it ends with a
    hash of the original.
    """
    originals = list(remote_names)
    plain = [prefix + re.sub(r"[^a-zA-Z0-9_-]", "_", name) for name in originals]
    uses = Counter(plain)
    return [
        name
        if len(name) <= LONGEST_NAME and (uses[name] == 1 or name == prefix + original)
        else _hashed(name, original)
        for name, original in zip(plain, originals, strict=True)
    ]


def plain_text(text: str, limit: int) -> str:
    """A stranger's text as one that can only be read: no control or invisible characters, bounded in length."""
    kept = "".join(
        character
        for character in text[: 4 * limit]
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _hashed(name: str, original: str) -> str:
    digest = hashlib.sha256(original.encode(errors="replace")).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{digest}"


def _allowed(server: McpServerSpec, name: str) -> bool:
    def fits(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return fits(server.allow) and not fits(server.exclude)


def _offer(server: McpServerSpec, name: str, tool: ListedTool) -> Offer:
    check = argument_check(tool.input_schema)
    description = plain_text(tool.description or tool.title or "", LONGEST_DESCRIPTION)
    return Offer(
        ToolSpec(
            name=name,
            description=description or f"The tool {plain_text(tool.name, 80)} of the MCP server {server.id}.",
            parameters=tool.input_schema,
            effect=_effect(server, tool),
            approval=_asks(server, tool),
            timeout_seconds=server.call_timeout_seconds,
        ),
        tool.name,
        check,
        result_check(tool.output_schema),
        tool.output_schema is not None,
    )


def _effect(server: McpServerSpec, tool: ListedTool) -> Effect:
    hints = tool.annotations
    if not server.trust_annotations or hints is None:
        return "once"
    if hints.read_only_hint:
        return "pure"
    return "idempotent" if hints.idempotent_hint else "once"


def _asks(server: McpServerSpec, tool: ListedTool) -> bool:
    if server.approval != "destructive":
        return server.approval == "always"
    hints = tool.annotations
    harmless = hints is not None and (hints.read_only_hint is True or hints.destructive_hint is False)
    return not (server.trust_annotations and harmless)
