"""Keeps the store code of this moment, for tests that later schemas do not break it. Run it at every release.

    python tests/stores/frozen/freeze.py [SOURCES]

It replaces the archive beside this file by one of `SOURCES` (`src`): the stores, what they import, and their suite.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ARCHIVE = Path(__file__).with_name("wakeful.zip")
ROOMS = ("contracts", "stores", "testing")
A_MOMENT = (2000, 1, 1, 0, 0, 0)
"""The same sources make the same archive."""


def freeze(sources: Path, archive: Path) -> int:
    """Write the archive; how many files it holds."""
    package = sources / "wakeful"
    found = [package / "__init__.py", *(file for room in ROOMS for file in (package / room).rglob("*"))]
    files = sorted(file for file in found if file.suffix in {".py", ".sql"})
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(sources).as_posix(), A_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, file.read_bytes())
    return len(files)


if __name__ == "__main__":
    default = Path(__file__).parents[3] / "src"
    count = freeze(Path(sys.argv[1]) if len(sys.argv) > 1 else default, ARCHIVE)
    print(f"{ARCHIVE.name} holds {count} files, {ARCHIVE.stat().st_size:,} bytes")
