r"""Globs, the way this product names several things at once: `mcp__github__*`, `git push *`.

`*` is any text, also none, and crosses everything; `?` is one character; `\` takes the next one as it is. All else
stands for itself, case included. There are no character classes and no alternatives.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from wakeful.contracts.regex import text_matcher

LONGEST = 1000
PIECE = re.compile(r"\\(?P<literal>.)|(?P<wild>[*?])|(?P<plain>[^\\*?]+)", re.DOTALL)
WILD = {"*": ".*", "?": "."}


class Glob:
    """One glob, compiled; matching takes time linear in the text."""

    __slots__ = ("_matcher", "head", "literal", "text")

    def __init__(self, text: str) -> None:
        """Raises `ValueError` saying what is wrong with the text."""
        if not 0 < len(text) <= LONGEST:
            raise ValueError(f"expected a pattern of 1 to {LONGEST} characters, found {len(text)}")
        pieces = list(PIECE.finditer(text))
        if sum(len(piece[0]) for piece in pieces) < len(text):
            raise ValueError(f"the pattern {text!r} ends in a lone backslash; write \\\\ for the character itself")
        self.text = text
        first = next((i for i, piece in enumerate(pieces) if piece["wild"]), None)
        wild = first is not None
        self.head = "".join(piece["literal"] or piece["plain"] for piece in pieces[:first])
        """What every text that fits begins with."""
        self.literal = None if wild else self.head
        """The one text that fits, None where several may."""
        self._matcher = text_matcher(f"(?s)\\A{''.join(map(_translated, pieces))}\\z") if wild else None

    def fits(self, text: str) -> bool:
        """Whether the whole text is what the glob says."""
        return text == self.literal if self._matcher is None else self._matcher.isinstance_python(text)


@lru_cache(maxsize=4096)
def glob(text: str) -> Glob:
    """The glob, compiled once; raises `ValueError`."""
    return Glob(text)


def _translated(piece: re.Match[str]) -> str:
    return WILD[piece["wild"]] if piece["wild"] else re.escape(piece["literal"] or piece["plain"])


def _checked(text: str) -> str:
    glob(text)
    return text


GlobText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_checked)]
