"""The manifest of required behaviours and the tests agree: nothing required is unproved, nothing unknown is proved."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
STATUSES = {"required", "planned"}
Manifest = dict[str, dict[str, Any]]


def read(manifest: Path) -> Manifest:
    return tomllib.loads(manifest.read_text("utf-8"))


def malformed(manifest: Manifest) -> list[str]:
    return [
        name
        for name, entry in manifest.items()
        if entry.keys() != {"behaviour", "status"} or entry["status"] not in STATUSES
    ]


def proofs(tests: Path) -> dict[str, list[str]]:
    """Which test files name which ids in `pytest.mark.proves("A01", "A02")`."""
    found: dict[str, list[str]] = {}
    for file in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
                for name in map(ast.literal_eval, node.args):
                    found.setdefault(name, []).append(str(file.relative_to(tests)))
    return found


def unproved(manifest: Manifest, proved: dict[str, list[str]]) -> list[str]:
    return [name for name, entry in manifest.items() if entry["status"] == "required" and name not in proved]


def unknown(manifest: Manifest, proved: dict[str, list[str]]) -> list[str]:
    return [f"{name} in {', '.join(files)}" for name, files in proved.items() if name not in manifest]


def test_every_entry_says_what_is_required_and_where_it_stands():
    assert malformed(read(TESTS / "requirements.toml")) == []


def test_every_required_behaviour_is_proved():
    assert unproved(read(TESTS / "requirements.toml"), proofs(TESTS)) == []


def test_tests_prove_known_behaviours_only():
    assert unknown(read(TESTS / "requirements.toml"), proofs(TESTS)) == []


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Four entries, of which two are proved, and a proof of something unknown."""
    (tmp_path / "requirements.toml").write_text(
        """
        A01 = { status = "required", behaviour = "Proved." }
        A02 = { status = "required", behaviour = "Proved by a class." }
        A03 = { status = "required", behaviour = "Not proved." }
        A04 = { status = "planned", behaviour = "Not proved yet." }
        """
    )
    marks = (
        'import pytest\n@pytest.mark.{0}("A01")\ndef test_a(): ...\n@pytest.mark.{0}("A02", "Z99")\nclass TestB: ...\n'
    )
    (tmp_path / "test_sample.py").write_text(marks.format("proves"))
    return tmp_path


def test_a_required_behaviour_without_proof_is_found(sample: Path):
    assert unproved(read(sample / "requirements.toml"), proofs(sample)) == ["A03"]


def test_a_proof_of_something_unknown_is_found(sample: Path):
    assert unknown(read(sample / "requirements.toml"), proofs(sample)) == ["Z99 in test_sample.py"]


@pytest.mark.parametrize(
    "entry", ['{ behaviour = "x" }', '{ status = "done", behaviour = "x" }', '{ status = "planned" }']
)
def test_a_malformed_entry_is_found(tmp_path: Path, entry: str):
    (tmp_path / "requirements.toml").write_text(f"A01 = {entry}\n")

    assert malformed(read(tmp_path / "requirements.toml")) == ["A01"]
