"""What is posted to a messages endpoint."""

import json

import pytest

from wakeful.contracts.message import FilePart, ReasoningPart, SourcePart, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.providers.anthropic.prompt import encode_prompt

CALL = ToolCallPart("c1", "get_weather", '{"city":"Paris"}')
RESULT = ToolResultPart("c1", "get_weather", "succeeded", {"sky": "blue"})
THOUGHT = ReasoningPart("I look.", signature="sig", provider="anthropic")


def posted(request):
    return json.loads(encode_prompt(request, provider="anthropic"))


def test_a_tool_round_trip_alternates_and_keeps_its_thinking(ask, message) -> None:
    body = posted(
        ask(
            "Weather?",
            message(
                "assistant",
                THOUGHT,
                ReasoningPart(encrypted="cipher", provider="anthropic"),
                "Looking.",
                CALL,
                ToolCallPart("c2", "get_time", ""),
            ),
            message("tool", RESULT),
            message("tool", ToolResultPart("c2", "get_time", "denied", "not allowed")),
            message("user", "And now?"),
            instructions="Help.",
            tools=True,
        )
    )

    assert body["system"] == "Help."
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look.", "signature": "sig"},
                {"type": "redacted_thinking", "data": "cipher"},
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}},
                {"type": "tool_use", "id": "c2", "name": "get_time", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": '{"sky":"blue"}'},
                {"type": "tool_result", "tool_use_id": "c2", "content": "not allowed", "is_error": True},
                {"type": "text", "text": "And now?"},
            ],
        },
    ]
    assert body["tools"][0].keys() == {"name", "description", "input_schema"}
    assert (body["max_tokens"], body["stream"]) == (8192, True)


@pytest.mark.parametrize(
    "thought",
    [
        ReasoningPart("x", signature="s", provider="another"),
        ReasoningPart("x", provider="anthropic"),
        TextPart("  \n"),
    ],
    ids=["made by another", "without proof", "blank text"],
)
def test_blocks_the_vendor_would_refuse_are_left_out(ask, message, thought) -> None:
    body = posted(ask("hi", message("assistant", thought), "again"))

    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "again"}]}
    ]


def test_system_messages_join_the_instructions(ask, message) -> None:
    body = posted(ask("hi", message("system", "Be brief."), instructions="Help."))

    assert body["system"] == "Help.\n\nBe brief."
    assert len(body["messages"]) == 1


def test_files_become_images_and_documents(ask, message) -> None:
    body = posted(
        ask(
            message(
                "user",
                FilePart("image/png", "data:image/png;base64,AAAA"),
                FilePart("image/png", "https://x.test/a.png"),
                FilePart("application/pdf", "data:application/pdf;base64,BBBB"),
                FilePart("application/pdf", "https://x.test/a.pdf", "a.pdf"),
                FilePart("text/csv", "data:text/csv,a%2Cb"),
            )
        )
    )

    assert body["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"},
            "citations": {"enabled": True},
        },
        {
            "type": "document",
            "source": {"type": "url", "url": "https://x.test/a.pdf"},
            "citations": {"enabled": True},
            "title": "a.pdf",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
            "citations": {"enabled": True},
        },
    ]


def test_sources_and_files_of_an_answer_are_not_sent_back(ask, message) -> None:
    shown = (SourcePart("s", url="https://x.test/"), FilePart("image/png", "data:image/png;base64,AAAA"))

    body = posted(ask("hi", message("assistant", "Look.", CALL, *shown), message("tool", RESULT, *shown)))

    blocks = [block["type"] for turn in body["messages"] for block in turn["content"]]
    assert blocks == ["text", "text", "tool_use", "tool_result"]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (FilePart("audio/wav", "data:audio/wav;base64,AA"), "audio/wav"),
        (FilePart("text/plain", "https://x.test/a.txt"), "texts sent as data: URLs; found a text/plain"),
        (FilePart("image/png", "data:oops"), "broken"),
    ],
)
def test_a_file_it_cannot_send_is_refused(ask, message, file, why) -> None:
    with pytest.raises(ModelRequestInvalid, match=why):
        posted(ask(message("user", file)))


@pytest.mark.parametrize(
    ("effort", "limit", "budget", "max_tokens"),
    [
        ("low", None, 1024, 8192),
        ("medium", 1000, 4096, 5096),
        ("high", None, 16384, 24576),
        ("high", 16385, 16384, 16385),
    ],
)
def test_thinking_leaves_room_for_the_answer_and_no_temperature(ask, effort, limit, budget, max_tokens) -> None:
    body = posted(ask("hi", reasoning_effort=effort, max_output_tokens=limit, temperature=0.3))

    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert body["max_tokens"] == max_tokens
    assert "temperature" not in body


@pytest.mark.parametrize(
    ("model", "adaptive"),
    [
        ("claude-3-5-sonnet-20241022", False),
        ("claude-sonnet-4-20250514", False),
        ("claude-opus-4-5-20251101", False),
        ("claude-opus-4-6", True),
        ("claude-sonnet-5", True),
        ("claude-haiku-5-5", True),
        ("claude-mythos-preview", True),
        ("someone-elses-model", False),
    ],
)
def test_a_model_gets_the_kind_of_thinking_it_takes(ask, model, adaptive) -> None:
    body = posted(ask("hi", model=model, reasoning_effort="medium", temperature=0.3))

    assert (body["thinking"]["type"] == "adaptive") is adaptive
    assert body.get("output_config") == ({"effort": "medium"} if adaptive else None)
    assert "temperature" not in body


@pytest.mark.parametrize("effort", [None, "none"])
def test_without_effort_there_is_no_thinking(ask, effort) -> None:
    body = posted(ask("hi", reasoning_effort=effort, temperature=1.7, max_output_tokens=9))

    assert "thinking" not in body
    assert (body["temperature"], body["max_tokens"]) == (1.0, 9)


@pytest.mark.parametrize(("thought", "thinks"), [(THOUGHT, True), (TextPart("Looking."), False)])
def test_thinking_does_not_begin_in_the_middle_of_a_tool_turn(ask, message, thought, thinks) -> None:
    body = posted(ask("hi", message("assistant", thought, CALL), message("tool", RESULT), reasoning_effort="low"))

    assert ("thinking" in body) is thinks


def test_a_model_that_adapts_may_begin_to_think_in_a_tool_turn(ask, message) -> None:
    turn = (message("assistant", "Looking.", CALL), message("tool", RESULT))

    assert "thinking" in posted(ask("hi", *turn, model="claude-sonnet-5", reasoning_effort="low"))


def test_arguments_that_are_no_object_are_still_shown(ask, message) -> None:
    body = posted(ask("hi", message("assistant", ToolCallPart("c", "t", "{oops"))))

    assert body["messages"][1]["content"][0]["input"] == {"malformed_arguments": "{oops"}
