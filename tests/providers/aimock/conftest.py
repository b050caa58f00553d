"""Starts the mock model server `llmock` (npm package @copilotkit/aimock) on a free loopback port."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "e2e" / "node_modules" / ".bin"


@pytest.fixture(scope="session")
def aimock_url() -> Iterator[str]:
    """The server's base URL. Skips without llmock, unless WAKEFUL_REQUIRE_AIMOCK=1 makes that a failure."""
    command = [_llmock(), "-p", "0", "-f", str(HERE / "fixtures"), "--strict", "--chunk-size", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _llmock() -> str:
    folder = Path(os.environ.get("WAKEFUL_AIMOCK_BIN") or INSTALLED)
    binary = folder / "llmock"
    if shutil.which("node") is None:
        _missing("node is not installed")
    if not binary.exists():
        _missing(f"{binary.name} is not in {folder}: install the npm package, or set WAKEFUL_AIMOCK_BIN to its folder")
    return str(binary)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("WAKEFUL_REQUIRE_AIMOCK") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"listening on (http://\S+)", line):
            return found[1]
    pytest.fail(f"llmock ended before it listened: {''.join(said)}")
