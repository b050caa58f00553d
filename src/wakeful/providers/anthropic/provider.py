"""Models behind an Anthropic messages endpoint."""

from __future__ import annotations

from wakeful.contracts.model import ModelRequest
from wakeful.providers.anthropic.prompt import encode_prompt
from wakeful.providers.anthropic.reply import MessageReply
from wakeful.providers.call_ids import CallIds
from wakeful.providers.http import Question
from wakeful.providers.sources import Citations
from wakeful.providers.vendor import VendorProvider

VERSION = "2023-06-01"


class AnthropicProvider(VendorProvider):
    """Asks `POST {base_url}/v1/messages`, streaming (Anthropic API reference, version 2023-06-01)."""

    VENDOR = "anthropic"
    HOME = "https://api.anthropic.com"
    KEY_VARIABLE = "ANTHROPIC_API_KEY"

    def question(self, request: ModelRequest) -> Question:
        """The request as messages."""
        body = encode_prompt(request, provider=self.name)
        return Question("/v1/messages", body, MessageReply(self._failures, CallIds(request), Citations(request)))

    def identify(self, api_key: str | None) -> dict[str, str]:
        """Anthropic's own key header, and the version of the wire."""
        return {"anthropic-version": VERSION, **({"x-api-key": api_key} if api_key else {})}
