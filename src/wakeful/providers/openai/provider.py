"""Models behind an OpenAI chat completions endpoint."""

from __future__ import annotations

from wakeful.contracts.model import ModelRequest
from wakeful.providers.call_ids import CallIds
from wakeful.providers.http import Question
from wakeful.providers.openai.prompt import encode_prompt
from wakeful.providers.openai.reply import ChatReply
from wakeful.providers.sources import Citations
from wakeful.providers.vendor import VendorProvider


class OpenAIProvider(VendorProvider):
    """Asks `POST {base_url}/chat/completions`, streaming (OpenAI API reference, "Chat completions")."""

    VENDOR = "openai"
    HOME = "https://api.openai.com/v1"
    KEY_VARIABLE = "OPENAI_API_KEY"

    def question(self, request: ModelRequest) -> Question:
        """The request as a chat completion."""
        body = encode_prompt(request, at_openai=self._at_home)
        return Question("/chat/completions", body, ChatReply(self._failures, CallIds(request), Citations(request)))
