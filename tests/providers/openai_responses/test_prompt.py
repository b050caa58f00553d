"""What is posted to a responses endpoint."""

import json

import pytest

from wakeful.contracts.message import FilePart, ReasoningPart, SourcePart, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.providers.openai_responses.prompt import encode_prompt

THOUGHT = ReasoningPart("I look.", encrypted="cipher", item_id="rs_1", provider="openai-responses")


def posted(request):
    return json.loads(encode_prompt(request, provider="openai-responses"))


def test_a_conversation_becomes_input_items_with_its_own_reasoning(ask, message) -> None:
    body = posted(
        ask(
            message("system", "Be kind."),
            "Weather in Paris?",
            message("assistant", THOUGHT, "Let me look.", ToolCallPart("c1", "get_weather", '{"city":"Paris"}')),
            message("tool", ToolResultPart("c1", "get_weather", "succeeded", {"sky": "blue"})),
            instructions="Help.",
            tools=True,
        )
    )

    assert body["instructions"] == "Help."
    assert body["input"] == [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather in Paris?"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "I look."}],
            "encrypted_content": "cipher",
        },
        {"type": "message", "role": "assistant", "content": "Let me look."},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"city":"Paris"}'},
        {"type": "function_call_output", "call_id": "c1", "output": '{"sky":"blue"}'},
    ]
    assert (body["store"], body["stream"], body["tools"][0]["name"]) == (False, True, "get_weather")


@pytest.mark.parametrize(
    "parts",
    [
        (ReasoningPart("x", encrypted="c", provider="another"), TextPart("hi")),
        (ReasoningPart("x", provider="openai-responses"), TextPart("hi")),
        (TextPart("hi"), THOUGHT),
    ],
    ids=["made by another", "without its cipher", "that led nowhere"],
)
def test_reasoning_is_left_out(ask, message, parts) -> None:
    body = posted(ask("hello", message("assistant", *parts)))

    assert [item["type"] for item in body["input"]] == ["message", "message"]


def test_files_travel_by_content_or_by_link(ask, message) -> None:
    body = posted(
        ask(
            message(
                "user",
                FilePart("image/png", "data:image/png;base64,AA"),
                FilePart("application/pdf", "data:application/pdf;base64,BB", "a.pdf"),
                FilePart("application/pdf", "https://x.test/a.pdf"),
            )
        )
    )

    assert body["input"][0]["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"},
        {"type": "input_file", "file_url": "https://x.test/a.pdf"},
    ]


@pytest.mark.parametrize("media_type", ["audio/wav", "video/mp4"])
def test_a_link_to_what_is_neither_image_nor_document_is_refused(ask, message, media_type) -> None:
    with pytest.raises(ModelRequestInvalid, match=f"links to images and documents; found one to a {media_type}"):
        posted(ask(message("user", FilePart(media_type, "https://x.test/a"))))


def test_sources_and_files_of_an_answer_are_not_sent_back(ask, message) -> None:
    shown = (SourcePart("s", url="https://x.test/"), FilePart("image/png", "data:image/png;base64,AA"))
    call, result = ToolCallPart("c1", "t", "{}"), ToolResultPart("c1", "t", "succeeded", "ok")

    body = posted(ask("hi", message("assistant", "Look.", call, *shown), message("tool", result, *shown)))

    assert [item["type"] for item in body["input"]] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
    ]


def test_settings_are_sent(ask) -> None:
    body = posted(ask("hi", max_output_tokens=7, temperature=0.5, reasoning_effort="high"))

    assert (body["max_output_tokens"], body["temperature"]) == (7, 0.5)
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}


@pytest.mark.parametrize(("model", "included"), [("o9", True), ("gpt-7", True), ("gpt-4.1-mini", False)])
def test_encrypted_reasoning_is_asked_for_where_there_is_reasoning(ask, model, included) -> None:
    assert (posted(ask("hi", model=model)).get("include") == ["reasoning.encrypted_content"]) is included
