"""What goes wrong with a remote agent, as model errors: what may pass is retryable, the rest is not."""

from __future__ import annotations

import httpx
from a2a.client.errors import A2AClientError, A2AClientTimeoutError, AgentCardResolutionError
from a2a.utils.errors import (
    A2AError,
    ContentTypeNotSupportedError,
    ExtensionSupportRequiredError,
    InternalError,
    InvalidAgentResponseError,
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
    VersionNotSupportedError,
)

from wakeful.contracts.errors import ModelError
from wakeful.contracts.model_errors import (
    MalformedReply,
    ModelNotFound,
    ModelRequestInvalid,
    ModelTimeout,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)

LONGEST_WORDS = 2_000
REFUSED = (
    InvalidParamsError,
    InvalidRequestError,
    UnsupportedOperationError,
    ContentTypeNotSupportedError,
    ExtensionSupportRequiredError,
    VersionNotSupportedError,
    MethodNotFoundError,
    TaskNotCancelableError,
)

STATUSES: tuple[tuple[range | tuple[int, ...], type[ModelError], str], ...] = (
    ((401, 403), ModelUnauthorised, "wants another token; check token_env of the endpoint"),
    ((404,), ModelNotFound, "knows no such agent; check url and agent of the endpoint"),
    ((408, 504), ModelTimeout, "was too slow"),
    ((429,), RateLimited, "is asked too often"),
    ((503,), Overloaded, "has no time now"),
    (range(300, 400), ModelRequestInvalid, "redirects, which is not followed; take its new address as the endpoint"),
    (range(400, 500), ModelRequestInvalid, "does not take this"),
)


class RemoteAgentFailed(ModelError):
    """The agent on the other server says that it failed, or that its task was stopped there."""

    code = "agent_failed"


class RemoteAgentRefused(ModelError):
    """The agent on the other server will not do it."""

    code = "agent_refused"


class RemoteTaskGone(ModelError):
    """The other server does not know the task any more."""

    code = "remote_task_gone"


class UntrustedCard(ModelError):
    """What an agent card says must not be followed."""

    code = "untrusted_agent_card"


def failure(agent: str, error: Exception) -> ModelError:
    """The error for what the SDK or the connection raised; tokens and addresses of the network stay out of it."""
    who = f"remote agent {agent}"
    status = _status(error)
    if isinstance(error, ModelError):
        return error
    if isinstance(error, A2AError) and not isinstance(error, A2AClientError):
        return _said(who, error)
    if status is not None:
        found = ((kind, why) for codes, kind, why in STATUSES if status in codes)
        kind, why = next(found, (ModelUnavailable, "failed"))
        return kind(f"{who}: the server answered {status}, which means that it {why}")
    if isinstance(error, A2AClientTimeoutError | httpx.TimeoutException | TimeoutError):
        return ModelTimeout(f"{who}: nothing arrived for too long; see timeout_seconds of its endpoint")
    if _unreachable(error):
        return ModelUnavailable(f"{who} cannot be reached, or the connection broke")
    return _said(who, error)


def words(text: str) -> str:
    """A stranger's words, of bounded length."""
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}…"


def _status(error: Exception) -> int | None:
    if isinstance(error, AgentCardResolutionError):
        return error.status_code
    cause = error if isinstance(error, httpx.HTTPStatusError) else error.__cause__
    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else None


def _said(who: str, error: Exception) -> ModelError:
    """The error for an answer that is one, or that is not A2A at all."""
    match error:
        case TaskNotFoundError():
            return RemoteTaskGone(f"{who}: the server does not know its task any more")
        case InternalError() | InvalidAgentResponseError():
            return ModelUnavailable(f"{who} failed: {words(error.message)}")
        case A2AError() if isinstance(error, REFUSED):
            return ModelRequestInvalid(f"{who} does not take this: {words(error.message)}")
        case A2AError():
            return MalformedReply(f"{who}: {words(str(error))}")
        case _:
            return MalformedReply(f"{who} said something that is not A2A ({type(error).__name__})")


def _unreachable(error: BaseException | None) -> bool:
    return isinstance(error, httpx.RequestError) or (
        error is not None and error.__cause__ is not None and _unreachable(error.__cause__)
    )
