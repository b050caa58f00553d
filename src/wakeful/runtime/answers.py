"""Checks what a human changed or answered before it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wakeful.contracts.errors import BadRequest, ConfigurationError, ToolInputInvalid
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.tool import Tool

if TYPE_CHECKING:
    from jsonschema_rs import Validator

PROBLEMS = 20


def check_answers(records: Sequence[InterruptRecord], decisions: Sequence[Decision], tools: Mapping[str, Tool]) -> None:
    """Raise `BadRequest` for answers that do not fit their questions.

    An approval is answered by `approved`, a front-end call and a question by an `output`; neither stands for the other.
    A question may also be refused: by `failed` or by `approved=False`. Edited arguments must fit the tool, an output
    the question's schema.
    """
    for decision in decisions:
        for interrupt in (record.interrupt for record in records):
            if decision.target in (interrupt.id, interrupt.call_id):
                _check_kind(interrupt, decision)
                _check_arguments(interrupt, decision, tools.get(interrupt.tool))
                _check_output(interrupt, decision)


def refusal(interrupt_id: str, reason: str, decision_id: str) -> Decision:
    """The answer "no" to any kind of question, given by the runtime itself."""
    return Decision(
        target=interrupt_id, approved=False, output=reason, failed=True, reason=reason, decision_id=decision_id
    )


def _check_kind(interrupt: Interrupt, decision: Decision) -> None:
    if interrupt.kind == "approval" and decision.approved is None:
        raise BadRequest(f"interrupt {interrupt.id} asks for an approval: expected 'approved', found an output")
    if interrupt.kind != "approval" and decision.approved is True and decision.output is None:
        wanted = "a call's output" if interrupt.kind == "frontend_tool" else "an answer"
        raise BadRequest(f"interrupt {interrupt.id} asks for {wanted}: expected 'output', found an approval")


def _check_arguments(interrupt: Interrupt, decision: Decision, tool: Tool | None) -> None:
    if decision.arguments is None:
        return
    if interrupt.kind != "approval" or decision.approved is not True:
        raise BadRequest(
            f"interrupt {interrupt.id}: 'arguments' change an approved call; send them with 'approved': true"
        )
    if tool is None:
        return  # it was removed meanwhile; the run will say so
    try:
        tool.check(decision.arguments)
    except ToolInputInvalid as error:
        raise BadRequest(f"interrupt {interrupt.id}: {error.message}", details=error.details) from error


def _check_output(interrupt: Interrupt, decision: Decision) -> None:
    asks = interrupt.kind == "question" or bool(interrupt.message)
    refused = decision.failed or (asks and _declines(decision))
    if interrupt.kind == "approval" or interrupt.response_schema is None or refused:
        return
    validator = _validator(interrupt, interrupt.response_schema)
    problems: list[JsonValue] = [
        {"field": "/".join(str(step) for step in error.instance_path), "problem": error.message}
        for error, _ in zip(validator.iter_errors(decision.output), range(PROBLEMS), strict=False)
    ]
    if problems:
        raise BadRequest(
            f"interrupt {interrupt.id}: the answer does not fit the schema of the question "
            f"({len(problems)} problems, see details); look at its response_schema",
            details=problems,
        )


def _declines(decision: Decision) -> bool:
    return decision.approved is False and decision.output is None


def _validator(interrupt: Interrupt, schema: JsonObject) -> Validator:
    """Refuses schemas that point elsewhere: nothing is fetched because of an answer."""
    import jsonschema_rs

    def refuse(address: str) -> JsonValue:
        raise ConfigurationError(f"the schema of interrupt {interrupt.id} refers to {address}; expected none outside")

    return jsonschema_rs.validator_for(schema, retriever=refuse)
