"""The judge of the other tests finds what is wrong, in what either side says."""

from __future__ import annotations

from typing import Any

import pytest
from tests.protocols.mcp.judge import LEGACY, META, MODERN
from tests.protocols.mcp.traffic import Traffic

ABOUT = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
MADE_BY = {f"{META}serverInfo": {"name": "wakeful", "version": "1"}}
CALL = {"method": "tools/call", "params": {"name": "a", "_meta": ABOUT}}
TIME = "2026-01-01T00:00:00Z"
TASK = {"taskId": "t", "status": "working", "createdAt": TIME, "lastUpdatedAt": TIME, "ttlMs": None}
DONE = {"resultType": "complete", "_meta": MADE_BY}
GET = {"method": "tasks/get", "params": {"taskId": "t", "_meta": ABOUT}}


def message(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


@pytest.mark.parametrize(
    ("call", "answer", "fits"),
    [
        (CALL, {"result": {**DONE, "content": []}}, True),
        (CALL, {"result": {**DONE, "content": [{"type": "text", "text": "x"}]}}, True),
        (CALL, {"result": {**DONE, "content": [{"type": "text", "text": 1}]}}, False),
        (CALL, {"result": {**DONE, "content": [{"type": "text", "text": "x", "annotations": None}]}}, False),
        (CALL, {"result": {**DONE, "content": [{"type": "words", "text": "x"}]}}, False),
        (CALL, {"result": {**DONE}}, False),
        (CALL, {"result": {"resultType": "complete", "content": []}}, False),
        (CALL, {"result": {**DONE, "content": [], "isError": "no"}}, False),
        (CALL, {"result": {**DONE, **TASK, "resultType": "task"}}, True),
        (CALL, {"result": {**DONE, **TASK, "resultType": "task", "createdAt": 3}}, False),
        (CALL, {"error": {"code": -32602, "message": "no"}}, True),
        (CALL, {"error": {"code": "no", "message": "no"}}, False),
        (GET, {"result": {**DONE, **TASK}}, True),
        (GET, {"result": {**DONE, **TASK, "status": "input_required"}}, False),
        (GET, {"result": {**DONE, **TASK, "status": "completed", "result": {"content": [3]}}}, False),
    ],
)
def test_an_answer_is_judged_by_what_it_answers(call: Any, answer: Any, fits: bool) -> None:
    traffic = Traffic()
    traffic.sent(message(id=1, **call))

    traffic.told(message(id=1, **answer), version=MODERN)

    assert traffic.judged == 2
    assert bool(traffic.faults) is not fits


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        ({"id": 1, "method": "ping"}, True),
        ({"id": None, "method": "ping"}, False),
        ({"id": 1, "method": "initialize", "params": {"protocolVersion": LEGACY, "capabilities": {}}}, False),
        ({"id": 1, "method": "server/discover", "params": {}}, False),
        ({"id": 1, "method": "server/discover", "params": {"_meta": ABOUT}}, True),
        ({"id": 1, "method": "ping", "params": {"_meta": ABOUT}}, False),
        ({"id": 1, "method": "tasks/update", "params": {"taskId": "t", "_meta": ABOUT}}, False),
        ({"method": "notifications/cancelled", "params": {"requestId": [1]}}, False),
    ],
)
def test_what_a_client_sends_is_judged_by_its_version(sent: Any, fits: bool) -> None:
    traffic = Traffic()

    traffic.sent(message(**sent))

    assert bool(traffic.faults) is not fits


def test_what_the_server_asks_and_what_it_is_answered_are_judged() -> None:
    traffic = Traffic()
    schema = {"type": "object", "properties": {"approved": {"type": "boolean"}}}

    traffic.told(message(id="q", method="elicitation/create", params={"message": "May I?", "requestedSchema": schema}))
    traffic.sent(message(id="q", result={"action": "accept", "content": {"approved": True}}))
    assert not traffic.faults
    traffic.told(message(id="r", method="elicitation/create", params={"message": "May I?"}))
    traffic.sent(message(id="q", result={"action": "surely"}))
    traffic.told(message(error={"code": -32700, "message": "no JSON"}))
    traffic.told(message(id=None, error={"code": -32700, "message": "no JSON"}))

    assert len(traffic.faults) == 3


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ({"method": "notifications/message", "params": {"level": "info", "data": 1}}, True),
        ({"method": "notifications/message", "params": {"level": "info", "data": 1}, "more": 1}, False),
        ({"method": "notifications/message", "params": {"level": "info", "data": 1, "more": 1}}, False),
        ({"id": 1, "result": {}, "more": 1}, False),
        ({"id": 1, "result": {"more": 1}}, False),
        ({"id": 1, "error": {"code": 1, "message": "no", "more": 1}}, False),
        ({"id": 1, "error": {"code": 1, "message": "no"}, "more": 1}, False),
    ],
)
def test_a_member_that_the_types_do_not_have_is_refused(told: Any, fits: bool) -> None:
    traffic = Traffic()
    traffic.sent(message(id=1, method="ping"))

    traffic.told(message(**told))

    assert bool(traffic.faults) is not fits


def test_an_answer_is_judged_although_its_question_is_noted_later() -> None:
    traffic = Traffic()
    schema = {"type": "object", "properties": {}}

    traffic.sent(message(id="q", result={"roots": []}))
    traffic.told(message(id="q", method="elicitation/create", params={"message": "May I?", "requestedSchema": schema}))

    assert (traffic.judged, len(traffic.faults)) == (2, 1)


async def test_all_that_goes_over_the_wire_is_read_along(offer: Any) -> None:
    """`none_escapes` compares what the server read and wrote with what was judged; here nobody leaves early."""
    peer = await offer(["one", "two"])

    await peer.initialize()
    await peer.request("tools/call", {"name": "assistant", "arguments": {"message": "hi"}})
    said = len(peer.said)
    await peer.call(meta={"progressToken": 1})

    assert peer.traffic.complete
    assert peer.traffic.judged == 6 + said + len(peer.said)
    assert said > 1
    assert peer.said
