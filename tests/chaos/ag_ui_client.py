"""A client of the AG-UI routes: comes back to the stream of its run."""

from __future__ import annotations

import json
from typing import Any

import httpx
from tests.chaos.clients import AGENT, Client, CutOff
from tests.chaos.frames import frames
from tests.chaos.transcript import Fold, Step, Transcript


class AgUiClient(Client):
    """Comes back by turns for what it has not seen and for everything. Results have a text, not a status."""

    def forget(self) -> None:
        """A new run begins."""
        self._fold = Fold()
        self._parents: dict[str, str] = {}
        self._last = 0
        self._ended = False

    def assembled(self) -> Transcript:
        """What the events add up to."""
        return self._fold.transcript()

    async def attach(self, base: str, question: str) -> bool:
        """Send the run until it is acknowledged, then attach to it; whether it has ended is looked up."""
        if not self.acknowledged:
            body = {
                "threadId": self.thread,
                "runId": self.run,
                "messages": [{"id": f"{self.run}-question", "role": "user", "content": question}],
                "tools": [],
                "context": [],
                "state": {},
                "forwardedProps": {},
            }
            async with self.stream("POST", f"{base}/v1/ag-ui/agents/{AGENT}/runs", json=body) as response:
                self.acknowledged = True
                await self._read(response)
        else:
            if self.attaches % 2:
                self.forget()
            headers = {"last-event-id": str(self._last)} if self._last else {}
            async with self.stream("GET", f"{base}/v1/ag-ui/runs/{self.run}/stream", headers=headers) as response:
                await self._read(response)
        return await self.rests(base)

    async def _read(self, response: httpx.Response) -> None:
        """Events count once the number of their log entry has arrived, so that none is taken twice."""
        events: list[dict[str, Any]] = []
        async for frame in frames(response):
            events.append(json.loads(frame.data))
            if frame.id is not None:
                self._last = frame.id
                for event in events:
                    self._add(event)
                events.clear()
        if not self._ended:
            raise CutOff

    def _add(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "RUN_STARTED":
                self._ended = False
            case "RUN_FINISHED" | "RUN_ERROR":
                self._ended = True
            case "STEP_STARTED":
                self._fold.steps.append(Step())
            case "ACTIVITY_SNAPSHOT" if event["activityType"] == "void":
                self._take_back(event["messageId"])
            case "CUSTOM" if event["name"] == "step_restarted":
                self._fold.steps[-1] = Step()  # what was shown and never committed is taken back by nothing else
            case _:
                self._say(event)

    def _say(self, event: dict[str, Any]) -> None:
        step = self._fold.step
        match event["type"]:
            case "TEXT_MESSAGE_CONTENT":
                step.more("text", event["messageId"], event["delta"])
            case "REASONING_MESSAGE_CONTENT":
                step.more("thought", event["messageId"], event["delta"])
            case "TOOL_CALL_START":
                self._parents[event["toolCallId"]] = event["parentMessageId"]
                step.call(event["toolCallId"], event["toolCallName"])
            case "TOOL_CALL_ARGS":
                step.arguments(event["toolCallId"], event["delta"])
            case "TOOL_CALL_RESULT":
                self._fold.results[event["toolCallId"]] = (None, _value(event["content"]))

    def _take_back(self, message: str) -> None:
        """A message was replaced by nothing: its text and its calls are gone."""
        step = self._fold.step
        calls = [call for call, parent in self._parents.items() if parent == message]
        step.said = [said for said in step.said if said[1] != message and said[1] not in calls]
        for call in calls:
            self._fold.results.pop(call, None)


def _value(content: str) -> Any:
    """A result as it was before it became text; a failure's text is no JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return content
