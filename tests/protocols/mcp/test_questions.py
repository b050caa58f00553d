"""Questions as forms, and what was filled in as answers."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import methods

from wakeful.contracts.interrupt import ASK_AUTHORISATION, Interrupt, InterruptKind
from wakeful.protocols.mcp import questions
from wakeful.protocols.mcp.wire import Refused

FLAT: dict[str, Any] = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
NESTED: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "object"}}}
LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


def question(kind: InterruptKind = "question", schema: Any = None, **fields: Any) -> Interrupt:
    return Interrupt("i", kind, "c", **{"tool": "t", "arguments": "{}", "response_schema": schema, **fields})


@pytest.mark.parametrize("kind", ["approval", "frontend_tool", "question"])
@pytest.mark.parametrize("schema", [None, FLAT, NESTED, LIST, {"type": "string"}, {"type": "boolean"}])
def test_every_question_is_a_form_that_the_protocol_allows(kind: InterruptKind, schema: Any) -> None:
    form = questions.elicitation(question(kind, schema))

    methods.parse_server_request("elicitation/create", "2025-11-25", form)
    assert form["message"]


@pytest.mark.parametrize(
    ("schema", "content", "output"),
    [
        (None, {"answer": "red"}, "red"),
        ({"type": "boolean"}, {"answer": True}, True),
        ({"type": "integer"}, {"answer": 3}, 3),
        (FLAT, {"size": 3}, {"size": 3}),
        (NESTED, {"answer": '{"at": {"x": 1}}'}, {"at": {"x": 1}}),
        (LIST, {"answer": '["a"]'}, ["a"]),
        (LIST, {"answer": "no json"}, "no json"),
    ],
)
def test_what_was_filled_in_is_the_answer(schema: Any, content: Any, output: Any) -> None:
    found = questions.decision(question(schema=schema), {"action": "accept", "content": content})

    assert (found.target, found.output, found.failed) == ("i", output, False)


@pytest.mark.parametrize("answer", [None, {"action": "decline"}, {"action": "cancel", "content": {"answer": "x"}}])
def test_a_user_who_does_not_answer_leaves_the_question_failed(answer: Any) -> None:
    assert questions.decision(question(), answer).failed


@pytest.mark.parametrize("answer", [{}, {"action": "yes"}, {"action": None}])
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(Refused):
        questions.decision(question(), answer)


def test_where_to_give_a_right_is_part_of_the_words() -> None:
    asked = question(
        "frontend_tool", tool=ASK_AUTHORISATION, message="Log in.", arguments='{"url": "https://example.com/login"}'
    )

    assert questions.elicitation(asked)["message"] == "Log in.\nhttps://example.com/login"
