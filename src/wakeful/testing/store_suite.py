"""The tests every store passes.

    class TestMyStore(StoreSuite):
        @pytest.fixture
        async def store(self):
            store = MyStore(...)
            await store.open()
            yield store
            await store.aclose()

Give every test an empty, open store. Needs pytest-asyncio in auto mode. `StoreMachine` in `store_machine.py` is the
second half: random sequences of calls against a small model.
"""

from __future__ import annotations

from wakeful.testing.store_cases.accepting import AcceptingCases
from wakeful.testing.store_cases.carrying import CarryingCases
from wakeful.testing.store_cases.claiming import ClaimingCases
from wakeful.testing.store_cases.deciding import DecidingCases
from wakeful.testing.store_cases.documents import DocumentCases, DueDocumentCases
from wakeful.testing.store_cases.failing import FailingCases
from wakeful.testing.store_cases.interrupting import InterruptingCases
from wakeful.testing.store_cases.mailbox import MailboxCases
from wakeful.testing.store_cases.messages import MessageCases
from wakeful.testing.store_cases.replacing import ReplacingCases
from wakeful.testing.store_cases.retiring import RetiringCases
from wakeful.testing.store_cases.runs import RunCases
from wakeful.testing.store_cases.state import StateCases
from wakeful.testing.store_cases.steering import SteeringCases
from wakeful.testing.store_cases.thread_changes import ThreadChangeCases
from wakeful.testing.store_cases.threads import ThreadCases
from wakeful.testing.store_cases.upkeep import UpkeepCases
from wakeful.testing.store_cases.watching import WatchingCases


class StoreSuite(
    AcceptingCases,
    ClaimingCases,
    CarryingCases,
    DecidingCases,
    RetiringCases,
    InterruptingCases,
    MailboxCases,
    SteeringCases,
    FailingCases,
    UpkeepCases,
    RunCases,
    MessageCases,
    ReplacingCases,
    ThreadCases,
    ThreadChangeCases,
    StateCases,
    WatchingCases,
    DocumentCases,
    DueDocumentCases,
):
    """All promises of `contracts.store.Store`."""
