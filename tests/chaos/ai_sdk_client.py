"""A client of the AI SDK's routes: comes back to the thread's stream, which begins anew each time."""

from __future__ import annotations

import json
from typing import Any

import httpx
from tests.chaos.clients import AGENT, Client, CutOff
from tests.chaos.frames import frames
from tests.chaos.transcript import Fold, Result, Step, Transcript


class AiSdkClient(Client):
    """Shows what its last stream said, or the stored conversation when there is no stream to come back to.

    `major` is the one whose chunks it understands: 7 knows `reset-step`.
    """

    major = "6"

    def forget(self) -> None:
        """A new run begins."""
        self._fold = Fold()

    def assembled(self) -> Transcript:
        """The last message it shows."""
        return self._fold.transcript()

    async def attach(self, base: str, question: str) -> bool:
        """Send the question until it is acknowledged, then resume; the outcome is looked up by the run's id."""
        runs = f"{base}/v1/ai-sdk/agents/{AGENT}/runs"
        headers = {"x-wakeful-ai-sdk": self.major}
        if not self.acknowledged:
            message = {"id": f"{self.run}-question", "role": "user", "parts": [{"type": "text", "text": question}]}
            body = {"threadId": self.thread, "runId": self.run, "trigger": "submit-message", "messages": [message]}
            async with self.stream("POST", runs, json=body, headers=headers) as response:
                self.acknowledged = True
                await self._read(response)
        else:
            async with self.stream("GET", f"{runs}/{self.thread}/stream", headers=headers) as response:
                if response.status_code == 200:
                    await self._read(response)
                else:
                    await self._reload(base)
        return await self.rests(base)

    async def _read(self, response: httpx.Response) -> None:
        self._fold = Fold()
        async for frame in frames(response):
            if frame.data == b"[DONE]":
                return
            self._add(json.loads(frame.data))
        raise CutOff

    def _add(self, chunk: dict[str, Any]) -> None:
        fold = self._fold
        match chunk["type"]:
            case "start-step":
                fold.steps.append(Step())
            case "reset-step":
                fold.steps[-1] = Step()
            case "data-step-restarted":
                fold.steps[-2:-1] = []  # the step before the one that has just begun is void
            case "text-delta":
                fold.step.more("text", chunk["id"], chunk["delta"])
            case "reasoning-delta":
                fold.step.more("thought", chunk["id"], chunk["delta"])
            case "tool-input-start":
                fold.step.call(chunk["toolCallId"], chunk["toolName"])
                fold.results.pop(chunk["toolCallId"], None)
            case "tool-input-delta":
                fold.step.arguments(chunk["toolCallId"], chunk["inputTextDelta"])
            case "tool-input-available":
                fold.step.call(chunk["toolCallId"], chunk["toolName"], json.dumps(chunk["input"]))
            case "tool-output-available" | "tool-output-error" | "tool-output-denied":
                fold.results[chunk["toolCallId"]] = _result(chunk["type"].removeprefix("tool-"), chunk)

    async def _reload(self, base: str) -> None:
        """The stored answer to the question, as after a reload of the page."""
        shown = (await self.get(f"{base}/v1/ai-sdk/threads/{self.thread}/messages"))["messages"]
        self._fold = fold = Fold()
        asked = max(i for i, message in enumerate(shown) if message["role"] == "user")
        for part in (part for message in shown[asked + 1 :] for part in message["parts"]):
            if part["type"] == "step-start":
                fold.steps.append(Step())
            elif part["type"] in ("text", "reasoning"):
                fold.step.more("text" if part["type"] == "text" else "thought", "", part["text"])
            elif part["type"].startswith("tool-"):
                call = part["toolCallId"]
                fold.step.call(call, part["type"].removeprefix("tool-"), json.dumps(part["input"]))
                if part["state"].startswith("output-"):
                    fold.results[call] = _result(part["state"], part)


def _result(state: str, part: dict[str, Any]) -> Result:
    match state:
        case "output-available":
            return "succeeded", part["output"]
        case "output-denied":
            return "denied", None
        case _:
            return "failed", part["errorText"]


class AiSdk7Client(AiSdkClient):
    """The same for major 7."""

    major = "7"
