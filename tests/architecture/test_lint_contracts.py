"""Each import contract breaks on a bad sample; `make check` proves that the source itself keeps them.

The sample is one import added to an empty copy of the source tree, so nothing but that import can break it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}

# contract id -> one module and an import it must not have
SAMPLES = {
    "contracts": ("contracts/event.py", "import wakeful.sdk.tool"),
    "sdk": ("sdk/agent.py", "import wakeful.engine.loop"),
    "engine": ("engine/loop.py", "import wakeful.sdk.tool"),
    "catalog": ("catalog/editor.py", "import wakeful.engine.loop"),
    "runtime": ("runtime/worker.py", "import wakeful.sdk.tool"),
    "server": ("server/__init__.py", "import wakeful.engine.loop"),
    "protocols": ("protocols/native/__init__.py", "import wakeful.runtime.worker"),
    "protocols-apart": ("protocols/native/__init__.py", "import wakeful.protocols.ai_sdk"),
    "plugs": ("stores/sqlite/__init__.py", "import wakeful.providers"),
    "plugins": ("plugins/mcp/__init__.py", "import wakeful.engine.loop"),
    "bootstrap": ("cli.py", "import wakeful.stores.sqlite"),
    "storeys": ("bootstrap/__init__.py", "import wakeful.cli"),
    "cycles": ("contracts/run.py", "import wakeful.contracts.usage"),
    "front-door": ("server/__init__.py", "import wakeful"),
    "http": ("engine/loop.py", "import starlette"),
    "stores-apart": ("stores/sqlite/__init__.py", "import wakeful.stores.postgres"),
    "databases": ("runtime/worker.py", "import sqlite3"),
    "networks": ("runtime/listener.py", "import nats"),
    "remotes": ("bootstrap/__init__.py", "import a2a"),
    "vendors": ("bootstrap/__init__.py", "import aiohttp"),
}


@pytest.fixture
def empty_copy(tmp_path: Path) -> Path:
    """All modules of the source tree without a line in them."""
    source = ROOT / "src"
    for file in source.rglob("*.py"):
        copy = tmp_path / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    return tmp_path


def lint(copy: Path) -> tuple[int, set[str]]:
    """The exit status of `lint-imports` on a copy, and the names of the contracts it found broken."""
    finished = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache", "--config", ROOT / "pyproject.toml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"},
    )
    assert "Contracts:" in finished.stdout, finished.stdout + finished.stderr
    return finished.returncode, {name for name in NAMES.values() if f"{name} BROKEN" in finished.stdout}


def test_every_contract_has_a_sample():
    assert set(SAMPLES) == set(NAMES)


def test_a_tree_without_imports_keeps_every_contract(empty_copy: Path):
    assert lint(empty_copy) == (0, set())


@pytest.mark.parametrize("contract", sorted(SAMPLES))
def test_a_contract_breaks_on_its_sample(empty_copy: Path, contract: str):
    module, forbidden = SAMPLES[contract]
    (empty_copy / "wakeful" / module).write_text(f"{forbidden}\n")
    if contract == "cycles":
        (empty_copy / "wakeful/contracts/usage.py").write_text("import wakeful.contracts.run\n")

    status, broken = lint(empty_copy)

    assert status == 1
    assert NAMES[contract] in broken
