"""Every move of every table is decided, and the ends are ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from wakeful.contracts import lifecycle
from wakeful.contracts.errors import IllegalMove
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, ToolCallStatus

# Written out once more on purpose: a slip in the table must not change its test.
LEGAL: dict[type[StrEnum], str] = {
    RunStatus: """
        queued: running completed failed cancelled
        running: waiting queued completed failed cancelled
        waiting: queued cancelled
    """,
    DispatchStatus: """
        available: leased cancelled
        leased: available done dead cancelled
    """,
    ToolCallStatus: """
        proposed: asked allowed failed cancelled
        asked: allowed denied cancelled
        allowed: running cancelled
        running: succeeded failed cancelled
    """,
}
CHECKS: dict[type[StrEnum], Callable[[Any, Any], None]] = {
    RunStatus: lifecycle.check_run_move,
    DispatchStatus: lifecycle.check_dispatch_move,
    ToolCallStatus: lifecycle.check_tool_call_move,
}


def legal(noun: type[StrEnum]) -> set[tuple[str, str]]:
    lines = [line.split(":") for line in LEGAL[noun].strip().splitlines()]
    return {(current.strip(), new) for current, news in lines for new in news.split()}


MOVES = [(noun, *move) for noun in LEGAL for move in itertools.product(noun, noun)]


@pytest.mark.parametrize(("noun", "current", "new"), [move for move in MOVES if move[1:] in legal(move[0])])
def test_a_legal_move_passes(noun: type[StrEnum], current: StrEnum, new: StrEnum):
    CHECKS[noun](current, new)


@pytest.mark.parametrize(("noun", "current", "new"), [move for move in MOVES if move[1:] not in legal(move[0])])
def test_an_illegal_move_raises_and_names_both_ends(noun: type[StrEnum], current: StrEnum, new: StrEnum):
    with pytest.raises(IllegalMove) as refused:
        CHECKS[noun](current, new)

    assert (refused.value.current, refused.value.new) == (current, new)


@pytest.mark.parametrize("noun", LEGAL)
def test_every_state_can_reach_an_end_and_no_end_is_left(noun: type[StrEnum]):
    moves = legal(noun)
    ends = {state for state in noun if not any(current == state for current, _ in moves)}

    reaching = set(ends)
    for _ in noun:
        reaching |= {current for current, new in moves if new in reaching}

    assert reaching == set(noun)
    assert ends


def test_finished_runs_are_the_ends_and_resting_ones_may_also_wait():
    ends = {state for state in RunStatus if not lifecycle.RUN_MOVES[state]}

    assert ends == lifecycle.FINISHED
    assert lifecycle.FINISHED | {RunStatus.WAITING} == lifecycle.RESTING
