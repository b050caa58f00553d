"""No file names a package registry: where packages come from is the business of whoever installs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Put together here, so that this file does not contain them.
HOSTS = [
    ".".join(parts).encode()
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
    )
]
# What git ignores and what git keeps for itself.
SKIPPED = {".git", ".venv", ".hypothesis", ".import_linter_cache", ".pytest_cache", ".ruff_cache"} | {
    "__pycache__",
    "node_modules",
    "dist",
}


def project_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(folder, file) for file in sorted(files) if not file.endswith((".db", ".db-wal", ".db-shm")))


def addresses(root: Path) -> list[str]:
    return [
        f"{file.relative_to(root)}: {host.decode()}"
        for file in project_files(root)
        for host in HOSTS
        if host in file.read_bytes().lower()
    ]


def test_no_file_names_a_package_registry():
    found = addresses(ROOT)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("host", HOSTS)
def test_a_registry_is_found_in_any_file(tmp_path: Path, host: bytes):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "lock.json").write_bytes(b'{"resolved": "https://' + host.upper() + b'/x"}')

    assert addresses(tmp_path) == [f"deep/lock.json: {host.decode()}"]


def test_what_git_ignores_is_not_read(tmp_path: Path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "RECORD").write_bytes(HOSTS[0])

    assert addresses(tmp_path) == []
