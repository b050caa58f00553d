"""Answering again and saying it differently: where the thread's history is cut."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.codec import entry
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.event import RunAccepted
from wakeful.contracts.message import Message
from wakeful.contracts.request import Replacement
from wakeful.contracts.store import Submission

ROLES = {"answer": ("assistant", "tool"), "message": ("user",)}


def first_replaced(history: Sequence[Message], replace: Replacement) -> str | None:
    """The id of the first message that is replaced: that of an answer's first step, or a user message's.

    None when the user message is not there: it never arrived, and is a new one. Raises `BadRequest` when there is no
    such answer.
    """
    roles = ROLES[replace.kind]
    at = next(
        (
            index
            for index in reversed(range(len(history)))
            if history[index].role in roles and replace.message_id in (None, history[index].id)
        ),
        None,
    )
    if at is None and replace.kind == "message":
        return None
    if at is None:
        named = "of the last answer" if replace.message_id is None else repr(replace.message_id)
        raise BadRequest(f"expected messageId {named} to be an answer of the thread; read the thread's messages again")
    while replace.kind == "answer" and at > 0 and history[at - 1].role in roles:
        at -= 1
    return history[at].id


def replacing(submission: Submission, message_id: str | None) -> Submission:
    """The submission, replacing from this message on, and its first event says so; None replaces nothing."""
    if message_id is None:
        return submission
    first, *rest = submission.entries
    event = first.event
    if isinstance(event, RunAccepted):
        first = entry(first.seq, first.at, msgspec.structs.replace(event, replaces=message_id))
    return msgspec.structs.replace(submission, replace_from=message_id, entries=(first, *rest))
