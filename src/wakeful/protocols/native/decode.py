"""Native request bodies to requests; pure."""

from __future__ import annotations

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import DataPart, InputPart, TextPart
from wakeful.contracts.request import InputMessage, InputMode, RunRequest
from wakeful.contracts.run import RunOptions
from wakeful.protocols.native.control_wire import DecisionBody, InputsBody, Mode, ThreadMessagesBody
from wakeful.protocols.native.wire import MessageBody, PartBody, RunBody
from wakeful.server.files import Files

MODES: dict[Mode, InputMode] = {
    "queue": "queue",
    "steer": "steer",
    "live_then_queue": "steer",
    "interrupt": "interrupt",
    "interrupt_then_queue": "interrupt",
    "resume": "resume",
    "resume_open_run": "resume",
}


def run_request(body: RunBody, files: Files) -> RunRequest:
    """What `POST /v1/runs` asks for."""
    return RunRequest(
        thread_id=body.thread_id,
        run_id=body.run_id,
        agent_id=body.agent_id,
        parent_run_id=body.parent_run_id,
        messages=messages(body.messages, files),
        options=RunOptions(state=body.state or None),
    )


def thread_request(thread_id: str, body: ThreadMessagesBody, files: Files) -> RunRequest:
    """What `POST /v1/threads/{id}/messages` asks for."""
    return RunRequest(
        thread_id=thread_id, run_id=body.run_id, agent_id=body.agent_id, messages=messages(body.messages, files)
    )


def run_input(body: InputsBody, files: Files) -> RunRequest:
    """What `POST /v1/runs/{id}/inputs` brings; whose thread and agent it is for is in the path."""
    return RunRequest(
        run_id=body.run_id, messages=messages(body.messages, files), decisions=tuple(map(decision, body.decisions))
    )


def decision(body: DecisionBody) -> Decision:
    """The answer to one question; raises `BadRequest` for an answer that says nothing."""
    if body.approved is None and "output" not in body.model_fields_set and not body.failed:
        raise BadRequest(
            f"{body.target}: expected 'approved' (true or false) for an approval, 'output' for a front-end tool or a "
            "question, or 'failed': true"
        )
    return Decision(
        target=body.target,
        approved=body.approved,
        output=body.output,
        failed=body.failed,
        reason=body.reason,
        decision_id=body.decision_id,
        arguments=body.arguments,
    )


def messages(bodies: list[MessageBody], files: Files) -> tuple[InputMessage, ...]:
    """New messages; raises `BadRequest` for a part that is not what its type says."""
    return tuple(InputMessage(body.role, _parts(body.content, files), body.id, body.metadata) for body in bodies)


def _parts(content: str | list[PartBody], files: Files) -> tuple[InputPart, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    if not content:
        raise BadRequest("a message needs at least one part")
    return tuple(_part(part, files) for part in content)


def _part(part: PartBody, files: Files) -> InputPart:
    if part.type == "file":
        return files.admit_url(part.url or "", media_type=part.media_type, filename=part.filename)
    if part.type == "data":
        if "data" not in part.model_fields_set:
            raise BadRequest("a data part needs 'data', any JSON value")
        return DataPart(part.data, part.name or "")
    if part.text is None:
        raise BadRequest("a text part needs 'text'")
    return TextPart(part.text)
