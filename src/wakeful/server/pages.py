"""Opaque cursors: where the next page begins, bound to the filters of the first."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from wakeful.contracts.errors import BadRequest

LARGEST = 200
DEFAULT = 50


Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Cursor(msgspec.Struct, array_like=True):
    """The sort key of the last row seen, and a fingerprint of the filters it belongs to."""

    filters: str
    position: tuple[Number, Number | str]


def clamp(limit: int) -> int:
    """A page size within 1..200."""
    return max(1, min(limit, LARGEST))


def given(*values: str | None) -> str | None:
    """The first of a filter's spellings that is not blank."""
    return next((value.strip() for value in values if value and value.strip()), None)


def encode_cursor(filters: Mapping[str, Any], position: tuple[int, int | str]) -> str:
    """A token for the page after `position`."""
    cursor = Cursor(_fingerprint(filters), position)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode_cursor(token: str, filters: Mapping[str, Any]) -> tuple[int, int | str]:
    """The position in a token; raises `BadRequest` for junk and for a token of another query."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise BadRequest("cursor must be a token from next_cursor of an earlier page") from None
    if cursor.filters != _fingerprint(filters):
        raise BadRequest("cursor does not match the query's filters; start again without a cursor")
    return cursor.position


def _fingerprint(filters: Mapping[str, Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(filters, order="sorted"), digest_size=6).hexdigest()
