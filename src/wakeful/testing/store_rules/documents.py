"""Rules of the store machine: what is kept beside the log."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Conflict
from wakeful.testing.store_cases.builders import SCOPE
from wakeful.testing.store_rules.driver import StoreDriver

KIND = "session"
SCOPES = st.sampled_from([SCOPE, "other"])
NAMES = st.sampled_from(["a", "a/1", "a/2", "a0", "b"])
PREFIXES = st.sampled_from(["", "a", "a/", "b", "c"])
PRESENT = -1
EXPECTED = st.sampled_from([None, 0, 1, 2, PRESENT])


class DocumentRules(StoreDriver):
    """`put_document`, `delete_document`, `claim_documents`, `list_documents`, `get_document`."""

    @rule(scope=SCOPES, name=NAMES, expects=EXPECTED, delay=st.sampled_from([None, -1, 0, 50, 150]))
    def put_document(self, scope: str, name: str, expects: int | None, delay: int | None) -> None:
        """Somebody writes, maybe under a revision, maybe about something that will be due."""
        present = self.model.documents.get((scope, name))
        revision = present.revision if present else 0
        expected = revision if expects == PRESENT else expects
        due_at = None if delay is None else self.model.now + delay
        plain = Document(scope=scope, kind=KIND, id=name, value={"at": self.model.now}, due_at=due_at)
        wanted = msgspec.structs.replace(plain, revision=revision + 1, updated_at=self.model.now)

        refused = self.refusal(self.store.put_document(plain, self.model.now, expected=expected))

        assert isinstance(refused, Conflict) is (expected not in {None, revision})
        if refused is None:
            self.model.documents[scope, name] = wanted

    @rule(scope=SCOPES, name=NAMES, expects=EXPECTED)
    def delete_document(self, scope: str, name: str, expects: int | None) -> None:
        """Somebody removes, maybe under a revision."""
        present = self.model.documents.get((scope, name))
        expected = (present.revision if present else 7) if expects == PRESENT else expects
        conflicts = present is not None and expected not in {None, present.revision}

        refused = self.refusal(self.store.delete_document(scope, KIND, name, expected=expected))

        assert isinstance(refused, Conflict) is conflicts
        if refused is None:
            self.model.documents.pop((scope, name), None)

    @rule(limit=st.integers(1, 3), lease=st.sampled_from([1, 100]))
    def claim_documents(self, limit: int, lease: int) -> None:
        """Somebody takes what is due, longest due first."""
        until = self.model.now + lease
        due = {name: one for name, one in self.model.documents.items() if (one.due_at or until) <= self.model.now}
        times = sorted(one.due_at or 0 for one in due.values())

        claims = self.do(self.store.claim_documents(KIND, now=self.model.now, until=until, limit=limit))

        taken = [(claim.scope, claim.id) for claim in claims]
        assert [due[name].due_at for name in taken] == times[:limit]
        for name, claim in zip(taken, claims, strict=True):
            one = due.pop(name)
            self.model.documents[name] = claim
            assert claim == msgspec.structs.replace(one, revision=one.revision + 1, due_at=until)

    @rule(scope=SCOPES, prefix=PREFIXES, after=NAMES | st.just(""), limit=st.integers(1, 3))
    def list_documents(self, scope: str, prefix: str, after: str, limit: int) -> None:
        """Somebody reads a page."""
        names = sorted(name for of, name in self.model.documents if of == scope and name.startswith(prefix))
        expected = [self.model.documents[scope, name] for name in names if name > after][:limit]

        found = self.do(self.store.list_documents(scope, KIND, prefix=prefix, after=after, limit=limit))

        assert list(found) == expected

    @invariant()
    def documents_are_as_modelled(self) -> None:
        """Nothing else moves them."""
        for (scope, name), expected in self.model.documents.items():
            assert self.do(self.store.get_document(scope, KIND, name)) == expected
