"""Turns what pydantic-ai raises into a `ModelError`."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from pydantic_ai import exceptions as theirs

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
from wakeful.providers.failures import Failures, kind_of_status

# The first that fits decides, so a class stands before those it inherits from.
_KINDS: Mapping[type[Exception], type[ModelError]] = {
    theirs.ModelRateLimitError: RateLimited,
    theirs.ModelQuotaExceededError: ModelUnauthorised,
    theirs.ModelUnavailableError: Overloaded,
    theirs.ModelServerError: ModelUnavailable,
    theirs.ModelTimeoutError: ModelTimeout,
    theirs.ModelRequestTimeout: ModelTimeout,
    theirs.ModelConnectionError: ModelUnavailable,
    theirs.ModelContextWindowExceededError: ContextOverflow,
    theirs.ModelAuthenticationError: ModelUnauthorised,
    theirs.ModelNotFoundError: ModelNotFound,
    theirs.ModelRequestRejectedError: ModelRequestInvalid,
    theirs.ContentFilterError: ContentFiltered,
    theirs.UnexpectedModelBehavior: MalformedReply,
    # What is wrong is written by an operator: an unknown vendor, a missing key or a vendor's package.
    theirs.UserError: ModelRequestInvalid,
    ImportError: ModelRequestInvalid,
}


@contextmanager
def failures_as_model_errors(failures: Failures, model: str) -> Generator[None]:
    """Raise everything that goes wrong inside as a `ModelError`; what pydantic-ai has no name for is not retryable."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        retry_after = error.retry_after if isinstance(error, theirs.ModelAPIError) else None
        raise _kind(error)(
            f"{model}: {_text(failures, error)}",
            retry_after_ms=None if retry_after is None else int(retry_after * 1000),
        ) from error


def _kind(error: Exception) -> type[ModelError]:
    for raised, kind in _KINDS.items():
        if isinstance(error, raised):
            return kind
    if isinstance(error, theirs.ModelHTTPError):
        return kind_of_status(error.status_code)
    return ModelUnavailable if isinstance(error, theirs.ModelAPIError) else ModelError


def _text(failures: Failures, error: Exception) -> str:
    """Only what pydantic-ai words itself is repeated; a stranger's text may hold anything."""
    spoken = isinstance(error, (theirs.AgentRunError, theirs.UserError, ImportError))
    return failures.clean(str(error)) if spoken else f"failed with {type(error).__name__}"
