"""Events and messages survive JSON, and their tags are their names."""

from __future__ import annotations

import re
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts.event import DELTAS, Delta, Event, Fact
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.message import Message, MessagePart, ToolResultPart
from wakeful.contracts.usage import Usage

# Text as it reaches us is valid Unicode: decoders refuse lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53)
LEAVES = st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
PLAIN: dict[typing.Any, st.SearchStrategy[typing.Any]] = {
    typing.Any: JSON,
    type(None): st.none(),
    bool: st.booleans(),
    str: TEXT,
    int: NUMBERS,
    float: st.floats(allow_nan=False, allow_infinity=False),
}

EVENT_TYPES: tuple[type[msgspec.Struct], ...] = typing.get_args(Event)
PART_TYPES: tuple[type[msgspec.Struct], ...] = typing.get_args(MessagePart)


def built(kind: type[msgspec.Struct]) -> st.SearchStrategy[typing.Any]:
    """Any value of a struct, from its annotations; a field of any JSON value is annotated `Any`."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: typed(hints[field.name]) for field in msgspec.structs.fields(kind)}
    return st.builds(kind, **fields)


def typed(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is dict:
        return st.dictionaries(TEXT, JSON, max_size=3)
    if origin is tuple:
        return st.lists(typed(args[0]), max_size=3).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from(args)
    return st.one_of([typed(arg) for arg in args]) if args else built(hint)


@given(st.one_of([built(kind) for kind in EVENT_TYPES]))
def test_every_event_survives_json(event: Event):
    assert codec.decode_event(codec.encode_event(event)) == event


@given(built(Message))
def test_every_message_survives_json(message: Message):
    assert codec.decode_message(codec.encode_message(message)) == message


@given(JSON)
def test_a_tool_output_of_any_json_value_is_told_apart_from_every_other(output: object):
    part = ToolResultPart("c1", "look", "succeeded", output)
    message = Message("m1", "tool", (part,), 1)

    assert codec.decode_message(codec.encode_message(message)).parts == (part,)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_the_tag_of_an_event_is_its_class_name_in_snake_case(kind: type[msgspec.Struct]):
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()

    assert kind.__struct_config__.tag == snake


def test_every_event_is_either_a_fact_or_a_delta():
    facts, deltas = set(typing.get_args(Fact)), set(typing.get_args(Delta))

    assert deltas == DELTAS
    assert facts.isdisjoint(deltas)
    assert facts | deltas == set(EVENT_TYPES)


@pytest.mark.parametrize("body", [b"{}", b'{"type":"nothing"}', b'{"type":"text_delta"}', b"[]", b"{"])
def test_what_is_no_event_is_refused(body: bytes):
    with pytest.raises(msgspec.MsgspecError):
        codec.decode_event(body)


def test_an_entry_carries_its_event_encoded_once():
    event = EVENT_TYPES[-1]("call-1", "look")

    entry = codec.entry(7, 99, typing.cast("Event", event))  # the union's members are known at run time only

    assert (entry.seq, entry.at, codec.decode_event(entry.body)) == (7, 99, event)


def test_usage_adds_up_field_by_field():
    total = Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50)

    assert total == Usage(11, 22, 33, 44, 55)
    assert total.total_tokens == 33


@given(built(Interrupt))
def test_interrupts_survive_json(interrupt: Interrupt):
    assert msgspec.json.decode(msgspec.json.encode(interrupt), type=Interrupt) == interrupt
