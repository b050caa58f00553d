"""Questions as forms, and what was filled in as answers."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import methods
from tests.protocols.mcp.judge import LEGACY, MODERN

from wakeful.contracts.interrupt import ASK_AUTHORISATION, Interrupt, InterruptKind
from wakeful.protocols.mcp import questions
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.wire import Refused
from wakeful.server.auth import Principal

FLAT: dict[str, Any] = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
NESTED: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "object"}}}
LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


def question(kind: InterruptKind = "question", schema: Any = None, **fields: Any) -> Interrupt:
    return Interrupt("i", kind, "c", **{"tool": "t", "arguments": "{}", "response_schema": schema, **fields})


def client(version: str = LEGACY, **capabilities: Any) -> Client:
    return Client(principal=Principal("default"), version=version, capabilities=capabilities)


@pytest.mark.parametrize("kind", ["approval", "frontend_tool", "question"])
@pytest.mark.parametrize("schema", [None, FLAT, NESTED, LIST, {"type": "string"}, {"type": "boolean"}])
def test_every_question_is_a_form_that_the_protocol_allows(kind: InterruptKind, schema: Any) -> None:
    form = questions.elicitation(question(kind, schema), client())

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


PAGE = "https://example.com/login"
RIGHT = question("frontend_tool", tool=ASK_AUTHORISATION, message="Log in.", arguments=f'{{"url": "{PAGE}"}}')
VISIT = question(schema={"type": "object", "properties": {}, questions.PAGE_KEY: PAGE}, message="Log in.")


@pytest.mark.parametrize("can", [{}, {"form": {}}])
def test_where_to_give_a_right_is_part_of_the_words_of_a_form(can: Any) -> None:
    asked = questions.elicitation(RIGHT, client(elicitation=can))

    assert (asked["mode"], asked["message"]) == ("form", f"Log in.\n{PAGE}")


@pytest.mark.parametrize("asked", [RIGHT, VISIT])
@pytest.mark.parametrize("version", [MODERN, LEGACY])
def test_a_page_is_shown_as_a_page_to_who_can_show_pages(asked: Interrupt, version: str) -> None:
    able = client(version, elicitation={"url": {}})

    shown = questions.elicitation(asked, able, id="e")

    assert shown == {"mode": "url", "message": "Log in.", "url": PAGE, "elicitationId": "e"}
    assert questions.can_be_asked(asked, able)
    assert not questions.can_be_asked(question(), able)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", 3, None])
def test_what_is_no_page_of_the_web_is_never_one_to_visit(url: Any) -> None:
    asked = question(schema={"type": "object", "properties": {}, questions.PAGE_KEY: url})

    assert questions.elicitation(asked, client(elicitation={"url": {}}))["mode"] == "form"


def test_a_version_before_pages_gets_the_form() -> None:
    assert questions.elicitation(RIGHT, client("2025-06-18", elicitation={"url": {}}))["mode"] == "form"


@pytest.mark.parametrize(("asked", "output"), [(RIGHT, True), (VISIT, {})])
def test_who_went_to_the_page_has_answered(asked: Interrupt, output: Any) -> None:
    found = questions.decision(asked, {"action": "accept"})

    assert (found.output, found.failed) == (output, False)
    assert questions.decision(asked, {"action": "decline"}).failed
