"""Rules of the store machine: old logs are packed and removed."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from hypothesis.stateful import precondition, rule

from wakeful.contracts.lifecycle import FINISHED
from wakeful.testing.store_cases.builders import SCOPE
from wakeful.testing.store_rules.driver import StoreDriver


class UpkeepRules(StoreDriver):
    """`compact`, `prune`."""

    @precondition(lambda self: any(run.status in FINISHED for run in self.model.runs))
    @rule()
    def compact(self) -> None:
        """Logs of finished runs are packed, and read as before."""
        open_logs = [run for run in self.model.runs if run.status in FINISHED and not (run.packed or run.pruned)]

        packed = self.do(self.store.compact(self.model.now + 1, 1_000))

        assert packed == len(open_logs)
        for run in open_logs:
            run.packed = True
            self.check_log(run)

    @precondition(lambda self: any(run.status in FINISHED for run in self.model.runs))
    @rule()
    def prune(self) -> None:
        """One log is removed; the others stay."""
        finished = [run for run in self.model.runs if run.status in FINISHED and not run.pruned]

        removed = self.do(self.store.prune(self.model.now + 1, 1))

        assert removed == min(1, len(finished))
        for run in finished:
            stored = self.do(self.store.get_run(SCOPE, run.id))
            assert stored is not None
            if stored.pruned:
                removed -= 1
                run.pruned, run.log = True, []
            self.check_log(run)
        assert removed == 0
