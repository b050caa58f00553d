"""Rules of the store machine: what waits is edited, reordered and taken in by the running run."""

# ruff: noqa: S101, FBT001  (a suite asserts; Hypothesis hands arguments in by name)

from __future__ import annotations

from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import EntryEdit, queue_revision
from wakeful.testing.store_cases.builders import log, message, more
from wakeful.testing.store_rules.driver import PICKS, StoreDriver


class MailboxRules(StoreDriver):
    """`edit_entry`, `reorder`, `absorb`."""

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS, behind=st.integers(0, 1))
    def edit(self, pick: int, behind: int) -> None:
        """Somebody changes what a run will bring, perhaps too late."""
        run = self.run_at(pick)
        last = run.last_seq
        messages = (message(f"edit {last} of {run.id}"),)
        edit = EntryEdit(
            run_key=run.key,
            revision=last - behind,
            messages=messages,
            entries=log(last + 1, last + 1),
            at=self.model.now,
        )
        call = self.store.edit_entry(edit)

        if behind or not run.entry:
            assert isinstance(self.refusal(call), Conflict)
            return

        edited = self.do(call)
        run.input = messages
        run.wrote(last + 1)
        assert (edited.run.id, edited.messages, edited.revision) == (run.id, messages, run.last_seq)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS, shuffle=st.randoms(use_true_random=False))
    def reorder(self, pick: int, shuffle: Random) -> None:
        """Somebody puts a mailbox into another order."""
        run = self.run_at(pick)
        old = self.model.entries(run.thread)
        new = list(old)
        shuffle.shuffle(new)
        revision = queue_revision(self.do(self.store.mailbox(run.thread_key)))

        ordered = self.do(self.store.reorder(run.thread_key, [one.key for one in new], revision))

        self.model.reorder(old, new)
        assert [one.run.id for one in ordered] == [one.id for one in new]

    @precondition(lambda self: any(run.entry for run in self.model.runs))
    @rule(pick=PICKS, stale=st.booleans())
    def reorder_in_vain(self, pick: int, stale: bool) -> None:
        """An order that was made for another mailbox, or that leaves something out."""
        entries = [run for run in self.model.runs if run.entry]
        run = entries[pick % len(entries)]
        keys = [one.key for one in self.model.entries(run.thread)]
        revision = queue_revision(self.do(self.store.mailbox(run.thread_key)))

        call = self.store.reorder(run.thread_key, keys[1:], "stale" if stale else revision)

        assert isinstance(self.refusal(call), Conflict if stale else BadRequest)

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS, count=st.integers(0, 2), stale=st.booleans())
    def absorb(self, pick: int, count: int, stale: bool) -> None:
        """A worker takes in what waits behind its run; all of it, or nothing when one entry was changed."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        entries = self.model.entries(run.thread)[:count]
        stale = stale and bool(entries)
        first = run.last_seq + 1
        brought = tuple(one for entry in entries for one in entry.input)
        ends = [self.retirement_of(entry, status=RunStatus.COMPLETED, stop_reason="steered") for entry in entries]
        if stale:
            ends[-1] = self.retirement_of(entries[-1], last_seq=entries[-1].last_seq - 1)
        call = self.store.absorb(more(lease, log(first, first), messages=brought, steps=run.steps), ends)

        if run.held(lease) and stale:
            assert isinstance(self.refusal(call), Conflict)
        elif not self.fenced(run, lease, call):
            run.wrote(first)
            known = self.model.messages[run.thread]
            known.extend(dict.fromkeys(one.id for one in brought if one.id not in known))
            for entry in entries:
                self.retired(entry, RunStatus.COMPLETED)
        self.check_log(run)
