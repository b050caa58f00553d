"""A storm: clients of all protocols ask again and again, letters are posted, and what serves them is harmed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx
from tests.chaos.ag_ui_client import AgUiClient
from tests.chaos.ai_sdk_client import AiSdk7Client, AiSdkClient
from tests.chaos.clients import Client
from tests.chaos.ledger import Ledger
from tests.chaos.mortal import Served
from tests.chaos.native_client import NativeClient
from tests.chaos.postman import Letter, Postman
from tests.chaos.served import LEDGER, PACE, STORE
from tests.chaos.transcript import Transcript

PROTOCOLS: tuple[Callable[..., Client], ...] = (NativeClient, AiSdkClient, AgUiClient, AiSdk7Client)
TARGET = "tests.chaos.served:runtime"
KINDNESS = "100"
"""Attempts in a row without a finished step: a storm kills more often than a run should be tried by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad it gets. `pace` is the model's pause between two words, `life` the time between two harms, in seconds.

    `pauses` and orderly `stops` of a process and `restarts` of the database are for several processes only. Letters are
    posted three at a time, `letters` seconds apart.
    """

    seed: int
    streams: int
    postmen: int
    kills: int
    pauses: int = 0
    stops: int = 0
    restarts: int = 0
    pace: float
    life: tuple[float, float]
    letters: tuple[float, float] = (1.0, 3.0)
    limit: float

    def environment(self, store: str, folder: Path) -> dict[str, str]:
        """What a process has to know to be part of the storm."""
        return {
            STORE: store,
            LEDGER: str(ledger_in(folder)),
            PACE: str(self.pace),
            "WAKEFUL_MAX_ATTEMPTS": KINDNESS,
        }


class Harmed(Served, Protocol):
    """What serves the clients in a storm."""

    async def suffer(self, plan: Plan, note: Callable[[str], None]) -> None:
        """Bring all harm of the plan about, noting the kind of each as it happens; in the end all is up again."""
        ...

    def last_words(self) -> str:
        """What its processes said, for a person to read."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """A question that was answered, and the transcript its client assembled."""

    client: Client
    run: str
    question: str
    transcript: Transcript


@dataclass(slots=True)
class Aftermath:
    """What is left: a server that runs, what its clients saw, and the side file of its tools."""

    plan: Plan
    base: str
    http: httpx.AsyncClient
    ledger: Ledger
    told: list[Told] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    shown: dict[tuple[str, int], bytes] = field(default_factory=dict)
    """Every native event a client ever saw, by run and number."""
    conflicts: list[str] = field(default_factory=list)
    harms: Counter[str] = field(default_factory=Counter)
    """Harms by kind; `streams` open at these moments, added up; `refusals`: answers that told a client to come back."""


def ledger_in(folder: Path) -> Path:
    """The side file of a storm."""
    return folder / "ledger.jsonl"


@asynccontextmanager
async def weathered(plan: Plan, folder: Path, harmed: Harmed) -> AsyncIterator[Aftermath]:
    """The storm, and what is left of it when every client has its answers."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False, verify=False) as http:
        aftermath = Aftermath(plan, "", http, Ledger(ledger_in(folder)))
        clients = [PROTOCOLS[i % len(PROTOCOLS)](f"thread-{i}", harmed, http) for i in range(plan.streams)]
        try:
            async with asyncio.timeout(plan.limit):
                await _rage(harmed, clients, aftermath)
        except TimeoutError:
            waiting = [client.run for client in clients if client.waiting]
            raise AssertionError(
                f"seed {plan.seed}: after {plan.limit} s and {dict(aftermath.harms)} these runs still have no end: "
                f"{waiting}; what was said:\n{harmed.last_words()}"
            ) from None
        aftermath.base = await harmed.base()
        yield aftermath


async def _rage(harmed: Harmed, clients: list[Client], aftermath: Aftermath) -> None:
    plan = aftermath.plan
    calm = asyncio.Event()
    postmen = [Postman(f"mail-{i}", harmed, aftermath.http, plan.seed, plan.letters) for i in range(plan.postmen)]

    def note(harm: str) -> None:
        aftermath.harms[harm] += 1
        aftermath.harms["streams"] += sum(client.waiting for client in clients)

    async with asyncio.TaskGroup() as tasks:
        for number, client in enumerate(clients):
            tasks.create_task(_keep_asking(client, number, calm, aftermath))
        for postman in postmen:
            tasks.create_task(postman.walk(calm))
        await harmed.suffer(plan, note)
        calm.set()
    aftermath.letters = [letter for postman in postmen for letter in postman.letters]
    aftermath.harms["refusals"] = sum(one.refusals for one in [*clients, *postmen])
    for client in clients:
        if isinstance(client, NativeClient):
            aftermath.shown |= client.shown
            aftermath.conflicts += client.conflicts


async def _keep_asking(client: Client, number: int, calm: asyncio.Event, aftermath: Aftermath) -> None:
    """One question after the other, at least one."""
    turn = 0
    while not turn or not calm.is_set():
        run, question = f"run-{number}-{turn}", f"tale {aftermath.plan.seed * 1_000_000 + number * 1000 + turn}"
        aftermath.told.append(Told(client, run, question, await client.ask(run, question)))
        turn += 1
