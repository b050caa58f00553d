"""A reply's chunks become the parts of one message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts.event import ReasoningDelta, ReasoningSealed, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import MessagePart, ReasoningPart, TextPart, ToolCallPart
from wakeful.contracts.model_errors import MalformedReply
from wakeful.engine.accumulate import Accumulator, ReplyChunk


def collect(*chunks: ReplyChunk) -> Accumulator:
    reply = Accumulator(message_id="m", run_id="r", step=2, provider="p", created_at=9)
    for chunk in chunks:
        reply.add(chunk)
    return reply


def parts(*chunks: ReplyChunk) -> tuple[MessagePart, ...]:
    return collect(*chunks).message().parts


def kept(*chunks: ReplyChunk) -> tuple[MessagePart, ...]:
    partial = collect(*chunks).partial()
    return partial.parts if partial else ()


def test_adjacent_deltas_of_a_kind_are_one_part():
    assert parts(ReasoningDelta("a"), ReasoningDelta("b"), TextDelta("c"), TextDelta("d"), ReasoningDelta("e")) == (
        ReasoningPart("ab", provider="p"),
        TextPart("cd"),
        ReasoningPart("e", provider="p"),
    )


def test_calls_may_be_written_side_by_side():
    assert parts(
        ToolCallProposed("1", "look"),
        ToolCallProposed("2", "find"),
        ToolCallDelta("1", '{"a"'),
        ToolCallDelta("2", "{}"),
        ToolCallDelta("1", ":1}"),
    ) == (ToolCallPart("1", "look", '{"a":1}'), ToolCallPart("2", "find", "{}"))


def test_text_after_a_call_is_a_part_of_its_own():
    assert parts(TextDelta("a"), ToolCallProposed("1", "look"), TextDelta("b")) == (
        TextPart("a"),
        ToolCallPart("1", "look", "{}"),
        TextPart("b"),
    )


def test_arguments_may_come_while_text_goes_on():
    assert parts(
        ToolCallProposed("1", "look"), TextDelta("a"), ToolCallDelta("1", "{}"), TextDelta("b")
    ) == (ToolCallPart("1", "look", "{}"), TextPart("ab"))  # fmt: skip


def test_a_seal_closes_its_reasoning_and_a_seal_alone_is_hidden_reasoning():
    assert parts(
        ReasoningDelta("a"), ReasoningSealed(signature="s"), ReasoningDelta("b"), TextDelta("c"),
        ReasoningSealed(encrypted="e", item_id="i"), ReasoningSealed(encrypted="f"),
    ) == (
        ReasoningPart("a", signature="s", provider="p"),
        ReasoningPart("b", provider="p"),
        TextPart("c"),
        ReasoningPart("", encrypted="e", item_id="i", provider="p"),
        ReasoningPart("", encrypted="f", provider="p"),
    )  # fmt: skip


def test_what_says_nothing_is_left_out():
    assert parts(TextDelta(""), ReasoningDelta("")) == ()


@pytest.mark.parametrize(("call_id", "name"), [("text", "look"), ("reasoning", "look"), ("1", "")])
def test_a_call_is_a_call_whatever_it_is_called(call_id: str, name: str):
    chunks = (ToolCallProposed(call_id, name), ToolCallDelta(call_id, "{}"))

    assert parts(*chunks) == (ToolCallPart(call_id, name, "{}"),)
    assert kept(*chunks) == ()


def test_arguments_of_a_call_nobody_proposed_are_a_malformed_reply():
    with pytest.raises(MalformedReply):
        collect(ToolCallDelta("1", "{}"))


def test_of_a_cut_off_reply_text_and_sealed_reasoning_are_kept():
    assert kept(
        ReasoningDelta("a"), ReasoningSealed(signature="s"), ReasoningDelta("half"), TextDelta("Hel"),
        ToolCallProposed("1", "look"),
    ) == (ReasoningPart("a", signature="s", provider="p"), TextPart("Hel", interrupted=True))  # fmt: skip


@pytest.mark.parametrize("chunk", [ReasoningDelta("half"), TextDelta(""), ToolCallProposed("1", "look")])
def test_of_a_cut_off_reply_without_text_nothing_is_kept(chunk: ReplyChunk):
    assert collect(chunk).partial() is None


def test_the_message_is_the_steps():
    message = collect(TextDelta("a")).message()

    assert (message.id, message.role, message.run_id, message.step, message.created_at) == (
        "m", "assistant", "r", 2, 9,
    )  # fmt: skip


def test_it_is_empty_until_the_first_chunk():
    assert collect().empty
    assert not collect(TextDelta("")).empty


CHUNKS = st.one_of(
    st.builds(TextDelta, st.text(max_size=3)),
    st.builds(ReasoningDelta, st.text(max_size=3)),
    st.just(ReasoningSealed(signature="s")),
    st.builds(ToolCallDelta, st.sampled_from(["1", "2"]), st.sampled_from(["{", "}", '"a":1'])),
)


@given(st.lists(CHUNKS, max_size=12))
def test_under_any_interleaving_no_text_is_lost_or_moved_to_another_part(chunks: list[ReplyChunk]):
    chunks = [ToolCallProposed("1", "x"), ToolCallProposed("2", "y"), *chunks]

    found = parts(*chunks)

    said = "".join(part.text for part in found if isinstance(part, TextPart))
    thought = "".join(part.text for part in found if isinstance(part, ReasoningPart))
    assert said == "".join(chunk.delta for chunk in chunks if isinstance(chunk, TextDelta))
    assert thought == "".join(chunk.delta for chunk in chunks if isinstance(chunk, ReasoningDelta))
    for call in (part for part in found if isinstance(part, ToolCallPart)):
        written = [
            chunk.delta for chunk in chunks if isinstance(chunk, ToolCallDelta) and chunk.call_id == call.call_id
        ]
        assert call.arguments == ("".join(written) or "{}")
