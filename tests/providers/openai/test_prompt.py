"""What is posted to a chat completions endpoint."""

import json

import pytest

from wakeful.contracts.message import FilePart, ReasoningPart, SourcePart, ToolCallPart, ToolResultPart
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.providers.openai.prompt import encode_prompt

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,BBBB"


def posted(request, *, at_openai=False):
    return json.loads(encode_prompt(request, at_openai=at_openai))


def test_a_conversation_with_a_tool_round_trip_becomes_the_vendors_messages(ask, message) -> None:
    body = posted(
        ask(
            message("system", "Be kind."),
            message("user", "Weather in Paris and Rome?"),
            message(
                "assistant",
                ReasoningPart("hm", provider="openai"),
                "Let me look.",
                ToolCallPart("c1", "get_weather", '{"city":"Paris"}'),
                ToolCallPart("c2", "get_weather", '{"city":"Rome"}'),
            ),
            message(
                "tool",
                ToolResultPart("c1", "get_weather", "succeeded", {"sky": "blue"}),
                ToolResultPart("c2", "get_weather", "failed", "no such city"),
            ),
            instructions="Help.",
            tools=True,
        )
    )

    assert body["messages"] == [
        {"role": "system", "content": "Help."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Weather in Paris and Rome?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}},
                {"id": "c2", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"sky":"blue"}'},
        {"role": "tool", "tool_call_id": "c2", "content": "no such city"},
    ]
    assert body["tools"][0]["function"]["name"] == "get_weather"
    assert body["tools"][0]["function"]["parameters"]["required"] == ["city"]
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_files_travel_inside_the_user_message(ask, message) -> None:
    body = posted(
        ask(
            message(
                "user",
                "Look:",
                FilePart("image/png", PNG),
                FilePart("image/jpeg", "https://x.test/a.jpg"),
                FilePart("application/pdf", PDF, "a.pdf"),
            )
        )
    )

    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.jpg"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
    ]


def test_a_linked_document_is_refused_with_what_to_do(ask, message) -> None:
    request = ask(message("user", FilePart("application/pdf", "https://x.test/a.pdf")))

    with pytest.raises(ModelRequestInvalid, match="as a data: URL only"):
        posted(request)


def test_sources_and_files_of_an_answer_are_not_sent_back(ask, message) -> None:
    shown = (SourcePart("s", url="https://x.test/"), FilePart("image/png", PNG))
    call, result = ToolCallPart("c1", "t", "{}"), ToolResultPart("c1", "t", "succeeded", "ok")

    body = posted(ask("hi", message("assistant", "Look.", call, *shown), message("tool", result, *shown)))

    assert body["messages"][1]["content"] == "Look."
    assert body["messages"][2:] == [{"role": "tool", "tool_call_id": "c1", "content": "ok"}]


def test_messages_that_say_nothing_are_left_out(ask, message) -> None:
    body = posted(ask("hi", message("assistant", ReasoningPart("only thought", provider="openai"), "")))

    assert [item["role"] for item in body["messages"]] == ["user"]


@pytest.mark.parametrize(("at_openai", "limit"), [(True, "max_completion_tokens"), (False, "max_tokens")])
def test_settings_have_the_names_the_server_knows(ask, at_openai, limit) -> None:
    body = posted(
        ask("hi", model="gpt-x", max_output_tokens=7, temperature=0.0, reasoning_effort="low"), at_openai=at_openai
    )

    assert (body["model"], body[limit], body["temperature"], body["reasoning_effort"]) == ("gpt-x", 7, 0.0, "low")
    assert not {"max_tokens", "max_completion_tokens"} - {limit} & body.keys()


def test_settings_that_are_not_given_are_not_sent(ask) -> None:
    assert posted(ask("hi")).keys() == {"model", "messages", "stream", "stream_options"}
