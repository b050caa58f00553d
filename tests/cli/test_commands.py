"""The commands that end by themselves: what they print, and how they fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wakeful.cli.main import main

AGENT = "from wakeful import Agent\nagent = Agent('mine', model='demo:offline')\nagents = [agent]\nnothing = 5\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: Any) -> Iterator[Any]:
    """Runs a command in an empty folder; the modules of that folder are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), **options)

    yield invoke
    for name in ("mine", "broken", "raises"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["serve", "--help"], ["version"]])
def test_help_imports_nothing_heavy(arguments: list[str]):
    heavy = "{'fastapi', 'starlette', 'pydantic', 'aiohttp', 'uvicorn', 'msgspec', 'asyncio'}"
    script = (
        "import sys\nfrom wakeful.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n"
        f"    assert end.code == 0\n    print('heavy:', sorted({heavy} & sys.modules.keys()))"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert "heavy: []" in found.stdout


def test_python_m_wakeful_is_the_same_command():
    found = subprocess.run([sys.executable, "-m", "wakeful"], capture_output=True, text=True, timeout=60, check=False)

    assert "Usage: wakeful" in found.stdout + found.stderr


def test_version_prints_the_version(run: Any):
    assert run("version").output == f"{version('wakeful')}\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere", "expected module:attribute or file.py:attribute, found 'nowhere'"),
        (":agent", "expected module:attribute"),
        ("missing.py:agent", "there is no file missing.py"),
        ("missing.module:agent", "there is no module 'missing.module' here"),
        ("mine.py:absent", "mine.py has no attribute 'absent'"),
        ("mine.py:nothing", "mine.py:nothing is a int; expected an AgentServer, an AgentRuntime, an Agent or a list"),
        ("mine:nothing", "mine:nothing is a int"),
        ("broken.py:agent", "unknown model 'nonsense'"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "dev", "chat"])
def test_a_target_that_cannot_be_served_is_told_in_one_line(
    run: Any, tmp_path: Path, command: str, target: str, message: str
):
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "broken.py").write_text("from wakeful import Agent\nagent = Agent('x', model='nonsense')\n")

    result = run(command, target)

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("command", [["serve"], ["dev"], ["chat"], ["doctor"]])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAKEFUL_SSE_BUFFER_SIZE", "0"),
        ("WAKEFUL_API_TOKENS", "hunter2"),
        ("WAKEFUL_API_TOKENS", '{"a": "hunter 2"}'),
        ("WAKEFUL_MAX_BACKLOG", "0"),
        ("WAKEFUL_LEASE_SECONDS", "hunter2"),
    ],
)
def test_senseless_settings_are_named_without_their_values(run: Any, command: list[str], name: str, value: str):
    result = run(*command, env={name: value})

    assert result.exit_code == 1
    assert name.removeprefix("WAKEFUL_").lower() in result.output.lower()
    assert "hunter" not in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("store", ["mysql://x", "sqlite://x", "sqlite:///", "nonsense"])
def test_a_store_url_that_makes_no_sense_is_told(run: Any, store: str):
    result = run("serve", "--store", store)

    assert result.exit_code == 1
    assert "expected a store URL such as sqlite:///wakeful.db" in result.output


def test_db_upgrade_makes_the_schema(run: Any, tmp_path: Path):
    result = run("db", "upgrade", "--store", "sqlite:///wakeful.db")

    assert result.exit_code == 0, result.output
    assert (tmp_path / "wakeful.db").stat().st_size > 0
    assert run("db", "upgrade", "--store", "sqlite:///wakeful.db").exit_code == 0


def test_db_upgrade_of_something_else_fails_readably(run: Any, tmp_path: Path):
    (tmp_path / "other.db").write_text("this is no database" * 100)

    result = run("db", "upgrade", "--store", "sqlite:///other.db")

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_doctor_finds_a_healthy_machine_and_shows_no_secret(run: Any, monkeypatch: Any):
    environment = {
        "OPENAI_API_KEY": "sk-hunter2",
        "WAKEFUL_API_TOKENS": '{"team": "hunter2"}',
        "WAKEFUL_MAX_BACKLOG": "7",
        "WAKEFUL_COMPACT_AFTER_SECONDS": "null",
    }

    result = run("doctor", "--store", "sqlite:///wakeful.db", env=environment)

    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output
    assert "ok    key OPENAI_API_KEY: set" in result.output
    assert "ok    target: demo has agents assistant" in result.output
    assert "ok    setting WAKEFUL_ADDRESS: 127.0.0.1:3000" in result.output
    assert "ok    setting WAKEFUL_MAX_BACKLOG: 7" in result.output
    assert "ok    setting WAKEFUL_COMPACT_AFTER_SECONDS: null" in result.output
    assert "ok    setting WAKEFUL_SHUTDOWN_GRACE_SECONDS: 30.0" in result.output
    assert "ok    scopes in WAKEFUL_API_TOKENS: team" in result.output
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [(["absent.py:agent"], "target"), (["raises.py:agent"], "target"), (["--store", "nonsense"], "store")],
)
def test_doctor_names_what_is_wrong(run: Any, tmp_path: Path, arguments: list[str], subject: str):
    (tmp_path / "raises.py").write_text("raise RuntimeError('on import')\n")

    result = run("doctor", *arguments)

    assert result.exit_code == 1
    assert f"FAIL  {subject}: " in result.output
    assert isinstance(result.exception, SystemExit)


def test_chat_answers_what_is_piped_in(run: Any):
    result = run("chat", input="weather in Paris\n\nthink about time\n")

    assert result.exit_code == 0, result.output
    assert '[get_weather {"city":"Paris"}]' in result.output
    assert "[get_weather succeeded" in result.output
    assert "it is worth a second look." in result.output


@pytest.mark.parametrize(
    ("answer", "status"), [("y", "succeeded"), ("n", "denied"), ("", "denied"), ("yes!", "denied")]
)
def test_chat_asks_for_approvals(run: Any, answer: str, status: str):
    result = run("chat", input=f"email bob@example.com hi\n{answer}\n")

    assert f"[send_email {status}" in result.output


def test_chat_denies_what_is_not_answered_before_the_end_of_input(run: Any):
    result = run("chat", input="email bob@example.com hi\n")

    assert "[send_email denied" in result.output
    assert result.exit_code == 0


def test_chat_tells_a_failure_and_goes_on(run: Any):
    result = run("chat", input="fail\nhello\n")

    assert "model_request_invalid: the demo model was asked to fail" in result.output
    assert 'You said "hello"' in result.output


def test_chat_continues_a_thread_of_a_store(run: Any):
    for text in ("hello", "hello again"):
        assert run("chat", "--store", "sqlite:///wakeful.db", "--thread", "t", input=f"{text}\n").exit_code == 0

    assert "thread t" in run("chat", "--store", "sqlite:///wakeful.db", "--thread", "t", input="").output


def test_chat_with_an_unknown_agent_is_told(run: Any):
    result = run("chat", "--agent", "nobody", input="hello\n")

    assert result.exit_code == 1
    assert "agent not found: nobody" in result.output
