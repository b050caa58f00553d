"""What becomes of a server's list: names, effects, who has to ask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import Tool, ToolAnnotations
from pydantic import ValidationError

from wakeful.plugins.mcp.listing import read_listing, tool_names
from wakeful.plugins.mcp.schemas import SchemaRefused, argument_check
from wakeful.plugins.mcp.spec import HttpSpec, McpServerSpec, OAuthSpec
from wakeful.sdk.tool import TOOL_NAME

HTTP = HttpSpec(url="http://localhost/mcp")


def spec(**settings: Any) -> McpServerSpec:
    return McpServerSpec(**{"id": "s", "http": HTTP, **settings})


def listed(name: str, **hints: bool) -> Tool:
    annotations = ToolAnnotations.model_validate(hints, by_name=True) if hints else None
    return Tool(name=name, input_schema={"type": "object"}, annotations=annotations)


@given(st.sets(st.text(min_size=1, max_size=256), max_size=20))
def test_names_fit_every_vendor_and_are_the_same_in_any_order(names: set[str]):
    forwards = dict(zip(names, tool_names("mcp__s__", names), strict=True))
    backwards = dict(zip(reversed(list(names)), tool_names("mcp__s__", reversed(list(names))), strict=True))

    assert forwards == backwards
    assert len(set(forwards.values())) == len(names)
    assert all(TOOL_NAME.fullmatch(name) for name in forwards.values())


def test_a_plain_name_keeps_its_looks():
    assert tool_names("mcp__s__", ["read_file", "files.read"]) == ["mcp__s__read_file", "mcp__s__files_read"]


@pytest.mark.parametrize(
    ("hints", "trusted", "effect", "asks"),
    [
        ({}, True, "once", True),
        ({"read_only_hint": True}, False, "once", True),
        ({"read_only_hint": True}, True, "pure", False),
        ({"idempotent_hint": True}, True, "idempotent", True),
        ({"idempotent_hint": True, "destructive_hint": False}, True, "idempotent", False),
        ({"destructive_hint": True}, True, "once", True),
    ],
)
def test_hints_count_only_when_the_operator_trusts_them(hints: dict[str, bool], trusted: bool, effect: str, asks: bool):
    [offer] = read_listing(spec(trust_annotations=trusted), [listed("x", **hints)]).offers

    assert (offer.spec.effect, offer.spec.approval) == (effect, asks)


@pytest.mark.parametrize(("approval", "asks"), [("always", True), ("never", False)])
def test_the_operators_word_on_asking_stands_above_every_hint(approval: str, asks: bool):
    tools = [listed("x", read_only_hint=True), listed("y", destructive_hint=True)]

    offers = read_listing(spec(approval=approval, trust_annotations=True), tools).offers

    assert [offer.spec.approval for offer in offers] == [asks, asks]


def test_allowed_and_excluded_tools_are_told_by_the_servers_own_names():
    tools = [listed("files.read"), listed("files.write"), listed("mail.send")]

    offers = read_listing(spec(allow=("files.*",), exclude=("*.write",)), tools).offers

    assert [offer.remote_name for offer in offers] == ["files.read"]


def test_a_pattern_that_would_never_end_is_given_up():
    check = argument_check({"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+(?=c)$"}}})

    with pytest.raises(Exception, match="arguments do not fit"):
        check({"x": "a" * 60 + "b"})


def test_a_long_chain_of_references_is_left_to_the_server():
    chain = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}]} for n in range(800)}
    schema = {"type": "object", "$ref": "#/$defs/d0", "$defs": {**chain, "d800": {"type": "object"}}}

    assert argument_check(schema)({"x": 1}) == {"x": 1}


def test_references_inside_the_schema_are_followed():
    schema = {"type": "object", "properties": {"x": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}

    with pytest.raises(Exception, match="x: "):
        argument_check(schema)({"x": "one"})


@pytest.mark.parametrize("schema", [None, [], {}, {"type": "array"}, {"type": "object", "required": 7}])
def test_what_is_no_schema_of_an_object_is_refused(schema: Any):
    with pytest.raises(SchemaRefused):
        argument_check(schema)


@pytest.mark.parametrize(
    "settings",
    [{"http": None}, {"id": "a__b"}, {"id": "a b"}, {"id": "x" * 25}, {"http": {"url": "ftp://x"}}, {"unknown": 1}],
)
def test_a_server_that_is_written_down_wrongly_is_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        spec(**settings)


def test_two_kinds_of_credentials_are_refused():
    with pytest.raises(ValidationError, match="found both"):
        HttpSpec(
            url="http://x",
            token_env="T",
            oauth=OAuthSpec(issuer="http://x", client_id="c", client_secret_env="S"),
        )
