"""A storm: clients of all protocols ask again and again, letters are posted, and the server is killed meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.chaos.ag_ui_client import AgUiClient
from tests.chaos.ai_sdk_client import AiSdk7Client, AiSdkClient
from tests.chaos.clients import Client
from tests.chaos.ledger import Ledger
from tests.chaos.mortal import Mortal, serving
from tests.chaos.native_client import NativeClient
from tests.chaos.postman import Letter, Postman
from tests.chaos.served import LEDGER, PACE, STORE
from tests.chaos.transcript import Transcript

PROTOCOLS: tuple[Callable[..., Client], ...] = (NativeClient, AiSdkClient, AgUiClient, AiSdk7Client)
KINDNESS = "100"
"""Attempts in a row without a finished step: a storm kills more often than a run should be tried by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad it gets. `pace` is the model's pause between two words, a `life` how long a process lives, in seconds."""

    seed: int
    streams: int
    postmen: int
    kills: int
    pace: float
    life: tuple[float, float]
    limit: float


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
    kills: Counter[str] = field(default_factory=Counter)
    """Kills by what the server was doing: `streams` open at the moment, added up."""


@asynccontextmanager
async def weathered(plan: Plan, folder: Path) -> AsyncIterator[Aftermath]:
    """The storm, and what is left of it when every client has its answers."""
    ledger = folder / "ledger.jsonl"
    environment = {
        STORE: f"sqlite:///{folder / 'chaos.db'}",
        LEDGER: str(ledger),
        PACE: str(plan.pace),
        "WAKEFUL_MAX_ATTEMPTS": KINDNESS,
    }
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        serving("tests.chaos.served:runtime", **environment) as server,
        httpx.AsyncClient(limits=limits, timeout=30, trust_env=False, verify=False) as http,
    ):
        aftermath = Aftermath(plan, "", http, Ledger(ledger))
        clients = [PROTOCOLS[i % len(PROTOCOLS)](f"thread-{i}", server, http) for i in range(plan.streams)]
        try:
            async with asyncio.timeout(plan.limit):
                await _rage(server, clients, aftermath)
        except TimeoutError:
            waiting = [client.run for client in clients if client.waiting]
            kills = aftermath.kills["kills"]
            raise AssertionError(
                f"seed {plan.seed}: after {plan.limit} s and {kills} kills these runs still have no end: {waiting}; "
                f"the server said:\n{''.join(server.said)}"
            ) from None
        aftermath.base = await server.base()
        yield aftermath


async def _rage(server: Mortal, clients: list[Client], aftermath: Aftermath) -> None:
    plan = aftermath.plan
    calm = asyncio.Event()
    postmen = [Postman(f"mail-{i}", server, aftermath.http, plan.seed) for i in range(plan.postmen)]
    async with asyncio.TaskGroup() as tasks:
        for number, client in enumerate(clients):
            tasks.create_task(_keep_asking(client, number, calm, aftermath))
        for postman in postmen:
            tasks.create_task(postman.walk(calm))
        await _kill(server, clients, aftermath)
        calm.set()
    aftermath.letters = [letter for postman in postmen for letter in postman.letters]
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


async def _kill(server: Mortal, clients: list[Client], aftermath: Aftermath) -> None:
    rng = random.Random(aftermath.plan.seed)
    for _ in range(aftermath.plan.kills):
        await asyncio.sleep(rng.uniform(*aftermath.plan.life))
        aftermath.kills["kills"] += 1
        aftermath.kills["streams"] += sum(client.waiting for client in clients)
        await server.kill()
        await server.start()
