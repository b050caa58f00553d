"""What every protocol decodes a request into: clients propose, the server owns."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import InputPart
from wakeful.contracts.run import RunOptions

InputMode = Literal["queue", "steer", "interrupt", "resume"]
"""What new input does to a busy thread.

`queue` waits for its turn; `steer` reaches the running run at its next step, else it queues; `interrupt` ends what
the thread does and runs next; `resume` continues the waiting run, whose open questions it answers with "no".
"""


class InputMessage(msgspec.Struct, frozen=True):
    """A new message as a client sent it; `id` and `metadata` are the client's own, if it gave them."""

    role: Literal["user", "system"]
    parts: tuple[InputPart, ...]
    id: str | None = None
    metadata: JsonObject | None = None


class Replacement(msgspec.Struct, frozen=True):
    """What a request takes the place of: an `answer`, given anew, or a user `message`, said differently.

    `message_id` names a message of the thread; None is the last one of the kind. Nothing is destroyed: what is
    replaced leaves the thread's history and stays readable beside it.
    """

    kind: Literal["answer", "message"]
    message_id: str | None = None


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to run an agent. At least one of `messages`, `decisions` and `replace` is present.

    Ids that are None are chosen by the server. `messages` are only the new turn; history lives on the server.
    `decisions` answer open interrupts of the thread's waiting run.
    """

    thread_id: str | None = None
    run_id: str | None = None
    agent_id: str | None = None
    parent_run_id: str | None = None
    messages: tuple[InputMessage, ...] = ()
    decisions: tuple[Decision, ...] = ()
    replace: Replacement | None = None
    options: RunOptions = RunOptions()
