"""A client of the native API: remembers the last event's number and asks for what comes after it."""

from __future__ import annotations

import json
from typing import Any

import httpx
from tests.chaos.clients import AGENT, Client, CutOff
from tests.chaos.frames import frames
from tests.chaos.transcript import Fold, Step, Transcript


class NativeClient(Client):
    """`shown` holds every event it ever saw, by run and number; `conflicts` those that were shown in two versions."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.shown: dict[tuple[str, int], bytes] = {}
        self.conflicts: list[str] = []
        self.forget()

    def forget(self) -> None:
        """A new run begins."""
        self._last = 0
        self._fold = Fold()
        self._open: list[tuple[str, str]] = []

    def assembled(self) -> Transcript:
        """What the events add up to."""
        return self._fold.transcript()

    async def attach(self, base: str, question: str) -> bool:
        """Post the question until it is acknowledged, then answer what is open and follow the run's events."""
        await self.decide(base, self._open)
        self._open = []
        if not self.acknowledged:
            body = {
                "agent_id": AGENT,
                "thread_id": self.thread,
                "run_id": self.run,
                "messages": [{"id": f"{self.run}-question", "content": question}],
            }
            async with self.stream("POST", f"{base}/v1/runs", json=body) as response:
                self.acknowledged = True
                return await self._read(response)
        url = f"{base}/v1/runs/{self.run}/events/stream"
        async with self.stream("GET", url, headers={"last-event-id": str(self._last)}) as response:
            return await self._read(response)

    async def _read(self, response: httpx.Response) -> bool:
        async for frame in frames(response):
            assert frame.id is not None, "a native event without its number"
            self._see(frame.id, frame.data)
            event = json.loads(frame.data)
            self._add(event)
            if event["type"] == "run_finished":
                return True
            if event["type"] == "run_waiting":
                self._open = [(asked["id"], asked["call_id"]) for asked in event["interrupts"]]
                return False
        raise CutOff

    def _see(self, seq: int, data: bytes) -> None:
        assert seq > self._last, f"run {self.run}: event {seq} was shown after {self._last}"
        self._last = seq
        if self.shown.setdefault((self.run, seq), data) != data:
            self.conflicts.append(f"run {self.run}: event {seq} is {data!r} and was {self.shown[self.run, seq]!r}")

    def _add(self, event: dict[str, Any]) -> None:
        fold = self._fold
        match event["type"]:
            case "step_started":
                fold.steps.append(Step())
            case "step_restarted":
                fold.steps[-1] = Step()
            case "text_delta":
                fold.step.more("text", "", event["delta"])
            case "reasoning_delta":
                fold.step.more("thought", "", event["delta"])
            case "tool_call_proposed":
                fold.step.call(event["call_id"], event["name"])
            case "tool_call_delta":
                fold.step.arguments(event["call_id"], event["delta"])
            case "tool_call_ready":
                fold.step.call(event["call_id"], event["name"], event["arguments"])
            case "tool_call_finished":
                fold.results[event["call_id"]] = (event["status"], event["output"])
