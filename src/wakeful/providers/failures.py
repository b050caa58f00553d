"""Turns what a vendor says about a failure into a `ModelError`, without repeating a secret.

Decided in this order: the vendor's code and type names, the wording (only where a vendor has no name for a prompt
that is too long), the HTTP status.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from wakeful.contracts.errors import ModelError
from wakeful.contracts.model_errors import (
    ContentFiltered,
    ContextOverflow,
    MalformedReply,
    ModelNotFound,
    ModelRequestInvalid,
    ModelTimeout,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)

LONGEST_MESSAGE = 500
SHORTEST_SECRET = 6

_NAMES: Mapping[str, type[ModelError]] = {
    "context_length_exceeded": ContextOverflow,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "overloaded_error": Overloaded,
    "server_is_overloaded": Overloaded,
    "model_not_found": ModelNotFound,
    "not_found_error": ModelNotFound,
    "invalid_api_key": ModelUnauthorised,
    "authentication_error": ModelUnauthorised,
    "permission_error": ModelUnauthorised,
    # Waiting does not refill an account, so these are not rate limits although some come as 429.
    "insufficient_quota": ModelUnauthorised,
    "billing_error": ModelUnauthorised,
    "content_filter": ContentFiltered,
    "content_policy_violation": ContentFiltered,
    "image_content_policy_violation": ContentFiltered,
    "bio_policy": ContentFiltered,
    "misalignment_policy_violation": ContentFiltered,
    "invalid_prompt": ContentFiltered,
}
_STATUSES: Mapping[int, type[ModelError]] = {
    401: ModelUnauthorised,
    402: ModelUnauthorised,
    403: ModelUnauthorised,
    404: ModelNotFound,
    408: ModelUnavailable,
    429: RateLimited,
    503: Overloaded,
    529: Overloaded,
}
_BLAMES_REQUEST = ("invalid", "badrequest", "image_", "unsupported_", "empty_image", "failed_to_download_image")
_OVERFLOW = re.compile(r"prompt is too long|maximum context length|exceed(s|ed)? (the )?context", re.IGNORECASE)
_KEY = re.compile(r"\b(sk|pk|key|gsk|xai)-[\w*.-]{6,}")


class ErrorBody(msgspec.Struct, frozen=True):
    """The `error` object all vendors send, as a body or inside a stream; `code` is a name or an HTTP status."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Reply(msgspec.Struct, frozen=True):
    error: ErrorBody | str | None = None
    message: str | None = None
    detail: Any = None  # a text, or a list where the server is FastAPI


class Failures:
    """Everything that can go wrong with one vendor, as errors to raise. `secrets` never appear in a message."""

    def __init__(self, source: str, secrets: Iterable[str | None] = ()) -> None:
        self._source = source
        self._secrets = tuple(secret for secret in secrets if secret and len(secret) >= SHORTEST_SECRET)

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
        """The vendor answered with an error status."""
        error = _error_body(body)
        text = self.clean(error.message or "no message")
        kind = _kind(error, status)
        return kind(f"{self._source} answered {status}: {text}", retry_after_ms=retry_after_ms(headers))

    def reported(self, error: ErrorBody) -> ModelError:
        """The vendor reported an error inside a stream that had begun well."""
        status = error.code if isinstance(error.code, int) else None
        text = self.clean(error.message or error.type or "no message")
        return _kind(error, status)(f"{self._source} failed in the middle of the reply: {text}")

    def dropped(self) -> ModelUnavailable:
        """The stream ended before the reply did."""
        return ModelUnavailable(f"connection dropped: the reply of {self._source} ended before it was complete")

    def unreachable(self, reason: str) -> ModelUnavailable:
        """No connection could be made."""
        return ModelUnavailable(f"cannot connect to {self._source}: {self.clean(reason)}")

    def slow_to_connect(self, limit_ms: int) -> ModelTimeout:
        """No connection within the limit."""
        return ModelTimeout(f"cannot connect to {self._source} within {limit_ms} ms")

    def silent(self, limit_ms: int) -> ModelTimeout:
        """No byte within the limit."""
        return ModelTimeout(f"{self._source} sent nothing for {limit_ms} ms")

    def malformed(self, found: str) -> MalformedReply:
        """The reply does not follow its protocol; `found` says where."""
        return MalformedReply(f"{self._source} sent a reply that cannot be read: {self.clean(found)}")

    def clean(self, text: str) -> str:
        """The text without secrets, fit to be shown: at most `LONGEST_MESSAGE` characters."""
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        text = _KEY.sub("[redacted]", text)
        return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def kind_of_status(status: int) -> type[ModelError]:
    """What an HTTP status alone says."""
    if status in _STATUSES:
        return _STATUSES[status]
    return ModelUnavailable if status >= 500 else ModelRequestInvalid


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """The wait the vendor asks for, from `retry-after-ms` or `retry-after` (RFC 9110, 10.2.3).

    A date is measured against the response's own `date`, so that no clock is needed and none can disagree.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return int(milliseconds)
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is None and asked and "date" in headers:
        seconds = _seconds_between(headers["date"], asked)
    return None if seconds is None else int(seconds * 1000)


def _kind(error: ErrorBody, status: int | None) -> type[ModelError]:
    names = [name for name in (error.code, error.type) if isinstance(name, str)]
    for name in names:
        if name in _NAMES:
            return _NAMES[name]
    blames_request = any(name.lower().startswith(_BLAMES_REQUEST) for name in names)
    if (status in {400, 413} or blames_request) and _OVERFLOW.search(error.message or ""):
        return ContextOverflow
    if status is not None:
        return kind_of_status(status)
    return ModelRequestInvalid if blames_request else ModelUnavailable


def _error_body(body: bytes) -> ErrorBody:
    try:
        reply = msgspec.json.decode(body, type=_Reply)
    except msgspec.DecodeError:
        return ErrorBody(message=body.decode("utf-8", "replace").strip())
    if isinstance(reply.error, ErrorBody):
        return reply.error
    detail = None if reply.detail is None else str(reply.detail)
    return ErrorBody(message=reply.error or reply.message or detail)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _seconds_between(earlier: str, later: str) -> float | None:
    try:
        return max((parsedate_to_datetime(later) - parsedate_to_datetime(earlier)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
