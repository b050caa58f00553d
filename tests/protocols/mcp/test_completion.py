"""Values suggested for arguments of prompts and for variables of resource templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.sdk.exposure import prompt, resource

CITIES = {"France": ["Paris", "Pau"], "Italy": ["Parma"]}


def cities(typed: str, others: Mapping[str, str]) -> list[str]:
    found = CITIES.get(others["country"], []) if "country" in others else [*CITIES["France"], *CITIES["Italy"]]
    return [name for name in found if name.startswith(typed)]


async def numbers(typed: str) -> list[str]:
    return [f"{typed}{number}" for number in range(250)]


@prompt(complete={"city": cities, "country": list(CITIES), "number": numbers})
def travel(country: str, city: str, number: str = "", note: str = "") -> str:
    """Plan a journey."""
    return f"Go to {city}."


@resource("atlas:{country}/{city}", complete={"city": cities})
def atlas(country: str, city: str) -> str:
    """A page of the atlas."""
    return f"{city} in {country}"


PROMPT = {"type": "ref/prompt", "name": "travel"}
PAGE = {"type": "ref/resource", "uri": "atlas:{country}/{city}"}


async def suggested(peer: Any, ref: Any, name: str, typed: str, **others: str) -> Any:
    context = {"context": {"arguments": others}} if others else {}
    params = {"ref": ref, "argument": {"name": name, "value": typed}, **context}
    modern = (await peer.ask("completion/complete", params))["result"]["completion"]
    legacy = (await peer.request("completion/complete", params))["result"]["completion"]
    assert modern == legacy
    return modern


@pytest.fixture
async def peer(offer: Any) -> Any:
    peer = await offer(prompts=[travel], resources=[atlas])
    await peer.initialize()
    return peer


async def test_lists_and_functions_suggest_what_begins_like_what_was_typed(peer: Any) -> None:
    assert (await suggested(peer, PROMPT, "country", "f"))["values"] == ["France"]
    assert (await suggested(peer, PROMPT, "city", "Pa"))["values"] == ["Paris", "Pau", "Parma"]
    assert (await suggested(peer, PROMPT, "city", "Pa", country="Italy"))["values"] == ["Parma"]
    assert (await suggested(peer, PAGE, "city", "Pa", country="France"))["values"] == ["Paris", "Pau"]


async def test_a_hundred_values_are_told_and_how_many_there_are(peer: Any) -> None:
    found = await suggested(peer, PROMPT, "number", "1")

    assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 250, True)
    assert found["values"][0] == "10"


@pytest.mark.parametrize(
    ("ref", "name"),
    [(PROMPT, "note"), (PAGE, "country"), ({"type": "ref/resource", "uri": "wakeful://runs/{runId}"}, "runId")],
)
async def test_what_has_no_completer_has_no_suggestions(peer: Any, ref: Any, name: str) -> None:
    assert (await suggested(peer, ref, name, ""))["values"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"ref": {"type": "ref/prompt", "name": "none"}, "argument": {"name": "city", "value": ""}},
        {"ref": {"type": "ref/prompt", "name": "travel"}, "argument": {"name": "none", "value": ""}},
        {"ref": {"type": "ref/resource", "uri": "docs:none"}, "argument": {"name": "city", "value": ""}},
        {"ref": {"type": "ref/other", "name": "travel"}, "argument": {"name": "city", "value": ""}},
        {"ref": PROMPT, "argument": {"name": "city"}},
        {"ref": PROMPT},
        {"ref": PROMPT, "argument": {"name": "city", "value": ""}, "context": {"arguments": {"country": 3}}},
    ],
)
async def test_what_is_not_offered_cannot_be_completed(peer: Any, params: Any) -> None:
    assert (await peer.ask("completion/complete", params))["error"]["code"] == -32602


async def test_it_is_offered_only_where_the_author_gave_a_completer(offer: Any, peer: Any) -> None:
    bare = await offer()

    able = [(await one.ask("server/discover"))["result"]["capabilities"] for one in (peer, bare)]
    legacy = [(await one.initialize())["capabilities"] for one in (peer, bare)]

    assert ["completions" in one for one in (*able, *legacy)] == [True, False, True, False]


async def test_a_template_is_listed_as_one_and_read_with_its_values(peer: Any) -> None:
    templates = (await peer.ask("resources/templates/list"))["result"]["resourceTemplates"]
    listed = (await peer.ask("resources/list"))["result"]["resources"]
    found = (await peer.ask("resources/read", {"uri": "atlas:France/Le%20Mans"}))["result"]["contents"]

    assert templates[0]["uriTemplate"] == "atlas:{country}/{city}"
    assert listed == []
    assert [one["text"] for one in found] == ["Le Mans in France"]
    for uri in ("atlas:France", "atlas:France/", "atlas:a/b/c", "atlas:{country}/"):
        assert (await peer.ask("resources/read", {"uri": uri}))["error"]["code"] == -32602


def read(topic: str) -> str:
    return topic


@pytest.mark.parametrize("uri", ["docs:x", "docs:{other}", "docs:{topic}/{topic}", "docs:{topic", "docs:{+topic}"])
def test_a_template_and_its_function_name_the_same_variables(uri: str) -> None:
    with pytest.raises(ConfigurationError):
        resource(uri)(read)


def test_only_what_there_is_can_have_a_completer() -> None:
    with pytest.raises(ConfigurationError, match="nothing"):
        prompt(complete={"nothing": []})(read)
    with pytest.raises(ConfigurationError, match="one or two"):
        resource("docs:{topic}", complete={"topic": lambda: []})(read)
