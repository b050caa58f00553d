"""No file over 500 lines, no function over 60, none in `contracts` over 15, no complexity over 10."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "src", ROOT / "tests", ROOT / "examples"]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(folders: list[Path]) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.rglob("*.py")) if "node_modules" not in file.parts]


def long_files(folders: list[Path], limit: int) -> list[str]:
    sizes = ((file, len(file.read_text("utf-8").splitlines())) for file in python_files(folders))
    return [f"{file}: {size} lines, at most {limit}" for file, size in sizes if size > limit]


def functions(file: Path) -> Iterator[Function]:
    tree = ast.parse(file.read_text("utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """From `def` to the last line, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """The lines that do something: without the parameters and the docstring."""
    body = function.body[ast.get_docstring(function) is not None :]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_functions(folders: list[Path], limit: int, measure: Callable[[Function], int] = length) -> list[str]:
    return [
        f"{file}:{function.lineno} {function.name}: {measure(function)} lines, at most {limit}"
        for file in python_files(folders)
        for function in functions(file)
        if measure(function) > limit
    ]


def complex_functions(folders: list[Path]) -> list[str]:
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format", "concise", "--select", "C901",
         "--config", ROOT / "pyproject.toml", *(folder for folder in folders if folder.exists())],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode in (0, 1), checked.stderr
    return checked.stdout.splitlines()


def test_no_file_is_longer_than_500_lines():
    found = long_files(SOURCES, 500)

    assert not found, "\n".join(found)


def test_no_function_is_longer_than_60_lines():
    found = long_functions(SOURCES, 60)

    assert not found, "\n".join(found)


def test_no_function_in_contracts_does_more_than_15_lines():
    found = long_functions([ROOT / "src/wakeful/contracts"], 15, body_length)

    assert not found, "\n".join(found)


def test_no_function_is_more_complex_than_10():
    found = complex_functions(SOURCES)

    assert not found, "\n".join(found)


@pytest.mark.parametrize(("lines", "found"), [(500, 0), (501, 1)])
def test_a_file_is_measured_in_lines(tmp_path: Path, lines: int, found: int):
    (tmp_path / "sample.py").write_text("x = 1\n" * lines)

    assert len(long_files([tmp_path], 500)) == found


@pytest.mark.parametrize("keyword", ["def", "async def"])
@pytest.mark.parametrize(("lines", "found"), [(60, 0), (61, 1)])
def test_a_function_is_measured_from_def_to_its_last_line(tmp_path: Path, keyword: str, lines: int, found: int):
    body = "        x = 1\n" * (lines - 1)
    (tmp_path / "sample.py").write_text(f"class A:\n    @staticmethod\n    {keyword} long():\n{body}")

    assert len(long_functions([tmp_path], 60)) == found


@pytest.mark.parametrize(("lines", "found"), [(15, 0), (16, 1)])
def test_a_function_of_contracts_is_measured_by_its_body(tmp_path: Path, lines: int, found: int):
    body = "    x = 1\n" * lines
    (tmp_path / "sample.py").write_text(
        f'def long(\n    a: int,\n) -> None:\n    """Say what.\n\n    And more."""\n{body}'
    )

    assert len(long_functions([tmp_path], 15, body_length)) == found


@pytest.mark.parametrize(("branches", "found"), [(9, 0), (10, 1)])
def test_complexity_counts_branches(tmp_path: Path, branches: int, found: int):
    body = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(branches))
    (tmp_path / "sample.py").write_text(f"def choose(x):\n{body}    return x\n")

    assert len(complex_functions([tmp_path])) == found
