"""The configuration files of docs/deployment.md, so that tests run what a reader would copy."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "deployment.md"
_BLOCK = re.compile(r"^(?:    .*\n|\n(?=    ))+", re.MULTILINE)


def block(sign: str) -> str:
    """The indented block that has this line, without its indentation."""
    found = [
        text
        for match in _BLOCK.finditer(GUIDE.read_text("utf-8"))
        if sign in (text := re.sub(r"^ {4}", "", match[0], flags=re.MULTILINE).strip("\n") + "\n").splitlines()
    ]
    assert len(found) == 1, f"docs/deployment.md has {len(found)} blocks with the line {sign!r}"
    return found[0]


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text as it is here: each key, which must be there, gives way to its value."""
    for old, new in changes.items():
        assert old in text, f"docs/deployment.md no longer has {old!r}"
        text = text.replace(old, new)
    return text
