"""The JSON values that travel through messages, tools and events."""

from __future__ import annotations

from typing import Any

# A recursive alias is refused by msgspec's decoder, so the leaves are `Any`; decoders produce nothing but JSON.
JsonValue = Any
JsonObject = dict[str, Any]
