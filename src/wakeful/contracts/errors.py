"""Every error Wakeful raises on purpose, in one tree.

WakefulError
├── BadRequest               the caller sent something that cannot be accepted
│   ├── UnsupportedMediaType the body is not JSON
│   └── PayloadTooLarge      the body exceeds the limit
├── Unauthorised             no valid credentials were sent
├── NotFound                 it does not exist, or not for this principal
├── Gone                     it existed, and was removed on purpose
├── Conflict                 it exists and is in the way
│   └── IllegalMove          a lifecycle table does not allow the move
├── Backlogged               too much waits already; try later
├── Unavailable              a part of the server cannot answer now
│   └── StoreUnavailable     the database refused or failed
│       ├── StoreBusy        all its connections are in use; try later
│       └── Damaged          what it holds cannot be read
├── ConfigurationError       a spec, a target or a setting is wrong; never retried
├── LeaseLost                another worker owns the run now; nothing was written
├── ToolError                raised by a tool: the model is told its message
│   └── ToolInputInvalid     the arguments do not fit the tool's schema
├── ToolQuestion             raised by a tool: it asks the user before it can go on
└── ModelError               the model call failed (`contracts/model_errors.py` has its branches)
"""

from __future__ import annotations

from typing import ClassVar

from wakeful.contracts.json import JsonObject, JsonValue


class WakefulError(Exception):
    """Root of the tree. `code` is stable and machine-readable; `message` says what to do."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, details: JsonValue = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadRequest(WakefulError):
    """The request has the wrong shape or asks for something impossible."""

    code = "bad_request"


class UnsupportedMediaType(BadRequest):
    """The body is not `application/json`."""

    code = "unsupported_media_type"


class PayloadTooLarge(BadRequest):
    """The body exceeds the configured limit."""

    code = "payload_too_large"


class Unauthorised(WakefulError):
    """Credentials are missing or wrong."""

    code = "unauthorised"


class NotFound(WakefulError):
    """There is no such thing for this principal."""

    code = "not_found"

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"{kind} not found: {id}", details={"kind": kind, "id": id})
        self.kind = kind
        self.id = id


class Gone(WakefulError):
    """It existed and was removed on purpose, such as an old log."""

    code = "gone"


class Conflict(WakefulError):
    """The state of the target does not allow it."""

    code = "conflict"


class IllegalMove(Conflict):
    """A lifecycle table does not allow this move."""

    code = "illegal_move"

    def __init__(self, noun: str, current: str, new: str) -> None:
        super().__init__(f"a {noun} that is {current} cannot become {new}")
        self.noun = noun
        self.current = current
        self.new = new


class Backlogged(WakefulError):
    """The queue is full; nothing was written. `retry_after` is in seconds."""

    code = "backlogged"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(WakefulError):
    """A part of the server cannot answer now; try again."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The store could not do its work."""

    code = "store_unavailable"


class StoreBusy(StoreUnavailable):
    """No connection to the store became free in time; nothing was asked of it. `retry_after` is in seconds."""

    code = "store_busy"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Damaged(StoreUnavailable):
    """A stored row cannot be read any more; asking again does not help, restoring a backup does."""

    code = "damaged"


class ConfigurationError(WakefulError):
    """Something an operator wrote is wrong. Never retried."""

    code = "configuration"


class LeaseLost(WakefulError):
    """The lease token is no longer the run's; nothing was written."""

    code = "lease_lost"


class ToolError(WakefulError):
    """A tool failed in a way the model should read about."""

    code = "tool_error"


class ToolInputInvalid(ToolError):
    """The model's arguments do not fit the tool's schema."""

    code = "tool_input_invalid"


class ToolQuestion(WakefulError):
    """A tool asks the user before it can go on: `message` is the question, `schema` the JSON Schema of its answer.

    The call is run again with the answer and with `resume`, the tool's own note, in `ToolContext.answer`.
    """

    code = "tool_question"

    def __init__(self, message: str, *, schema: JsonObject | None = None, resume: str | None = None) -> None:
        super().__init__(message)
        self.schema = schema
        self.resume = resume


class ModelError(WakefulError):
    """A model call failed. `retryable` says whether asking again can help."""

    code = "model_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_ms: int | None = None, details: JsonValue = None) -> None:
        super().__init__(message, details=details)
        self.retry_after_ms = retry_after_ms
