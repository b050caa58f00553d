"""Our own wires against a mock model server that was not written by us."""

import pytest

from wakeful.contracts.event import ReasoningSealed
from wakeful.contracts.message import ReasoningPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import MalformedReply, ModelUnavailable, Overloaded, RateLimited
from wakeful.contracts.usage import Usage

pytestmark = pytest.mark.network

MODELS = {"openai": "gpt-5", "openai-responses": "gpt-5", "anthropic": "claude-sonnet-5"}


@pytest.fixture
async def provider(aimock_url, open_provider, wire, request):
    # The server counts how often a question was asked, per test id.
    options = {"api_key": "mock", "headers": {"x-test-id": request.node.name}}
    base_url = aimock_url if wire == "anthropic" else f"{aimock_url}/v1"
    async with open_provider(wire, base_url=base_url, **options) as opened:
        yield opened


@pytest.fixture
def say(ask, wire):
    def build(*messages, **options):
        return ask(*messages, model=MODELS[wire], **options)

    return build


async def test_text_is_streamed(provider, say, listen) -> None:
    heard = await listen(provider, say("say hello", instructions="Be polite.", max_output_tokens=99, temperature=0.1))

    assert heard.text == "Grüß Gott, how can I help you today?"
    assert len(heard.chunks) > 5
    assert heard.finished.reason == "stop"
    assert heard.finished.model == say("x").model


async def test_usage_is_counted(provider, say, listen) -> None:
    heard = await listen(provider, say("count me"))

    assert heard.finished.usage == Usage(input_tokens=12, output_tokens=5)


async def test_two_calls_make_a_round_trip(provider, say, listen, message, wire) -> None:
    question = message("user", "weather in Paris and in Rome?")

    called = await listen(provider, say(question, tools=True))
    parts = [ToolCallPart(call_id, name, arguments) for call_id, (name, arguments) in called.calls.items()]
    results = [
        ToolResultPart("call_paris", "get_weather", "succeeded", {"sky": "sun"}),
        ToolResultPart("call_rome", "get_weather", "succeeded", {"sky": "rain"}),
    ]
    answered = await listen(
        provider, say(question, message("assistant", *parts), message("tool", *results), tools=True)
    )

    assert called.finished.reason == "tool_calls"
    assert called.calls == {
        "call_paris": ("get_weather", '{"city":"Paris"}'),
        "call_rome": ("get_weather", '{"city":"Rome"}'),
    }
    assert answered.text == "Sun in Paris, rain in Rome."


async def test_reasoning_is_heard_and_accepted_back(provider, say, listen, message, wire) -> None:
    heard = await listen(provider, say("think first", reasoning_effort="low"))
    seals = [chunk for chunk in heard.chunks if isinstance(chunk, ReasoningSealed)]
    thought = [ReasoningPart(heard.reasoning, seal.signature, seal.encrypted, seal.item_id, wire) for seal in seals]
    again = await listen(
        provider, say("think first", message("assistant", *thought, heard.text), "say hello", reasoning_effort="low")
    )

    assert (heard.reasoning, heard.text) == ("First I consider it.", "Because.")
    assert len(seals) == (0 if wire == "openai" else 1)
    assert again.text.startswith("Grüß Gott")


async def test_an_overloaded_model_answers_the_second_time(provider, say, listen) -> None:
    with pytest.raises(Overloaded, match="503: no capacity"):
        await listen(provider, say("come back later"))
    heard = await listen(provider, say("come back later"))

    assert heard.text == "Here I am again."


async def test_a_rate_limit_says_how_long_to_wait(provider, say, listen) -> None:
    with pytest.raises(RateLimited, match="slow down") as caught:
        await listen(provider, say("too fast"))

    assert caught.value.retry_after_ms == 7000


async def test_nonsense_is_malformed(provider, say, listen) -> None:
    with pytest.raises(MalformedReply, match="expected an event stream"):
        await listen(provider, say("talk nonsense"))


async def test_a_reply_that_is_cut_off_is_a_dropped_connection(provider, say, listen) -> None:
    chunks = []

    with pytest.raises(ModelUnavailable, match="connection dropped"):
        await listen(provider, say("hang up"), into=chunks)

    assert len(chunks) < 5


async def test_a_connection_that_is_closed_at_once_is_dropped(provider, say, listen) -> None:
    with pytest.raises(ModelUnavailable, match="connection dropped"):
        await listen(provider, say("do not pick up"))
