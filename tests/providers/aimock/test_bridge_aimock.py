"""The bridge with pydantic-ai's real model classes, against the mock model server."""

import pytest
from pydantic_ai.models import infer_model
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from wakeful.contracts.event import ReasoningSealed
from wakeful.contracts.message import ReasoningPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import RateLimited
from wakeful.providers.pydantic_ai.provider import PydanticAIProvider

pytestmark = pytest.mark.network

MODELS = ["openai-chat:gpt-5", "openai-responses:gpt-5", "anthropic:claude-sonnet-5"]


@pytest.fixture
async def provider(aimock_url):
    def vendor_of(name: str):
        if name == "anthropic":
            return AnthropicProvider(api_key="mock", base_url=aimock_url)
        return OpenAIProvider(api_key="mock", base_url=f"{aimock_url}/v1")

    bridge = PydanticAIProvider(model_of=lambda name: infer_model(name, vendor_of))
    yield bridge
    await bridge.aclose()


@pytest.mark.parametrize("model", MODELS)
async def test_text_usage_and_a_tool_round_trip(provider, ask, listen, message, model) -> None:
    question = message("user", "weather in Paris and in Rome?")

    counted = await listen(provider, ask("count me", model=model, instructions="Be polite."))
    called = await listen(provider, ask(question, model=model, tools=True))
    parts = [ToolCallPart(call_id, name, arguments) for call_id, (name, arguments) in called.calls.items()]
    results = [ToolResultPart(part.call_id, part.name, "succeeded", {"sky": "rain"}) for part in parts]
    answered = await listen(
        provider, ask(question, message("assistant", *parts), message("tool", *results), model=model, tools=True)
    )

    assert (counted.text, counted.finished.reason) == ("Done.", "stop")
    assert (counted.finished.usage.input_tokens, counted.finished.usage.output_tokens) == (12, 5)
    assert list(called.calls.values()) == [
        ("get_weather", '{"city":"Paris"}'),
        ("get_weather", '{"city":"Rome"}'),
    ]
    assert called.finished.reason == "tool_calls"
    assert answered.text == "Sun in Paris, rain in Rome."


async def test_thinking_is_sealed_and_accepted_back(provider, ask, listen, message) -> None:
    model = "anthropic:claude-sonnet-5"

    heard = await listen(provider, ask("think first", model=model, reasoning_effort="low"))
    (seal,) = [chunk for chunk in heard.chunks if isinstance(chunk, ReasoningSealed)]
    thought = ReasoningPart(heard.reasoning, seal.signature, seal.encrypted, seal.item_id, provider.name)
    again = await listen(
        provider, ask("think first", message("assistant", thought, heard.text), "say hello", model=model)
    )

    assert heard.reasoning == "First I consider it."
    assert seal.item_id == "anthropic:"
    assert again.text.startswith("Grüß Gott")


@pytest.mark.parametrize("model", MODELS)
async def test_refusals_are_told_apart_and_not_retried(provider, ask, listen, model) -> None:
    with pytest.raises(RateLimited) as caught:
        await listen(provider, ask("too fast", model=model))
    assert caught.value.retry_after_ms == 7000
