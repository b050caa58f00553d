"""Runs yesterday's code, kept in `wakeful.zip`, on today's schema. `freeze.py` says how it is kept."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent
SESSION_LOOP = ("asyncio_default_fixture_loop_scope=session", "asyncio_default_test_loop_scope=session")
PATIENCE = 240


async def run_old_code(folder: Path, migrations: Path, *arguments: str, database: str | None = None) -> tuple[int, str]:
    """The exit code and the words of pytest on yesterday's suite, after these migrations; `folder` is for its files."""
    with zipfile.ZipFile(FOLDER / "wakeful.zip") as archive:
        archive.extractall(folder / "yesterday")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    settings |= {"PYTHONPATH": str(folder / "yesterday"), "OLD_CODE_MIGRATIONS": str(migrations)}
    if database is not None:
        settings["OLD_CODE_DATABASE"] = database
    options = [part for option in ("asyncio_mode=auto", *SESSION_LOOP) for part in ("-o", option)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "--noconftest", "-c", os.devnull, "-p", "no:cacheprovider"),
        *(*options, "--rootdir", str(FOLDER), "--basetemp", str(folder / "temporary"), *arguments),
        str(FOLDER / "old_process.py"),
        env=settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode()


def with_migration(folder: Path, migrations: Path, sql: str) -> Path:
    """A copy of these migrations with one more."""
    copied = shutil.copytree(migrations, folder / "migrations")
    (copied / "9999_more.sql").write_text(sql, "utf-8")
    return copied
