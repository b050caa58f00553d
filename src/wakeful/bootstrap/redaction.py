"""Keeps values that are known to be secret out of the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable

SHORTEST = 6
"""Characters of the shortest value that is hidden: shorter ones protect nothing, and are part of ordinary words."""


class Redaction:
    """Hides values that it was told of."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, values: Iterable[str]) -> None:
        """Hide these from now on, also as they look when they are quoted."""
        for value in values:
            if len(value) >= SHORTEST:
                self._secrets |= {value, repr(value)[1:-1]}

    def redact(self, text: str) -> str:
        """The text with `***` in their place, the longest first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


class RedactingFormatter(logging.Formatter):
    """Writes lines as another formatter does, stack traces included, without what has to be hidden."""

    def __init__(self, redaction: Redaction, inner: logging.Formatter) -> None:
        super().__init__()
        self._redaction = redaction
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self._redaction.redact(self._inner.format(record))
