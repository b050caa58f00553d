"""One connection to a NATS server, from its beginning to its end. It is never mended: the bus makes another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, NoServersError

from wakeful.buses.nats.address import Address
from wakeful.buses.nats.outbox import MOST_BYTES
from wakeful.buses.nats.wire import run_of, subject_of

ANSWER_SECONDS = 3
"""How long the server may take for an answer before it counts as gone."""
MOST_MESSAGES = 1024
MOST_HEARD_BYTES = 4 * 1024 * 1024
"""What may wait to be taken in, of one run. More is dropped; the log has it."""
NO_RESPONDERS = "503"

FAILURES = (Error, OSError)
"""What a connection raises; timeouts are among them."""


class Connection:
    """An open connection. `ended` once it is of no use any more."""

    def __init__(self, client: Client, install: str, hear: Callable[[int, bytes], None]) -> None:
        self.ended = False
        self._client = client
        self._install = install
        self._hear = hear
        self._inbox = client.new_inbox()
        self._runs: dict[int, Subscription] = {}

    async def begin(self, nobody: Callable[[int], None]) -> None:
        """Ask the server to say for which runs `nobody` is subscribed."""

        async def answer(message: Msg) -> None:
            if message.headers is not None and message.headers.get("Status") == NO_RESPONDERS:
                nobody(run_of(message.subject))

        await self._subscribe(f"{self._inbox}.*", answer)
        await self.answered()

    async def follow(self, run_key: int) -> None:
        """Subscribe to a run."""
        if run_key not in self._runs:
            self._runs[run_key] = await self._subscribe(subject_of(self._install, run_key), self._take)

    async def leave(self, run_key: int) -> None:
        """Subscribe to it no more."""
        subscription = self._runs.pop(run_key, None)
        if subscription is not None:
            await subscription.unsubscribe()

    async def publish(self, run_key: int, data: bytes) -> None:
        """Hand a batch to the server; one that is larger than it takes is left out."""
        if len(data) <= self._client.max_payload:
            await self._client.publish(subject_of(self._install, run_key), data, reply=f"{self._inbox}.{run_key}")

    async def answered(self) -> None:
        """Return when the server has taken everything; raises one of `FAILURES` when it does not answer."""
        await self._client.flush(ANSWER_SECONDS)

    async def _take(self, message: Msg) -> None:
        self._hear(run_of(message.subject), message.data)

    async def _subscribe(self, subject: str, take: Callable[[Msg], Awaitable[None]]) -> Subscription:
        return await self._client.subscribe(  # pyright: ignore[reportUnknownMemberType] - a future of anything, unused
            subject,
            cb=take,
            pending_msgs_limit=MOST_MESSAGES,
            pending_bytes_limit=MOST_HEARD_BYTES,
        )


@asynccontextmanager
async def connected(
    address: Address,
    install: str,
    *,
    hear: Callable[[int, bytes], None],
    nobody: Callable[[int], None],
    ended: Callable[[], None],
) -> AsyncGenerator[Connection]:
    """A connection to one of the servers, closed at the end; raises one of `FAILURES` when none takes it.

    `hear` is given each batch of a followed run, as bytes; `nobody` each run that somebody should have heard and nobody
    did; `ended` is called once when the connection ends by itself.
    """
    client = Client()
    troubles: list[Exception] = []

    async def on_error(error: Exception) -> None:
        troubles[:] = [error]

    async def on_closed() -> None:
        connection.ended = True
        ended()

    connection = Connection(client, install, hear)
    try:
        await _connect(client, address, on_error, on_closed, troubles)
        await connection.begin(nobody)
        yield connection
    finally:
        with suppress(*FAILURES):
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.close()


async def _connect(
    client: Client,
    address: Address,
    on_error: Callable[[Exception], Awaitable[None]],
    on_closed: Callable[[], Awaitable[None]],
    troubles: list[Exception],
) -> None:
    """Try each server once or twice; raises the last one's refusal."""
    try:
        await client.connect(
            servers=list(address.servers),
            user=address.user,
            password=address.password,
            token=address.token,
            name="wakeful",
            no_echo=True,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=ANSWER_SECONDS,
            pending_size=2 * MOST_BYTES,  # more than is ever handed over at once: a full buffer would make it wait
            error_cb=on_error,
            closed_cb=on_closed,
        )
    except NoServersError as error:
        raise (troubles[0] if troubles else error) from error
