"""Native request bodies to requests; pure."""

from __future__ import annotations

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.protocols.native.wire import DecisionBody, MessageBody, PartBody, RunBody, ThreadMessagesBody
from wakeful.server.files import Files


def run_request(body: RunBody) -> RunRequest:
    """What `POST /v1/runs` asks for."""
    return RunRequest(
        thread_id=body.thread_id,
        run_id=body.run_id,
        agent_id=body.agent_id,
        parent_run_id=body.parent_run_id,
        messages=messages(body.messages),
    )


def thread_request(thread_id: str, body: ThreadMessagesBody) -> RunRequest:
    """What `POST /v1/threads/{id}/messages` asks for."""
    return RunRequest(thread_id=thread_id, run_id=body.run_id, agent_id=body.agent_id, messages=messages(body.messages))


def decision(body: DecisionBody) -> Decision:
    """What `POST /v1/runs/{id}/decision` says; raises `BadRequest` for an answer to nothing."""
    if body.approved is None and "output" not in body.model_fields_set:
        raise BadRequest("expected 'approved' (true or false) for an approval, or 'output' for a front-end tool")
    return Decision(body.target, body.approved, body.output, body.failed, body.reason, body.decision_id)


def messages(bodies: list[MessageBody]) -> tuple[InputMessage, ...]:
    """New messages; raises `BadRequest` for a part that is not what its type says."""
    files = Files()
    return tuple(InputMessage(body.role, _parts(body.content, files), body.id) for body in bodies)


def _parts(content: str | list[PartBody], files: Files) -> tuple[TextPart | FilePart, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    if not content:
        raise BadRequest("a message needs at least one part")
    return tuple(_part(part, files) for part in content)


def _part(part: PartBody, files: Files) -> TextPart | FilePart:
    if part.type == "file":
        return files.admit_url(part.url or "", media_type=part.media_type, filename=part.filename)
    if part.text is None:
        raise BadRequest("a text part needs 'text'")
    return TextPart(part.text)
