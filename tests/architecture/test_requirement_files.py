"""The core is slim, and what the Makefile installs is pinned without saying where it comes from."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+")


def installed_with(distribution: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """Everything that installing `distribution` without extras brings, itself included."""
    seen |= {canonicalize_name(distribution)}
    for requirement in map(Requirement, requires(distribution) or []):
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and canonicalize_name(requirement.name) not in seen:
            seen = installed_with(requirement.name, seen)
    return seen


def unpinned(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if line and not line.startswith(("#", "-r ")))
    return [line for line in lines if not PIN.fullmatch(line)]


def pins(file: str) -> set[str]:
    lines = (ROOT / "requirements" / file).read_text("utf-8").splitlines()
    return {canonicalize_name(line.partition("==")[0]) for line in lines if PIN.fullmatch(line)}


def test_the_core_stays_below_25_distributions():
    dependencies = installed_with("wakeful") - {"wakeful"}

    assert len(dependencies) < 25, sorted(dependencies)


def test_dependencies_of_dependencies_are_counted():
    assert {"fastapi", "starlette", "anyio", "idna"} <= installed_with("wakeful")


def test_make_serve_installs_all_of_the_core():
    assert installed_with("wakeful") - {"wakeful"} <= pins("run.txt")


@pytest.mark.parametrize("file", ["run.txt", "dev.txt"])
def test_every_line_is_an_exact_version(file: str):
    assert unpinned((ROOT / "requirements" / file).read_text("utf-8")) == []


@pytest.mark.parametrize("line", ["httpx", "httpx>=0.28", "-i address", "x @ file:///x", "httpx==0.28 --hash=sha256:0"])
def test_a_line_that_is_no_exact_version_is_found(line: str):
    assert unpinned(f"# why\n-r run.txt\nidna==3.20\n{line}\n") == [line]
