"""What keeping documents needs in every store: how large one may be, where the ids with a prefix end, refusals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, Conflict, Damaged, NotFound
from wakeful.stores.rows import Row, document_of, json_blob

LARGEST_VALUE = 262_144
"""In bytes, as stored."""

_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x10FFFF


def value_blob(document: Document) -> bytes:
    """A document's value as a column stores it; raises `BadRequest` when it is too large."""
    body = json_blob(document.value)
    if len(body) > LARGEST_VALUE:
        raise BadRequest(
            f"document {document.kind} {document.id}: its value may have {LARGEST_VALUE} bytes as JSON and has "
            f"{len(body)}; store less"
        )
    return body


def beyond(prefix: str) -> str | None:
    """The least text, by code point, above all that begin with `prefix`; None when there is none."""
    stem = prefix.rstrip(chr(_LAST))
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # The database cannot hold surrogates, so the next one that counts is above them.
    return stem[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)


def claimed(rows: Iterable[Row], until: int) -> tuple[Document, ...]:
    """Documents of rows that were due, as they are once they are due again at `until`.

    One whose row is damaged is left out, so that it is in nobody's way.
    """
    return tuple(_claimed(rows, until))


def _claimed(rows: Iterable[Row], until: int) -> Iterator[Document]:
    for row in rows:
        with contextlib.suppress(Damaged):
            document = document_of(row)
            yield msgspec.structs.replace(document, revision=document.revision + 1, due_at=until)


def other_revision(kind: str, id: str, expected: int | None) -> Conflict:
    """The error of a write about another revision than the present one."""
    wanted = f"revision {expected}" if expected else "none of this name"
    return Conflict(f"document {kind} {id}: expected {wanted}, found another; read it again and retry")


def orphaned() -> NotFound:
    """The error of a document whose thread is gone."""
    return NotFound("thread", "removed meanwhile")
