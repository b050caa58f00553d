"""The event reader."""

import pytest

from wakeful.contracts.model_errors import MalformedReply
from wakeful.providers import sse
from wakeful.providers.sse import EventReader

STREAM = 'data: {"a":"äöü €"}\n\n: comment\r\nevent: x\r\ndata:two\r\n\r\nid: 7\ndata: 3\ndata: more\n\n\r'.encode()
EVENTS = ['{"a":"äöü €"}'.encode(), b"two", b"3\nmore"]


def test_all_events_of_one_read_come_out_together() -> None:
    assert EventReader().feed(STREAM) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_reads_may_end_anywhere(size: int) -> None:
    reader = EventReader()

    events = [event for at in range(0, len(STREAM), size) for event in reader.feed(STREAM[at : at + size])]

    assert events == EVENTS


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_of_the_standard_is_understood(newline: bytes) -> None:
    stream = newline.join([b"data: 1", b"data: one", b"", b"data: 2", b"", b""])
    whole, bytewise = EventReader(), EventReader()

    assert whole.feed(stream) == [b"1\none", b"2"]
    assert [event for at in range(len(stream)) for event in bytewise.feed(stream[at : at + 1])] == [b"1\none", b"2"]


def test_an_event_is_given_as_soon_as_its_blank_line_arrives() -> None:
    reader = EventReader()

    assert reader.feed(b"data: 1\r\n") == []
    assert reader.feed(b"\r") == [b"1"]
    assert reader.feed(b"\ndata: 2\r\n\r\n") == [b"2"]


def test_an_event_without_its_blank_line_is_not_given() -> None:
    assert EventReader().feed(b'data: {"half":') == []


def test_comments_and_other_fields_are_no_events() -> None:
    assert EventReader().feed(b": ping\n\nevent: ping\nretry: 3\n\n") == []


def test_lines_that_are_no_data_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 999)
    reader = EventReader()

    assert [event for _ in range(1000) for event in reader.feed(b": ping\n")] == []
    assert reader.feed(b"data: 1\n\n") == [b"1"]


@pytest.mark.parametrize("line", [b"x" * 1000, b"data: " + b"x" * 1000, b"data: x\n" * 1000])
def test_an_endless_event_is_refused(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 999)

    with pytest.raises(MalformedReply, match="larger than 999 bytes"):
        EventReader().feed(line)
