"""`completion/complete`: suggests values for arguments of prompts and variables of resource templates."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.contracts.exposure import Complete
from wakeful.contracts.json import JsonObject
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.resources import OWN_VARIABLES
from wakeful.server.operations import Operations

MOST = 100
"""Values that one answer may hold."""


class Completion:
    """Asks the completers of the author. What has none is answered with no values."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def complete(self, params: JsonObject) -> JsonObject:
        """The best hundred values. Raises `Refused` for what is not offered, or is no argument of it."""
        ref, argument = wire.object_of(params, "ref"), wire.object_of(params, "argument")
        name, typed = argument.get("name"), argument.get("value")
        if not isinstance(name, str) or not isinstance(typed, str):
            raise wire.Refused(wire.INVALID_PARAMS, "expected params.argument to have a 'name' and a 'value', texts")
        completer = self._completer(ref, name)
        others = _settled(wire.object_of(params, "context"))
        values = [] if completer is None else list(await completer(typed, others))
        return {"completion": {"values": values[:MOST], "total": len(values), "hasMore": len(values) > MOST}}

    def _completer(self, ref: JsonObject, name: str) -> Complete | None:
        offered = self._offered(ref)
        if name not in offered:
            raise wire.Refused(
                wire.INVALID_PARAMS, f"there is no argument {name!r}; available: {', '.join(offered) or 'none'}"
            )
        return offered[name]

    def _offered(self, ref: JsonObject) -> Mapping[str, Complete | None]:
        """The arguments of a prompt, or the variables of a template, with what completes them."""
        exposure = self._operations.exposure
        prompt = exposure.prompts.get(str(ref.get("name"))) if ref.get("type") == "ref/prompt" else None
        if prompt is not None:
            return {one.name: one.complete for one in prompt.arguments}
        uri = str(ref.get("uri")) if ref.get("type") == "ref/resource" else ""
        if uri in exposure.resources:
            found = exposure.resources[uri]
            return {variable: found.complete.get(variable) for variable in found.variables}
        if uri in OWN_VARIABLES:
            return {OWN_VARIABLES[uri]: None}
        raise wire.Refused(
            wire.INVALID_PARAMS, "expected params.ref to name an offered prompt (ref/prompt) or URI (ref/resource)"
        )


def _settled(context: JsonObject) -> dict[str, str]:
    try:
        return msgspec.convert(context.get("arguments") or {}, dict[str, str])
    except msgspec.ValidationError:
        raise wire.Refused(wire.INVALID_PARAMS, "expected params.context.arguments to be texts by name") from None
