"""How much an Anthropic model shall think (Anthropic API reference, "Thinking").

Models before 4.6, and servers that imitate the wire, take a token budget; since 4.6 models adapt to an effort, and
most of them refuse a budget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from wakeful.contracts.json import JsonObject
from wakeful.contracts.spec import ReasoningEffort

BUDGETS: Mapping[ReasoningEffort, int] = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16384}
_EFFORTS: Mapping[ReasoningEffort, str] = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
_FIRST_TO_ADAPT = (4, 6)
_GENERATION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")


def adapts(model: str) -> bool:
    """Whether the model takes an effort instead of a budget; a Claude without a number is a recent one."""
    if "claude" not in model:
        return False
    found = _GENERATION.search(model)
    return found is None or (int(found[1]), int(found[2] or 0)) >= _FIRST_TO_ADAPT


def thinking(model: str, effort: ReasoningEffort | None) -> JsonObject:
    """The fields of the body that set thinking; none of them without an effort."""
    if effort is None or effort not in BUDGETS:
        return {}
    if adapts(model):
        return {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": _EFFORTS[effort]},
        }
    return {"thinking": {"type": "enabled", "budget_tokens": BUDGETS[effort]}}


def room_for_both(max_tokens: int, effort: ReasoningEffort | None) -> int:
    """`max_tokens` covers thoughts and answer; where it would not outlast the thoughts, they come on top."""
    budget = BUDGETS.get(effort, 0) if effort else 0
    return max_tokens if max_tokens > budget else max_tokens + budget
