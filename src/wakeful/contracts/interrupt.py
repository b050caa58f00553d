"""Questions that pause a run, and their answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue

InterruptKind = Literal["approval", "frontend_tool", "question"]
ASK_USER = "ask_user"
"""The call by which an agent without a model asks the user: arguments `question` and perhaps a JSON `schema`."""
ASK_AUTHORISATION = "ask_authorisation"
"""The call by which it asks for a right or a credential: arguments `question` and perhaps a `url` where to give it."""
DecisionStatus = Literal["resolved", "cancelled"]


class Interrupt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One open question of a run.

    `approval`: may this call run? Its decision needs `approved`. `frontend_tool`: the client runs the call and
    its decision's `output` is the result; it is also how agents without a model ask (`tool` is `ask_user` or
    `ask_authorisation`, `message` the question). `question`: the tool asks before it can go on, its decision's `output`
    is the answer, `failed` or no output means that the user would not say; `resume` is the tool's own note, returned to
    it with the answer. `expires_at` is milliseconds since the epoch, absent means never.
    """

    id: str
    kind: InterruptKind
    call_id: str
    tool: str
    arguments: str
    message: str = ""
    response_schema: JsonObject | None = None
    expires_at: int | None = None
    resume: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one interrupt, named by interrupt id or by call id in `target`.

    Only an explicit `approved=True` approves; `None` refuses an approval. `arguments` are what an approved call runs
    with instead of the model's. `output` answers a front-end tool, `failed` says that `output` is an error text.
    `decision_id` makes a repeated answer recognisable.
    """

    target: str
    approved: bool | None = None
    output: JsonValue = None
    failed: bool = False
    reason: str | None = None
    decision_id: str | None = None
    arguments: JsonObject | None = None


class InterruptRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """An interrupt as stored, with its decision once there is one."""

    interrupt: Interrupt
    decision: Decision | None = None
