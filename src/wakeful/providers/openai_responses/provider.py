"""Models behind an OpenAI responses endpoint."""

from __future__ import annotations

from wakeful.contracts.model import ModelRequest
from wakeful.providers.call_ids import CallIds
from wakeful.providers.http import Question
from wakeful.providers.openai_responses.prompt import encode_prompt
from wakeful.providers.openai_responses.reply import ResponsesReply
from wakeful.providers.sources import Citations
from wakeful.providers.vendor import VendorProvider


class OpenAIResponsesProvider(VendorProvider):
    """Asks `POST {base_url}/responses`, streaming and storing nothing (OpenAI API reference, "Responses")."""

    VENDOR = "openai-responses"
    HOME = "https://api.openai.com/v1"
    KEY_VARIABLE = "OPENAI_API_KEY"

    def question(self, request: ModelRequest) -> Question:
        """The request as a response to create."""
        body = encode_prompt(request, provider=self.name)
        return Question("/responses", body, ResponsesReply(self._failures, CallIds(request), Citations(request)))
