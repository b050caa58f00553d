"""The bridge, against pydantic-ai's own test models."""

import sys
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import pytest
from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import (
    BinaryContent,
    Citation,
    ContentCitationAnchor,
    DocumentCitationSource,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    WebCitationSource,
)
from pydantic_ai.messages import FilePart as TheirFile
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.function import DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel

from wakeful.contracts.errors import ConfigurationError, ModelError
from wakeful.contracts.event import ReasoningDelta, ReasoningSealed, TextDelta
from wakeful.contracts.message import FilePart, ReasoningPart, SourcePart
from wakeful.contracts.message import ToolCallPart as OurCall
from wakeful.contracts.message import ToolResultPart as OurResult
from wakeful.contracts.model_errors import (
    ContentFiltered,
    ContextOverflow,
    MalformedReply,
    ModelNotFound,
    ModelRequestInvalid,
    ModelTimeout,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.providers.pydantic_ai.prompt import settings_of
from wakeful.providers.pydantic_ai.provider import PydanticAIProvider


class Stage:
    """Plays `deltas` through a FunctionModel and keeps what it was asked."""

    def __init__(self, *deltas) -> None:
        self.deltas = deltas
        self.seen = None
        self.made: list[str] = []
        self.closed = False

    def model_of(self, name: str) -> FunctionModel:
        self.made.append(name)
        return FunctionModel(stream_function=self._play, model_name=name)

    async def _play(self, messages, info):
        self.seen = (messages, info)
        try:
            for delta in self.deltas:
                if isinstance(delta, Exception):
                    raise delta
                yield delta
        finally:
            self.closed = True


@pytest.fixture
def hear(ask, listen):
    async def heard(stage: Stage, request=None, into=None):
        provider = PydanticAIProvider(model_of=stage.model_of)
        try:
            return await listen(provider, request or ask("hello"), into)
        finally:
            await provider.aclose()

    return heard


async def test_text_and_thinking_are_heard_and_sealed(hear) -> None:
    heard = await hear(
        Stage(
            {0: DeltaThinkingPart(content="Hm")},
            {0: DeltaThinkingPart(content="m.", signature="sig")},
            "Hello",
            " there",
        )
    )

    assert heard.chunks[:-1] == [
        ReasoningDelta("Hm"),
        ReasoningDelta("m."),
        ReasoningSealed("sig", item_id="function:"),
        TextDelta("Hello"),
        TextDelta(" there"),
    ]
    assert heard.finished.reason == "stop"
    assert heard.finished.model == "m"
    assert heard.finished.usage.input_tokens > 0
    assert heard.finished.usage.output_tokens > 0


class Citing(TestModel):
    """Plays the parts that the models for tests cannot: a cited text and a file."""

    @asynccontextmanager
    async def request_stream(self, *_, **__):
        yield CitedStream(ModelRequestParameters())


class CitedStream(StreamedResponse):
    model_name = provider_name = "m"
    provider_url = None
    timestamp = datetime.now(UTC)

    async def _get_event_iterator(self):
        page = WebCitationSource("https://x.test/", title="A page", excerpts=["It rained.", "It rains."])
        citations = [
            Citation(
                [page, DocumentCitationSource(document_id="file-1")], anchor=ContentCitationAnchor(start=0, end=4)
            ),
            Citation([WebCitationSource("javascript:alert(1)")]),
        ]
        for event in self._parts_manager.handle_text_delta(vendor_part_id="t", content="Rain, it is."):
            yield event
        for event in self._parts_manager.handle_text_delta(vendor_part_id="t", content="", citations=citations):
            yield event
        yield self._parts_manager.handle_part(
            vendor_part_id=None, part=TheirFile(BinaryContent(b"x", media_type="image/png"))
        )


async def test_citations_and_files_are_heard(ask, listen) -> None:
    provider = PydanticAIProvider(model_of=lambda _: Citing())

    heard = await listen(provider, ask("hello"))
    await provider.aclose()

    where = {"cited_text": "It rained. … It rains.", "start": 0, "end": 4}
    assert heard.sources == [
        SourcePart("source_1_1", url="https://x.test/", title="A page", **where),
        SourcePart("source_1_2", title="file-1", media_type="application/octet-stream", start=0, end=4),
    ]
    assert heard.files == [FilePart("image/png", "data:image/png;base64,eA==")]


async def test_two_calls_keep_their_own_arguments(hear) -> None:
    heard = await hear(
        Stage(
            {0: DeltaToolCall("get_weather", '{"city":', tool_call_id="c1")},
            {1: DeltaToolCall("get_time", "{}", tool_call_id="c2")},
            {0: DeltaToolCall(json_args='"Paris"}')},
        )
    )

    assert heard.calls == {"c1": ("get_weather", '{"city":"Paris"}'), "c2": ("get_time", "{}")}
    assert heard.finished.reason == "tool_calls"


async def test_the_test_model_calls_a_tool_and_then_answers(ask, listen, message) -> None:
    provider = PydanticAIProvider(name="bridge", model_of=lambda name: TestModel(model_name=name))

    called = await listen(provider, ask("hello", tools=True))
    ((call_id, (name, arguments)),) = called.calls.items()
    answered = await listen(
        provider,
        ask(
            "hello",
            message("assistant", OurCall(call_id, name, arguments)),
            message("tool", OurResult(call_id, name, "succeeded", {"sky": "blue"})),
            tools=True,
        ),
    )
    await provider.aclose()

    assert (name, arguments) == ("get_weather", '{"city":"a"}')
    assert '"sky":"blue"' in answered.text


async def test_by_default_the_models_name_is_pydantic_ais_own(ask, listen) -> None:
    provider = PydanticAIProvider()

    heard = await listen(provider, ask("hello", model="test"))
    await provider.aclose()

    assert heard.text == "success (no tool calls)"


async def test_the_conversation_is_told_in_pydantic_ais_words(hear, ask, message) -> None:
    stage = Stage("ok")

    await hear(
        stage,
        ask(
            message("system", "Be kind."),
            message(
                "user",
                "Look",
                FilePart("image/png", "data:image/png;base64,AAAA"),
                FilePart("image/png", "https://x.test/a"),
            ),
            message(
                "assistant",
                ReasoningPart("Hm.", "sig", item_id="vendor:rs_1", provider="pydantic-ai"),
                ReasoningPart("Other.", "sig", provider="anthropic"),
                "Looking.",
                OurCall("c1", "get_weather", '{"city":"Paris"}'),
            ),
            message(
                "tool",
                OurResult("c1", "get_weather", "denied", "no"),
                FilePart("image/png", "data:image/png;base64,AAAA"),
                SourcePart("s", url="https://x.test/"),
            ),
            message("user", "And?"),
            instructions="Help.",
            tools=True,
            max_output_tokens=9,
            temperature=0.5,
        ),
    )

    (first, said, second), info = stage.seen
    assert isinstance(first, ModelRequest)
    system, user = first.parts
    assert isinstance(system, SystemPromptPart)
    assert isinstance(user, UserPromptPart)
    text, data, link = user.content
    assert text == "Look"
    assert isinstance(data, BinaryContent)
    assert isinstance(link, ImageUrl)
    assert isinstance(said, ModelResponse)
    thinking, answer, call = said.parts
    assert thinking == ThinkingPart("Hm.", id="rs_1", signature="sig", provider_name="vendor")
    assert answer == TextPart("Looking.")
    assert call == ToolCallPart("get_weather", '{"city":"Paris"}', "c1")
    result, again = second.parts
    assert isinstance(result, ToolReturnPart)
    assert (result.tool_call_id, result.content, result.outcome) == ("c1", "no", "denied")
    assert again.content == "And?"
    assert info.instructions == "Help."
    assert [tool.name for tool in info.function_tools] == ["get_weather"]
    assert info.model_settings["max_tokens"] == 9
    assert info.model_settings["temperature"] == 0.5


@pytest.mark.parametrize(("effort", "thinking"), [("none", False), ("low", "low"), ("high", "high")])
def test_reasoning_effort_and_no_retries_are_set(ask, effort, thinking) -> None:
    settings = settings_of(ask("hi", reasoning_effort=effort), TestModel())

    assert settings == {"thinking": thinking, "max_retries": 0}


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (theirs.ModelHTTPError(418, "m", "teapot"), ModelRequestInvalid),
        (theirs.ModelHTTPError(429, "m", "slow"), RateLimited),
        (theirs.ModelHTTPError.for_category(theirs.ModelRateLimitError, status_code=429, model_name="m"), RateLimited),
        (theirs.ModelQuotaExceededError("m", "pay"), ModelUnauthorised),
        (theirs.ModelOverloadedError("m", "busy"), Overloaded),
        (theirs.ModelServerError("m", "oops"), ModelUnavailable),
        (theirs.ModelTimeoutError("m", "slow"), ModelTimeout),
        (theirs.ModelRequestTimeout("m", 1), ModelTimeout),
        (theirs.ModelConnectionError("m", "reset"), ModelUnavailable),
        (theirs.ModelContextWindowExceededError("m", "long"), ContextOverflow),
        (theirs.ModelAuthenticationError("m", "who"), ModelUnauthorised),
        (theirs.ModelNotFoundError("m", "what"), ModelNotFound),
        (theirs.ModelRequestRejectedError("m", "no"), ModelRequestInvalid),
        (theirs.ContentFilterError("no"), ContentFiltered),
        (theirs.UnexpectedModelBehavior("odd"), MalformedReply),
        (theirs.UserError("set a key"), ModelRequestInvalid),
        (theirs.ModelAPIError("m", "?"), ModelUnavailable),
        (RuntimeError("sk-secret-secret"), ModelError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_everything_that_goes_wrong_is_a_model_error(hear, raised, kind) -> None:
    chunks = []

    with pytest.raises(ModelError) as caught:
        await hear(Stage("half", raised), into=chunks)

    assert type(caught.value) is kind
    assert "secret" not in caught.value.message
    assert chunks == [TextDelta("half")]


async def test_the_vendors_advice_is_passed_on(hear) -> None:
    error = theirs.ModelHTTPError(429, "m", "slow", headers={"retry-after": "2"})

    with pytest.raises(RateLimited) as caught:
        await hear(Stage(error))

    assert caught.value.retry_after_ms == 2000


@pytest.mark.parametrize("model", ["no-such-vendor:x", "nonsense"])
async def test_an_unknown_vendor_is_an_invalid_request(ask, listen, model) -> None:
    provider = PydanticAIProvider()

    with pytest.raises(ModelRequestInvalid, match="Unknown model"):
        await listen(provider, ask("hello", model=model))
    await provider.aclose()


async def test_a_model_is_made_once(ask, listen) -> None:
    stage = Stage("hi")
    provider = PydanticAIProvider(model_of=stage.model_of)

    for model in ("a:b", "a:b", "a:c"):
        await listen(provider, ask("hello", model=model))
    await provider.aclose()

    assert stage.made == ["a:b", "a:c"]


async def test_closing_the_provider_closes_its_models(ask, listen) -> None:
    left: list[str] = []

    class Leaving(TestModel):
        async def __aexit__(self, *failure) -> None:
            left.append(self.model_name)

    provider = PydanticAIProvider(model_of=lambda name: Leaving(model_name=name))
    await listen(provider, ask("hello", model="a:b"))
    await listen(provider, ask("hello", model="a:c"))

    assert left == []
    await provider.aclose()
    assert left == ["a:c", "a:b"]


async def test_a_file_that_cannot_be_sent_is_an_invalid_request(hear, ask, message) -> None:
    with pytest.raises(ModelRequestInvalid, match="a file cannot be sent"):
        await hear(Stage("hi"), ask(message("user", FilePart("image/png", "data:oops"))))


async def test_leaving_early_closes_the_vendors_stream(ask) -> None:
    stage = Stage("one", "two", "three")
    provider = PydanticAIProvider(model_of=stage.model_of)

    async with aclosing(provider.stream(ask("hello"))) as batches:
        await anext(batches)
    await provider.aclose()

    assert stage.closed


async def test_building_without_pydantic_ai_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai.models", None)

    with pytest.raises(ConfigurationError, match=r'pip install "wakeful\[pydantic-ai\]"'):
        PydanticAIProvider()
