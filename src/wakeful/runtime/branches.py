"""Answering again and saying it differently: where the thread's history is cut."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.codec import entry
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.event import RunAccepted
from wakeful.contracts.message import Message
from wakeful.contracts.request import RunRequest
from wakeful.contracts.store import Submission

ROLES = {"answer": ("assistant", "tool"), "message": ("user",)}


def first_replaced(history: Sequence[Message], request: RunRequest) -> str | None:
    """The id of the first message that is replaced: that of an answer's first step, or a user message's.

    None when there is nothing to replace: the last message has no answer yet, or the request brings one that never
    arrived. Raises `BadRequest` when the named answer, or any message, is not there.
    """
    replace = request.replace
    if replace is None:
        return None
    if replace.kind == "answer" and replace.message_id is None:
        return None if _brings_more(history, request) else _last_answer(history)
    roles = ROLES[replace.kind]
    places = (index for index, message in enumerate(history) if message.role in roles)
    at = next((index for index in places if history[index].id == replace.message_id), None)
    if at is None and replace.kind == "message":
        return None
    if at is None:
        raise BadRequest(
            f"expected messageId {replace.message_id!r} to be an answer of the thread; read the thread's messages again"
        )
    while replace.kind == "answer" and at > 0 and history[at - 1].role in roles:
        at -= 1
    return history[at].id


def _brings_more(history: Sequence[Message], request: RunRequest) -> bool:
    known = {message.id for message in history}
    return any(message.id not in known for message in request.messages)


def _last_answer(history: Sequence[Message]) -> str | None:
    """The first message after the last one of a user."""
    if not history:
        raise BadRequest("there is no message to answer again; send one")
    asked = max((index for index, message in enumerate(history) if message.role == "user"), default=-1)
    return history[asked + 1].id if asked + 1 < len(history) else None


def replacing(submission: Submission, message_id: str | None) -> Submission:
    """The submission, replacing from this message on, and its first event says so; None replaces nothing."""
    if message_id is None:
        return submission
    first, *rest = submission.entries
    event = first.event
    if isinstance(event, RunAccepted):
        first = entry(first.seq, first.at, msgspec.structs.replace(event, replaces=message_id))
    return msgspec.structs.replace(submission, replace_from=message_id, entries=(first, *rest))
