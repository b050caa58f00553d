"""The ways a model call fails, as types.

ModelError
├── RateLimited         429; `retry_after_ms` where the vendor said so      (retryable)
├── Overloaded          503, 529, "overloaded"                              (retryable)
├── ModelUnavailable    cannot connect, 5xx, connection dropped             (retryable)
├── ModelTimeout        nothing arrived for too long                        (retryable)
├── MalformedReply      the stream is not what the protocol says            (retryable)
├── ModelUnauthorised   401, 403, or no key configured
├── ModelNotFound       the vendor does not know the model
├── ContextOverflow     the prompt is too long for the model
├── ContentFiltered     the vendor refused the content
└── ModelRequestInvalid any other 4xx
"""

from __future__ import annotations

from wakeful.contracts.errors import ModelError


class RateLimited(ModelError):
    """Too many requests or tokens; `retry_after_ms` is the vendor's own advice, if any."""

    code = "rate_limited"
    retryable = True


class Overloaded(ModelError):
    """The vendor has no capacity now."""

    code = "overloaded"
    retryable = True


class ModelUnavailable(ModelError):
    """The vendor could not be reached, failed, or dropped the connection."""

    code = "model_unavailable"
    retryable = True


class ModelTimeout(ModelError):
    """No byte arrived within the idle limit."""

    code = "model_timeout"
    retryable = True


class MalformedReply(ModelError):
    """The reply does not follow its protocol."""

    code = "malformed_reply"
    retryable = True


class ModelUnauthorised(ModelError):
    """The key is missing, wrong, or may not use this model."""

    code = "model_unauthorised"


class ModelNotFound(ModelError):
    """The vendor has no such model."""

    code = "model_not_found"


class ContextOverflow(ModelError):
    """The conversation does not fit the model's context window."""

    code = "context_overflow"


class ContentFiltered(ModelError):
    """The vendor's policy refused the prompt."""

    code = "content_filtered"


class ModelRequestInvalid(ModelError):
    """The vendor rejected the request."""

    code = "model_request_invalid"
