"""The runtime that `wakeful serve` is given, described by its environment."""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos.ledger import Ledger, tools
from tests.chaos.script import Teller

from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent

STORE, LEDGER, PACE = "CHAOS_STORE", "CHAOS_LEDGER", "CHAOS_PACE"


def teller_runtime(store: str | None, ledger: Path, pace: float) -> AgentRuntime:
    """One agent, `teller`, whose model and tools pause `pace` seconds at a time."""
    agent = Agent("teller", model="teller:tales", tools=tools(Ledger(ledger), pace * 3))
    return AgentRuntime(agents=[agent], providers=[Teller(pace)], store=store)


if STORE in os.environ:
    runtime = teller_runtime(os.environ[STORE], Path(os.environ[LEDGER]), float(os.environ[PACE]))
