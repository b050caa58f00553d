"""Random sequences of calls on a store, compared with a small model of what it promises.

    class MyMachine(StoreMachine):
        def new_store(self):
            return MyStore(...)          # empty, not yet open

    TestMyMachine = MyMachine.TestCase

Proves: at most one active run per thread; tokens fence; finished runs stay as they are; every input message joins its
thread once and in order; a log only grows, until it is pruned; turns, failures and generations are counted right; a
document changes only under its revision and is claimed only when it is due.
"""

from __future__ import annotations

from wakeful.testing.store_rules.carrying import CarryingRules
from wakeful.testing.store_rules.documents import DocumentRules
from wakeful.testing.store_rules.mailbox import MailboxRules
from wakeful.testing.store_rules.requests import RequestRules
from wakeful.testing.store_rules.upkeep import UpkeepRules


class StoreMachine(RequestRules, CarryingRules, MailboxRules, UpkeepRules, DocumentRules):
    """All rules. The store must know itself alone: nobody else uses what it stores."""
