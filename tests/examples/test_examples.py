"""Every example runs as a newcomer would run it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
README = Path(__file__).parents[2] / "README.md"
QUESTION = 'use add {"a": 2, "b": 3}'
RUN = json.dumps({"agent_id": "assistant", "messages": [{"role": "user", "content": QUESTION}]})


def run(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY") and key != "MODEL"}
    return subprocess.run(
        [sys.executable, EXAMPLES / name],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(command: list[str], port: int, path: str, **environment: str) -> Iterator[str]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}{path}", process)
        yield base
    finally:
        process.terminate()
        assert process.wait(30) in (0, -15)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "the example ended before it served"
            assert time.monotonic() < deadline, "the example does not serve"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post(url: str, body: str) -> str:
    request = urllib.request.Request(url, body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read().decode()


def test_the_in_process_example_runs_streams_and_decides() -> None:
    done = run("01_in_process.py")

    assert done.returncode == 0, done.stderr
    assert "get_weather gave sunny in Paris" in done.stdout
    assert 'asks:   May send_email run? {"to":"bob@example.com","body":"hi"}' in done.stdout
    assert "sent 'hi' to bob@example.com" in done.stdout.rpartition("then:")[2]


@pytest.mark.network
def test_the_serving_example_answers_over_http() -> None:
    port = free_port()
    command = [sys.executable, str(EXAMPLES / "02_serve.py")]

    with serving(command, port, "/health", ADDRESS=f"127.0.0.1:{port}") as base:
        stream = post(f"{base}/v1/runs", RUN)

    assert '"type":"run_started"' in stream
    assert '"name":"add","status":"succeeded","output":5' in stream
    assert '"outcome":"completed"' in stream


def test_the_tools_example_shows_progress_errors_and_effects() -> None:
    done = run("03_tools.py")

    assert done.returncode == 0, done.stderr
    assert "order failed there are only 0 of coffee" in done.stdout
    assert "packing tea 1/1" in done.stdout
    assert done.stdout.rstrip().endswith("run completed")


@pytest.mark.network
def test_the_mounted_example_serves_both_apps() -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "04_mount_in_fastapi:app",
        "--port",
        str(port),
        "--app-dir",
        str(EXAMPLES),
    ]

    with serving(command, port, "/hello") as base:
        with urllib.request.urlopen(f"{base}/agents/health") as health:
            healthy = health.status
        stream = post(f"{base}/agents/v1/runs", RUN)

    assert healthy == 200
    assert '"outcome":"completed"' in stream


def test_the_real_model_example_says_what_to_set() -> None:
    done = run("05_real_model.py")

    assert done.returncode == 1
    assert "Set OPENAI_API_KEY" in done.stderr


def test_the_real_model_example_reports_a_model_it_cannot_reach() -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1"

    done = run("05_real_model.py", MODEL="openai:any", OPENAI_BASE_URL=nobody, WAKEFUL_MAX_ATTEMPTS="1")

    assert done.returncode == 0, done.stderr
    assert "failed: ErrorReport(code='model_unavailable'" in done.stdout


def test_the_testing_example_passes() -> None:
    done = run("06_test_your_agent.py")

    assert done.returncode == 0, done.stderr
    assert "the waiter books" in done.stdout


def test_the_state_example_shares_one_list() -> None:
    done = run("07_shared_state.py")

    assert done.returncode == 0, done.stderr
    last = [line for line in done.stdout.splitlines() if line.startswith("starts with")][-1]
    assert "milk" in last
    assert "bread" in last
    assert "'value': 'tea'" in done.stdout


def test_the_delegates_example_uses_the_other_agents_answer() -> None:
    done = run("08_delegates.py")

    assert done.returncode == 0, done.stderr
    assert "researcher works in run" in done.stdout
    assert done.stdout.rstrip().endswith("It is 4806 m high.")


def test_the_function_agent_example_asks_and_goes_on_with_the_answer() -> None:
    done = run("09_function_agent.py")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "status: looking at the calendar",
        "asks: Which day suits you?",
        "text: You leave on Friday.",
        "journey: {'day': 'Friday', 'to': 'Rome'}",
        "plan: Friday: ",
        "plan: the train to Rome",
    ]


def test_the_remote_agents_example_answers_the_other_servers_question() -> None:
    done = run("10_remote_agents.py")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["For which city?", "Sun in Rome."]


def test_the_a2a_server_example_is_called_by_the_official_client() -> None:
    done = run("11_a2a_server.py")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "TASK_STATE_WORKING",
        "TASK_STATE_WORKING looking at the calendar",
        "TASK_STATE_INPUT_REQUIRED Which day suits you?",
        "response: You leave on Friday.",
        "Plan: The train at 9:04.",
        "TASK_STATE_COMPLETED",
    ]


def test_the_mcp_server_example_is_used_by_the_official_client() -> None:
    done = run("12_mcp_server.py")

    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told["tools"] == "librarian find lend"
    assert told["found"] == "{'titles': ['ulysses']}"
    assert told["asked"] == "May lend run?"
    assert "emma is yours for two weeks" in told["lent"]
    assert "Jane Austen, 1815" in told["read"]
    assert "Write a kind review of emma." in told["prompt"]
    assert told["suggested"] == "['dracula']"


def test_every_example_is_listed_and_tested() -> None:
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    listed = re.findall(r"`(\d\d_\w+\.py)`", (EXAMPLES / "README.md").read_text("utf-8"))
    here = Path(__file__).read_text("utf-8")

    assert listed == names
    assert all(name in here or name.removesuffix(".py") in here for name in names)


CODE = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_the_readme_code_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "readme.py").write_text(code, "utf-8")

    done = subprocess.run(
        [sys.executable, "readme.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
