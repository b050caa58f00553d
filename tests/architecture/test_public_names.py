"""The public face: exactly these names, each explained, none paid for before it is used."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import wakeful

PUBLIC = [
    "Agent",
    "AgentFailed",
    "AgentRequest",
    "AgentRuntime",
    "AgentServer",
    "AgentSpec",
    "Artifact",
    "AskAuthorisation",
    "AskUser",
    "Data",
    "Decision",
    "Endpoint",
    "Exposed",
    "FilePart",
    "McpServerSpec",
    "ModelPoolSpec",
    "ModelSpec",
    "PoolMember",
    "Reasoning",
    "Refused",
    "RunResult",
    "ServerConfig",
    "Status",
    "ToolContext",
    "ToolError",
    "ToolQuestion",
    "WakefulError",
    "agent",
    "prompt",
    "resource",
    "tool",
]
HEAVY = {"aiohttp", "asyncio", "fastapi", "msgspec", "pydantic", "sqlite3", "starlette", "uvicorn"}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules a fresh interpreter has loaded after `statement`."""
    program = f"import json, sys\n{statement}\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    finished = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(finished.stdout))


def test_the_public_names_are_exactly_these():
    assert sorted(wakeful.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_explains_itself(name: str):
    assert inspect.getdoc(getattr(wakeful, name))


def test_dir_lists_the_public_names():
    assert set(PUBLIC) <= set(dir(wakeful))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Nothing"):
        _ = wakeful.Nothing  # type: ignore[attr-defined]


def test_importing_wakeful_loads_nothing_heavy():
    assert loaded_by("import wakeful") & HEAVY == set()


def test_importing_something_heavy_is_noticed():
    assert {"pydantic", "msgspec"} <= loaded_by("import wakeful.sdk.agent")


def test_authoring_loads_no_server():
    assert loaded_by("import wakeful.sdk.agent") & {"aiohttp", "fastapi", "sqlite3", "starlette", "uvicorn"} == set()
