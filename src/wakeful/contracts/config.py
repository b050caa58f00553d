"""Managed configuration: what operators may change while the server runs, and what is said of a wrong change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.spec import Spec

Specs = Mapping[str, Mapping[str, Spec]]
"""All specs that count, by namespace and id."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One kind of record. `spec` is the model of one; its field `id` is the record's id.

    `builtin` are those that code defines: they can be changed and reset, not removed. A namespace that is `closed` has
    no others.
    """

    name: str
    spec: type[Spec]
    builtin: Mapping[str, Spec] = field(default_factory=dict[str, Spec])
    closed: bool = False


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: with the field `path` (as in `members.0.model`) of a record, or "" for all of it."""

    namespace: str
    id: str
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.id}" + (f" {self.path}" if self.path else "")
        return f"{where}: {self.message}"


class InvalidConfiguration(BadRequest):
    """A candidate catalog does not hold; nothing was changed. `details` lists every problem."""

    code = "invalid_configuration"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"nothing was changed, because {len(self.problems)} things are wrong: {'; '.join(map(str, self.problems))}"
            if len(self.problems) != 1
            else f"nothing was changed: {self.problems[0]}",
            details=[msgspec.to_builtins(problem) for problem in self.problems],
        )


class PreconditionFailed(Conflict):
    """Somebody else changed the record since it was read; nothing was written."""

    code = "precondition_failed"
