"""One model call: its retries, and what stopping it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts.errors import ModelError
from wakeful.contracts.event import ErrorReport, RetryScheduled, StepFinished, StepRestarted, TextDelta, ToolCallDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.contracts.model_errors import (
    ContextOverflow,
    MalformedReply,
    ModelRequestInvalid,
    ModelTimeout,
    Overloaded,
    RateLimited,
)
from wakeful.engine.assignment import Ending
from wakeful.engine.inference import LONGEST_DELAY_MS, retry_delay
from wakeful.providers.scripted import say

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


async def pass_back_off(stage: Stage) -> int:
    """Let one back-off pass; how long it was."""
    async with asyncio.timeout(5):
        await stage.clock.until_asleep()
    delay = stage.clock.due[0] - stage.clock.now()
    stage.clock.advance(delay)
    return delay


async def test_a_retryable_failure_is_asked_again_after_the_announced_delay(stage: Stage):
    task = stage.begin(Overloaded("busy"), "Hi")
    delay = await pass_back_off(stage)

    ending = await task

    (retry,) = stage.book.of(RetryScheduled)
    assert ending.stop_reason == "answered"
    assert (retry.attempt, retry.delay_ms, retry.error.code) == (1, delay, "overloaded")
    assert stage.book.of(StepRestarted) == []


async def test_what_was_shown_before_a_failure_is_voided_and_not_kept(stage: Stage):
    task = stage.begin([say("Wrong"), ModelTimeout("silence")], "Right")
    await pass_back_off(stage)

    await task

    assert stage.book.kinds() == [
        "StepStarted", "TextDelta", "RetryScheduled", "StepRestarted", "TextDelta", "ModelCallFinished",
        "MessageCommitted", "StepFinished",
    ]  # fmt: skip
    assert stage.book.of(StepRestarted)[0].reason == "model_timeout"
    assert [message.text for message in stage.book.messages] == ["Right"]


@pytest.mark.proves("R19")
async def test_when_no_retry_is_left_the_run_is_put_back_with_the_last_failure(stage: Stage):
    stage.agent = {"max_retries": 2}
    task = stage.begin(
        Overloaded("1"), Overloaded("2"), [say("Half a"), RateLimited("3", retry_after_ms=7_000)], "never asked for"
    )
    await pass_back_off(stage)
    await pass_back_off(stage)

    ending = await task

    assert ending == Ending(status=RunStatus.QUEUED, error=ErrorReport("rate_limited", "3"), retry_after_ms=7_000)
    assert len(stage.provider.requests) == 3
    assert stage.book.of(StepFinished) == []
    assert stage.book.messages == []


async def test_a_run_that_is_given_up_after_all_keeps_what_was_shown(stage: Stage):
    stage.agent = {"max_retries": 0}
    await stage.begin([say("Half a"), Overloaded("busy")])

    assert stage.loop is not None
    stage.loop.salvage()

    assert [message.parts for message in stage.book.messages] == [(TextPart("Half a", interrupted=True),)]
    assert stage.book.events[-1] == StepFinished(1)


async def test_a_run_that_was_put_back_asks_again_in_the_same_step(stage: Stage):
    stage.agent = {"max_retries": 0}
    await stage.play([say("Half a"), Overloaded("busy")])

    ending = await stage.resume("Whole.")

    assert ending.stop_reason == "answered"
    assert stage.book.of(StepRestarted)[0].step == 1
    assert [message.text for message in stage.history] == ["Hello", "Whole."]


@pytest.mark.parametrize("error", [ContextOverflow("long"), ModelRequestInvalid("bad")])
async def test_what_asking_again_cannot_help_is_not_asked_again(stage: Stage, error: ModelError):
    ending = await stage.play(error, "never asked for")

    assert ending.status is RunStatus.FAILED
    assert stage.book.of(RetryScheduled) == []


@given(st.integers(1, 11), st.sampled_from([None, 0, 700, 20_000, 90_000]))
def test_delays_grow_with_jitter_honour_the_vendor_and_are_capped(attempt: int, advice: int | None):
    ceiling = min(500 * 2 ** (attempt - 1), LONGEST_DELAY_MS)

    delay = retry_delay(attempt, RateLimited("slow down", retry_after_ms=advice))

    assert delay <= LONGEST_DELAY_MS
    assert delay >= min(max(ceiling // 2, advice or 0), LONGEST_DELAY_MS)
    assert delay <= max(ceiling, advice or 0)


async def test_a_stop_interrupts_the_back_off_and_keeps_what_was_shown(stage: Stage):
    task = stage.begin([say("So far"), Overloaded("busy")], "never asked for")
    await stage.clock.until_asleep()

    await stage.stop(task)

    assert stage.clock.due == []
    assert [message.parts for message in stage.book.messages] == [(TextPart("So far", interrupted=True),)]
    assert stage.book.events[-1] == StepFinished(1)


async def test_a_stop_in_the_middle_of_a_reply_keeps_its_text_marked_interrupted(stage: Stage):
    task = stage.begin([TextDelta("So far"), asyncio.Event()])
    await stage.book.until(TextDelta("So far"))

    await stage.stop(task)

    assert [message.parts for message in stage.book.messages] == [(TextPart("So far", interrupted=True),)]
    assert stage.book.kinds()[-2:] == ["MessageCommitted", "StepFinished"]


async def test_a_stop_before_the_first_word_leaves_no_message(stage: Stage):
    asked = asyncio.Event()

    def silence(request: ModelRequest) -> asyncio.Event:
        asked.set()
        return asyncio.Event()

    task = stage.begin(silence)
    await asked.wait()

    await stage.stop(task)

    assert stage.book.kinds() == ["StepStarted", "StepFinished"]


class Careless:
    """A provider with a body of its own; `closed` when its stream was."""

    name = "careless"

    def __init__(self, *chunks: ModelChunk, failure: BaseException | None = None, on_stop: bool = False) -> None:
        self.closed = False
        self._chunks = chunks
        self._failure = failure
        self._on_stop = on_stop

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        try:
            yield list(self._chunks)
            if self._failure and not self._on_stop:
                raise self._failure
            if self._on_stop:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise self._failure or AssertionError("stopped") from None
        finally:
            self.closed = True

    async def aclose(self) -> None: ...


async def test_a_reply_without_an_end_is_malformed(stage: Stage):
    stage.agent = {"max_retries": 0}
    provider = Careless(TextDelta("Hi"))

    ending = await stage.play(provider=provider)

    assert ending.error is not None
    assert ending.error.code == MalformedReply.code


async def test_of_a_read_with_something_malformed_what_came_before_is_shown(stage: Stage):
    stage.agent = {"max_retries": 0}

    ending = await stage.play(provider=Careless(TextDelta("Hi"), ToolCallDelta("nobody", "{}"), TextDelta("lost")))

    assert ending.error is not None
    assert ending.error.code == MalformedReply.code
    assert stage.book.of(TextDelta) == [TextDelta("Hi")]


async def test_what_a_provider_raises_in_answer_to_a_stop_is_no_failure_to_ask_again(stage: Stage):
    provider = Careless(TextDelta("Hi"), failure=Overloaded("connection closed"), on_stop=True)
    task = stage.begin(provider=provider)
    await stage.book.until(TextDelta("Hi"))

    await stage.stop(task)

    assert stage.book.of(RetryScheduled) == []
    assert stage.book.messages[0].text == "Hi"


async def test_what_is_no_model_error_is_not_asked_again_and_the_stream_is_closed(stage: Stage):
    provider = Careless(TextDelta("Hi"), failure=OSError("hunter2"))

    with pytest.raises(OSError, match="hunter2"):
        await stage.play(provider=provider)

    assert provider.closed
    assert stage.book.of(RetryScheduled) == []


async def test_a_producer_waits_for_a_journal_that_is_behind(stage: Stage):
    stage.book.behind = True

    await stage.play("Hi")

    assert stage.book.flushes == 1
