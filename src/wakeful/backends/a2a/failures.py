"""What goes wrong with a remote agent, as model errors: what may pass is retryable, the rest is not."""

from __future__ import annotations

import httpx
from a2a.client.errors import A2AClientTimeoutError, AgentCardResolutionError
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
    if isinstance(error, ModelError):
        return error
    status = _status(error)
    who = f"remote agent {agent}"
    if status is not None:
        return _of_status(who, status, error)
    match error:
        case A2AClientTimeoutError() | httpx.TimeoutException() | TimeoutError():
            return ModelTimeout(f"{who}: nothing arrived for too long; see timeout_seconds of its endpoint")
        case TaskNotFoundError():
            return RemoteTaskGone(f"{who}: the server does not know its task any more")
        case InternalError() | InvalidAgentResponseError():
            return ModelUnavailable(f"{who} failed: {words(error.message)}")
        case A2AError() if isinstance(error, REFUSED):
            return ModelRequestInvalid(f"{who} does not take this: {words(error.message)}")
        case _ if _unreachable(error):
            return ModelUnavailable(f"{who} cannot be reached, or the connection broke")
        case A2AError():
            return MalformedReply(f"{who}: {words(str(error))}")
        case _:
            return MalformedReply(f"{who} said something that is not A2A ({type(error).__name__})")


def words(text: str) -> str:
    """A stranger's words, of bounded length."""
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}…"


def _status(error: Exception) -> int | None:
    if isinstance(error, AgentCardResolutionError):
        return error.status_code
    cause = error if isinstance(error, httpx.HTTPStatusError) else error.__cause__
    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else None


def _of_status(who: str, status: int, error: Exception) -> ModelError:
    match status:
        case 401 | 403:
            return ModelUnauthorised(f"{who}: the server answered {status}; check token_env of its endpoint")
        case 404:
            return ModelNotFound(f"{who}: the server answered 404; check the url and agent of its endpoint")
        case 408 | 504:
            return ModelTimeout(f"{who}: the server answered {status}")
        case 429:
            return RateLimited(f"{who}: the server answered 429")
        case 503:
            return Overloaded(f"{who}: the server answered 503")
        case _ if 300 <= status < 400:
            return ModelRequestInvalid(f"{who}: the server redirects ({status}), which is not followed; use its new url")
        case _ if status < 500:
            why = f": {words(error.message)}" if isinstance(error, A2AError) and not _plain_http(error) else ""
            return ModelRequestInvalid(f"{who}: the server answered {status}{why}")
        case _:
            return ModelUnavailable(f"{who}: the server answered {status}")


def _plain_http(error: A2AError) -> bool:
    return error.message.startswith("HTTP Error")


def _unreachable(error: BaseException | None) -> bool:
    return isinstance(error, httpx.RequestError) or (
        error is not None and error.__cause__ is not None and _unreachable(error.__cause__)
    )
