"""What a reply cites, on every wire: bounded, numbered, and placed behind the words that rest on it.

Titles and passages come from pages and documents nobody here has checked. What is odd is left out; nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from wakeful.contracts.event import SourceCited, TextDelta
from wakeful.contracts.message import SourcePart
from wakeful.contracts.model import ModelChunk, ModelRequest

MAX_SOURCES = 200
LONGEST_URL = 2048
LONGEST_TITLE = 300
LONGEST_PASSAGE = 2000
UNKNOWN_TYPE = "application/octet-stream"

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


T = TypeVar("T")


class Span(msgspec.Struct, frozen=True):
    """Which words rest on a source: from `start` to `end`, in characters of all the reply's text."""

    start: int
    end: int


class Citations:
    """The sources of one reply, collected by its reader, which passes all its chunks through `place`.

    A source comes behind the text it was cited in and does not end that text; its position counts in it. Ids are
    `source_<reply>_<n>`, with the reply counted over the thread: the same request always yields the same ids. The same
    page or document is one source, unless it is cited for other words or with another passage.
    """

    def __init__(self, request: ModelRequest) -> None:
        self._reply = sum(message.role == "assistant" for message in request.messages) + 1
        self._known: set[tuple[str, Span | None, str | None]] = set()
        self._waiting: list[tuple[SourcePart, Span | None]] = []
        self._run_begins = 0
        self._written = 0

    @property
    def written(self) -> int:
        """How many characters of text the reply has so far; what a `Span` counts in."""
        return self._written

    def cite_page(
        self, url: str | None, *, title: str | None = None, passage: str | None = None, span: Span | None = None
    ) -> None:
        """A page of the web. Anything but a plain http or https URL is left out."""
        if url is not None and is_page(url):
            self._cite(url, SourcePart("", url=url, title=_bounded(title, LONGEST_TITLE)), passage, span)

    def cite_document(
        self,
        title: str | None,
        *,
        media_type: str | None = None,
        filename: str | None = None,
        passage: str | None = None,
        span: Span | None = None,
    ) -> None:
        """A document. One without a title is left out; its name tells the type where none is given."""
        title, filename = _bounded(title, LONGEST_TITLE), _bounded(filename, LONGEST_TITLE)
        if title is not None:
            media_type = media_type or type_of(filename or title)
            self._cite(title, SourcePart("", title=title, media_type=media_type, filename=filename), passage, span)

    def place(self, chunks: Iterable[ModelChunk]) -> list[ModelChunk]:
        """The chunks of one event, with what was cited since the last ones behind their text."""
        placed: list[ModelChunk] = []
        for chunk in chunks:
            if isinstance(chunk, TextDelta):
                self._written += len(chunk.delta)
            else:
                self._release(placed)
                self._run_begins = self._written
            placed.append(chunk)
        self._release(placed)
        return placed

    def _release(self, placed: list[ModelChunk]) -> None:
        if self._waiting:
            placed += [SourceCited(self._positioned(source, span)) for source, span in self._waiting]
            self._waiting.clear()

    def _cite(self, place: str, source: SourcePart, passage: str | None, span: Span | None) -> None:
        passage = _bounded(passage, LONGEST_PASSAGE)
        if (place, span, passage) in self._known or len(self._known) == MAX_SOURCES:
            return
        self._known.add((place, span, passage))
        number = f"source_{self._reply}_{len(self._known)}"
        self._waiting.append((msgspec.structs.replace(source, id=number, cited_text=passage), span))

    def _positioned(self, source: SourcePart, span: Span | None) -> SourcePart:
        """The source with its position in the text that was written last; one elsewhere has none."""
        begins = self._run_begins
        if span is None or not begins <= span.start < span.end <= self._written:
            return source
        return msgspec.structs.replace(source, start=span.start - begins, end=span.end - begins)


def is_page(url: str) -> bool:
    """Whether this is an http or https URL of bearable length, with a host and without credentials."""
    if len(url) > LONGEST_URL or not _VISIBLE.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def readable(decoder: msgspec.json.Decoder[T], annotation: msgspec.Raw) -> T | None:
    """What an annotation says; None for one that cannot be understood, which is no reason to lose the reply."""
    try:
        return decoder.decode(annotation)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def type_of(name: str) -> str:
    """The media type the ending of a file's name stands for."""
    return _TYPES.get(name.rpartition(".")[2].lower(), UNKNOWN_TYPE)


def _bounded(text: str | None, longest: int) -> str | None:
    """One line of what can be printed, cut at `longest` characters; None where nothing is left."""
    words = "".join(char if char.isprintable() else " " for char in (text or "")[: longest * 2]).split()
    line = " ".join(words)
    return (line if len(line) <= longest else line[: longest - 1] + "…") or None
