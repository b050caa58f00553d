"""The demo model."""

from base64 import b64decode

import pytest

from wakeful.contracts.event import TextDelta
from wakeful.contracts.message import SourcePart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.tool import ToolSpec
from wakeful.providers.demo.commands import Chat, Cite, CountTo, Draw, ThinkAbout, UseTool, read_commands
from wakeful.providers.demo.provider import DemoProvider


class CountingClock:
    """Time that passes only when somebody sleeps; ids that count."""

    def __init__(self) -> None:
        self.slept: list[int] = []
        self.ids = 0

    def now(self) -> int:
        return sum(self.slept)

    async def sleep(self, milliseconds: int) -> None:
        self.slept.append(milliseconds)

    def new_id(self) -> str:
        self.ids += 1
        return f"id{self.ids}"


def tool(name: str, *, frontend: bool = False) -> ToolSpec:
    return ToolSpec(name=name, description="", parameters={"type": "object"}, frontend=frontend)


TOOLS = (tool("get_weather"), tool("send_email"), tool("set_colour", frontend=True))


@pytest.fixture
def clock() -> CountingClock:
    return CountingClock()


@pytest.fixture
def hear(clock, ask, listen):
    async def heard(*messages, tools=TOOLS):
        return await listen(DemoProvider(clock), ask(*messages, tools=tools))

    return heard


@pytest.fixture
def round_trip(hear, message):
    """Say something, have its calls answered with (status, output) each, and hear the answer."""

    async def play(text: str, *answers: tuple[str, object]):
        calls = (await hear(text)).calls
        parts = [ToolCallPart(call_id, name, arguments) for call_id, (name, arguments) in calls.items()]
        results = [
            ToolResultPart(part.call_id, part.name, *answer) for part, answer in zip(parts, answers, strict=True)
        ]
        return await hear(text, message("assistant", *parts), message("tool", *results))

    return play


@pytest.mark.parametrize("text", ["weather in Paris", "What's the WEATHER in Paris?", "the weather in Paris, please"])
async def test_weather_calls_its_tool(hear, text) -> None:
    heard = await hear(text)

    assert heard.calls == {"call_1_id1": ("get_weather", '{"city":"Paris"}')}
    assert heard.finished.reason == "tool_calls"


async def test_weather_is_answered_from_the_result(round_trip) -> None:
    heard = await round_trip("weather in New York", ("succeeded", {"sky": "blue", "celsius": 21}))

    assert heard.text == 'The weather in New York: {"sky":"blue","celsius":21}.'
    assert heard.finished.reason == "stop"


async def test_several_commands_are_parallel_calls(round_trip, hear) -> None:
    text = "weather in Paris and weather in Rome and email bob@example.com hi and bye"

    calls = (await hear(text)).calls
    answer = await round_trip(text, ("succeeded", "sun"), ("succeeded", "rain"), ("succeeded", "queued"))

    assert [call for _, call in calls.items()] == [
        ("get_weather", '{"city":"Paris"}'),
        ("get_weather", '{"city":"Rome"}'),
        ("send_email", '{"to":"bob@example.com","body":"hi and bye"}'),
    ]
    assert answer.text == (
        "The weather in Paris: sun. The weather in Rome: rain. I sent the email to bob@example.com: queued."
    )


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("denied", "I did not send the email to bob@example.com, because it was denied: no way."),
        ("failed", "send_email has failed: no way."),
        ("cancelled", "send_email was cancelled: no way."),
    ],
)
async def test_an_email_that_was_not_sent_is_said_so(round_trip, status, answer) -> None:
    assert (await round_trip("Email bob@example.com hi", (status, "no way."))).text == answer


async def test_call_ids_differ_from_turn_to_turn(hear, message) -> None:
    first = await hear("weather in Paris")
    ((call_id, (name, arguments)),) = first.calls.items()

    second = await hear(
        "weather in Paris",
        message("assistant", ToolCallPart(call_id, name, arguments)),
        message("tool", ToolResultPart(call_id, name, "succeeded", "sun")),
        message("assistant", "Sunny."),
        message("user", "weather in Rome"),
    )

    assert second.calls == {"call_2_id2": ("get_weather", '{"city":"Rome"}')}


async def test_counting_gives_one_number_a_delta(hear, clock) -> None:
    heard = await hear("count to 40")

    assert heard.chunks[:-1] == [TextDelta("1")] + [TextDelta(f" {n}") for n in range(2, 41)]
    assert heard.finished.usage.output_tokens == 40
    assert clock.slept == []


async def test_counting_slowly_waits_between_two_numbers(hear, clock) -> None:
    heard = await hear("Please count to 4 every 50 ms")

    assert heard.text == "1 2 3 4"
    assert clock.slept == [50, 50, 50]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("count to 99999", CountTo(10_000)),
        ("count to 0", CountTo(1)),
        ("count to 3 every 2 s", CountTo(3, 2000)),
        ("count to 3 every 60000 ms", CountTo(3, 10_000)),
        ("use t", UseTool("t", "{}")),
        ("use my head for once", Chat("use my head for once")),
        ("email me", Chat("email me")),
        ("cite https://x.test/a?b=c.", Cite("https://x.test/a?b=c")),
        ("Please cite notes.pdf!", Cite("notes.pdf")),
        ("cite your sources", Chat("cite your sources")),
        ("please draw a CIRCLE for me", Draw("circle")),
        ("draw a conclusion", Chat("draw a conclusion")),
        ("failing is fine", Chat("failing is fine")),
        ("please use t {}", UseTool("t", "{}")),
        ("Let us think about time.", ThinkAbout("time")),
    ],
)
def test_sentences_are_read_as_commands(text, command) -> None:
    assert read_commands(text) == [command]


async def test_thinking_comes_before_the_answer(hear) -> None:
    heard = await hear("think about time travel")

    assert "time travel" in heard.reasoning
    assert "time travel" in heard.text
    assert [type(chunk).__name__ for chunk in heard.chunks[:3]] == ["ReasoningDelta"] * 3
    assert heard.finished.usage.reasoning_tokens == len(heard.reasoning.split())


async def test_any_tool_can_be_used_by_name_and_its_result_is_quoted(hear, round_trip) -> None:
    text = 'use set_colour {"colour": "red", "deep": {"a": [1]}}'

    called = await hear(text)
    answered = await round_trip(text, ("succeeded", {"done": True}))

    assert called.calls == {"call_1_id1": ("set_colour", '{"colour": "red", "deep": {"a": [1]}}')}
    assert answered.text == 'set_colour answered: {"done":true}.'


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("use no_such_tool {}", "I do not have a tool named no_such_tool."),
        ("use set_colour {oops}", "I cannot use set_colour: its arguments are not a JSON object."),
    ],
)
async def test_a_tool_that_cannot_be_used_is_said_so(hear, text, answer) -> None:
    heard = await hear(text)

    assert (heard.text, heard.calls, heard.finished.reason) == (answer, {}, "stop")


async def test_a_page_is_cited_for_the_words_that_rest_on_it(hear) -> None:
    heard = await hear("think about rain and cite https://x.test/a and cite notes.pdf")

    page, document = heard.sources
    assert page == SourcePart("source_1_1", url="https://x.test/a", title="x.test/a", start=page.start, end=page.end)
    assert heard.text[page.start : page.end] == "According to https://x.test/a, this is so."
    assert (document.title, document.media_type) == ("notes.pdf", "application/pdf")
    assert heard.text[document.start : document.end] == "According to notes.pdf, this is so."


@pytest.mark.parametrize(("shape", "outline"), [("circle", "<circle"), ("square", "<rect"), ("triangle", "<path")])
async def test_a_drawing_is_a_file(hear, shape, outline) -> None:
    heard = await hear(f"draw a {shape}")

    (file,) = heard.files
    head, _, content = file.url.partition(",")
    assert (heard.text, file.media_type, head) == (f"Here is a {shape}:", "image/svg+xml", "data:image/svg+xml;base64")
    assert outline in b64decode(content).decode()


async def test_words_and_calls_may_share_a_reply(hear) -> None:
    heard = await hear("weather in Paris and count to 3")

    assert heard.text == "1 2 3"
    assert list(heard.calls.values()) == [("get_weather", '{"city":"Paris"}')]


@pytest.mark.parametrize("text", ["fail", "  FAIL \n"])
async def test_it_fails_when_asked(hear, text) -> None:
    with pytest.raises(ModelRequestInvalid, match="the demo model was asked to fail") as caught:
        await hear(text)

    assert not caught.value.retryable


async def test_anything_else_gets_a_friendly_answer_word_by_word(hear) -> None:
    heard = await hear("Good morning")

    assert heard.text.startswith('You said "Good morning". I am the demo model')
    assert "\n" not in heard.text
    assert len(heard.chunks) > 10


async def test_nothing_at_all_gets_a_greeting(hear) -> None:
    assert (await hear()).text.startswith("Hello!")
