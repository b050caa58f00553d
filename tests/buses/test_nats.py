"""The bus over NATS, against a real server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import nats as client_library
import pytest
from tests.buses.conftest import NatsServer, batch, eventually

from wakeful.buses.nats.interest import ASK_AGAIN_MS
from wakeful.buses.nats.outbox import AT_ONCE, MOST_BYTES, Outbox
from wakeful.contracts.lifecycle import RunStatus

if TYPE_CHECKING:
    from tests.buses.conftest import Ear, Listening

    from wakeful.contracts.bus import Batch

pytestmark = pytest.mark.network


@pytest.fixture
async def served(nats: NatsServer) -> NatsServer:
    """A server that runs."""
    await nats.start()
    return nats


async def test_batches_of_a_followed_run_arrive_as_they_were_sent_and_in_order(
    served: NatsServer, listening: Listening
):
    here, there = await listening(), await listening(follows=(7,))
    sent = [batch(7, f"Grüße {n}", "\N{PARTY POPPER}", after=2 * n) for n in range(600)]
    sent.append(batch(7, "the end", after=1200, status=RunStatus.COMPLETED))

    await subscribed(here, there, run_key=7)
    before = there.bus.status.heard
    for one in sent:
        say(here, one)

    assert await there.hears(len(sent)) == sent
    assert there.bus.status.heard == before + len(sent)


async def test_only_who_follows_a_run_hears_of_it(served: NatsServer, listening: Listening):
    here, there = await listening(), await listening(follows=(1, 2))
    await subscribed(here, there, run_key=1)
    await subscribed(here, there, run_key=2)

    there.bus.leave(1)
    there.bus.follow(4)
    await subscribed(here, there, run_key=4)  # so the server knows that 1 was left
    for run_key in (1, 3, 2):
        say(here, batch(run_key, "to whom it may concern"))

    assert [one.run_key for one in await there.hears(1)] == [2]


async def test_nobody_hears_what_he_published_himself(served: NatsServer, listening: Listening):
    here, there = await listening(follows=(1,)), await listening(follows=(1,))
    await subscribed(here, there)

    say(here, batch(1, "from here"))
    say(there, batch(1, "from there"))

    assert await here.hears(1) == [batch(1, "from there")]
    assert await there.hears(1) == [batch(1, "from here")]


async def test_another_installation_on_the_same_server_hears_nothing(served: NatsServer, listening: Listening):
    here, there = await listening(), await listening(follows=(1,))
    other = await listening(install="other", follows=(1,))

    await subscribed(here, there)
    before = other.bus.status.heard
    say(here, batch(1, "a secret"))
    await there.hears(1)
    await subscribed(await listening(install="other"), other)

    assert before == 0
    assert there.heard == [batch(1, "a secret")]


async def test_what_nobody_hears_is_sent_once_a_second(served: NatsServer, listening: Listening):
    here = await listening()
    here.bus.publish(batch(1, "anybody?"))
    await eventually(lambda: refused(here))

    sent = here.bus.status.sent
    here.bus.publish(batch(1, "anybody?"))
    assert here.bus.status.sent == sent

    here.clock.advance(ASK_AGAIN_MS)
    here.bus.publish(batch(1, "anybody?"))
    assert here.bus.status.sent == sent + 1


async def test_a_batch_larger_than_the_server_takes_is_left_out(served: NatsServer, listening: Listening):
    here, there = await listening(), await listening(follows=(1,))
    await subscribed(here, there)

    say(here, batch(1, "x" * 2_000_000))
    say(here, batch(1, "small", after=1))

    assert await there.hears(1) == [batch(1, "small", after=1)]
    assert there.bus.status.state == here.bus.status.state == "connected"


async def test_what_cannot_be_read_is_left_out(served: NatsServer, listening: Listening):
    here, there = await listening(), await listening(follows=(1,))
    await subscribed(here, there)
    stranger = await client_library.connect(served.url)

    for data in (b"", b"\xc1", b"\x93\x01\xa7unknown\x90", b"\x93\x01\xa7running\x91\x93\x02\x03\xc4\x02{}"):
        await stranger.publish("wakeful.test.1", data)
    await stranger.flush()
    await stranger.close()
    say(here, batch(1, "readable"))

    assert await there.hears(1) == [batch(1, "readable")]


async def test_a_server_that_is_absent_at_first_is_found_later(nats: NatsServer, listening: Listening):
    there = await listening(follows=(1,), state="degraded")
    await eventually(lambda: there.lost)
    there.bus.publish(batch(1, "into the void"))

    await nats.start()
    await there.until("connected")
    here = await listening()
    await subscribed(here, there)

    assert there.lost == 1
    assert there.bus.status.sent == 0


async def test_a_server_that_dies_is_told_once_and_used_again_when_it_is_back(
    served: NatsServer, listening: Listening, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "wakeful.bus")
    there = await listening(follows=(1,))

    served.kill()
    await there.until("degraded")
    for _ in range(3):
        await there.clock.until_asleep()
        there.clock.advance(1_000)
    await served.start()
    await there.until("connected")
    here = await listening()
    await subscribed(here, there)

    assert there.lost == 1
    said = [(record.levelname, record.message) for record in caplog.records][:3]
    assert [level for level, _ in said] == ["INFO", "WARNING", "INFO"]
    assert f"the bus at {served.url} is away, live streams are read from the log" in said[1][1]


async def test_a_server_that_does_not_answer_counts_as_gone(served: NatsServer, listening: Listening):
    here, there = await listening(), await listening(follows=(1,))
    await subscribed(here, there)

    served.pause()
    say(here, batch(1, "anybody?"))
    await here.until("degraded")
    await there.until("degraded")
    served.go_on()
    await here.until("connected")
    await there.until("connected")

    await subscribed(here, there)


@pytest.mark.parametrize(
    ("options", "credentials"),
    [(("--user", "me", "--pass", "se/c:ret"), "me:se%2Fc%3Aret"), (("--auth", "s3cret"), "s3cret")],
)
async def test_a_server_may_ask_who_it_is(
    nats: NatsServer,
    listening: Listening,
    caplog: pytest.LogCaptureFixture,
    options: tuple[str, ...],
    credentials: str,
):
    await nats.start(*options)

    known = await listening(f"nats://{credentials}@127.0.0.1:{nats.port}")
    stranger = await listening(f"nats://me:wrong@127.0.0.1:{nats.port}", state="degraded")
    await eventually(lambda: stranger.lost)

    assert known.bus.status.state == "connected"
    assert "Authorization Violation" in caplog.text
    assert "wrong" not in caplog.text
    assert "cret" not in caplog.text


async def test_the_first_server_that_answers_is_used(served: NatsServer, listening: Listening):
    there = await listening(f"nats://127.0.0.1:1,127.0.0.1:{served.port}")

    assert there.bus.status.state == "connected"


def test_what_waits_to_be_sent_is_bounded():
    outbox = Outbox()
    megabyte = bytes(1024 * 1024)

    kept = [outbox.put_batch(1, megabyte) for _ in range(20)]

    assert sum(kept) == MOST_BYTES // len(megabyte)
    assert len(outbox.take_batches()) == sum(kept)
    assert outbox.put_batch(1, megabyte)


def test_what_is_sent_before_the_server_is_asked_for_an_answer_is_bounded():
    outbox = Outbox()
    for run_key in range(2 * AT_ONCE):
        outbox.put_run(run_key)
        outbox.put_run(run_key)
        outbox.put_batch(run_key, b"")

    assert outbox.take_runs() == [key for key, _ in outbox.take_batches()] == list(range(AT_ONCE))
    assert outbox.take_runs() == list(range(AT_ONCE, 2 * AT_ONCE))


def say(here: Ear, one: Batch) -> None:
    """Publish, however lately the server said that nobody hears."""
    here.clock.advance(ASK_AGAIN_MS)
    here.bus.publish(one)


async def subscribed(here: Ear, there: Ear, *, run_key: int = 1) -> None:
    """Return when `there` hears what `here` publishes of a run, and has heard all of it."""
    heard = len(there.heard)
    await eventually(lambda: len(there.heard) > heard, meanwhile=lambda: say(here, batch(run_key, "ready?")))
    go = batch(run_key, "go")
    say(here, go)
    await eventually(lambda: there.heard[-1] == go)
    there.heard.clear()


def refused(here: Ear) -> bool:
    """Whether the server has said that nobody hears."""
    before = here.bus.status.sent
    here.bus.publish(batch(1, "anybody?"))
    return here.bus.status.sent == before
