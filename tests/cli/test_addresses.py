"""Where a command serves: its options win, then what somebody set, then loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from wakeful.cli.target import load_server

SERVER = """
from wakeful import Agent, AgentRuntime, AgentServer, ServerConfig

runtime = AgentRuntime(agents=[Agent("assistant", model="demo:offline")])
silent = AgentServer(runtime, ServerConfig(heartbeat_seconds=3))
own = AgentServer(runtime, ServerConfig(address="127.0.0.2:4000", sse_buffer_size=7))
"""


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAKEFUL_ADDRESS", raising=False)


@pytest.fixture
def target(tmp_path: Path) -> str:
    path = tmp_path / "addressed.py"
    path.write_text(SERVER, "utf-8")
    return str(path)


def test_nobody_said_anything_means_loopback(target: str) -> None:
    assert load_server(None, store=None).config.address == "127.0.0.1:3000"
    assert load_server(f"{target}:silent", store=None).config.address == "127.0.0.1:3000"


def test_the_environments_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAKEFUL_ADDRESS", "127.0.0.3:5000")

    assert load_server(None, store=None).config.address == "127.0.0.3:5000"


def test_a_server_keeps_the_address_and_the_settings_it_was_given(target: str) -> None:
    config = load_server(f"{target}:own", store=None).config

    assert (config.address, config.sse_buffer_size) == ("127.0.0.2:4000", 7)


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [("::1", None, "[::1]:4000"), (None, 81, "127.0.0.2:81"), ("localhost", 0, "localhost:0")],
)
def test_options_win_one_by_one(target: str, host: str | None, port: int | None, address: str) -> None:
    assert load_server(f"{target}:own", store=None, host=host, port=port).config.address == address
