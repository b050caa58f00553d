"""One agent at an endpoint: finds its card, checks where that leads, and calls A2A's methods with the SDK's client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.card_resolver import A2ACardResolver
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError
from google.protobuf.json_format import MessageToDict

from wakeful.backends.a2a.bounded import BoundedTransport
from wakeful.backends.a2a.failures import UntrustedCard, failure
from wakeful.backends.a2a.incoming import Said, Task, read, read_task
from wakeful.backends.a2a.origins import GuardedTransport, Origins
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.spec import Endpoint

MIB = 1024 * 1024
MOST_BYTES = 16 * MIB
MOST_STREAMED = 256 * MIB
CONNECT_SECONDS = 30
CONNECTIONS = 1_000
CARD = "/.well-known/agent-card.json"
BINDINGS = (("JSONRPC", "1."), ("HTTP+JSON", "1."), ("JSONRPC", "0.3"), ("HTTP+JSON", "0.3"))
"""What the client speaks, best first: bindings with what their version begins with."""


class Remote:
    """The agent `agent_id` stands for. Every method raises a `ModelError`, or `ConfigurationError` without its token.

    The card is read with the first call, and again after a failure. Redirects are not followed, and no address is
    asked that has neither the origin of the endpoint's own nor one that the endpoint names.
    """

    def __init__(self, agent_id: str, endpoint: Endpoint, environment: Mapping[str, str] = os.environ) -> None:
        self._agent_id = agent_id
        self._endpoint = endpoint
        self._environment = environment
        self._origins = Origins(agent_id, endpoint)
        self._http: httpx.AsyncClient | None = None
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._streams = False
        self._tenant = ""

    @property
    def card_url(self) -> str:
        """Where the card is."""
        url = self._endpoint.url
        return url if urlsplit(url).path.endswith(".json") else url.rstrip("/") + CARD

    async def streams(self) -> bool:
        """Whether the agent shows its work as it comes."""
        await self._opened()
        return self._streams

    async def send(self, message: pb.Message) -> AsyncGenerator[Said]:
        """Hand a message over: what a stream brings, or one answer at once where the agent does not stream."""
        client = await self._opened()
        request = pb.SendMessageRequest(message=message, tenant=self._tenant)
        request.configuration.return_immediately = not self._streams
        async with aclosing(self._said(client.send_message(request))) as said:
            async for one in said:
                yield one

    async def subscribe(self, task_id: str) -> AsyncGenerator[Said]:
        """A task at work, and every change of it."""
        client = await self._opened()
        request = pb.SubscribeToTaskRequest(id=task_id, tenant=self._tenant)
        async with aclosing(self._said(client.subscribe(request))) as said:
            async for one in said:
                yield one

    async def get(self, task_id: str) -> Task:
        """A task as it is now, with all its history."""
        client = await self._opened()
        try:
            found = await client.get_task(pb.GetTaskRequest(id=task_id, tenant=self._tenant))
        except Exception as error:
            raise self._failed(error) from error
        return read_task(MessageToDict(found))

    async def cancel(self, task_id: str) -> None:
        """Stop a task; one that is over or unknown needs no stopping."""
        client = await self._opened()
        try:
            await client.cancel_task(pb.CancelTaskRequest(id=task_id, tenant=self._tenant))
        except (TaskNotFoundError, TaskNotCancelableError):
            return
        except Exception as error:
            raise self._failed(error) from error

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _said(self, responses: AsyncIterator[pb.StreamResponse]) -> AsyncGenerator[Said]:
        stream = cast("AsyncGenerator[pb.StreamResponse]", responses)  # the SDK's clients are generators
        try:
            async with aclosing(stream):
                async for response in stream:
                    yield read(MessageToDict(response))
        except Exception as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> Exception:
        self._client = None  # its card may have changed
        return failure(self._agent_id, error)

    async def _opened(self) -> Client:
        async with self._opening:
            if self._client is None:
                http = self._http = self._http or self._connection()
                try:
                    base, path = self.card_url.rsplit("/", 1)
                    card = await A2ACardResolver(http, base, path).get_agent_card(signature_verifier=self._verifier())
                    self._client = self._made(card, http)
                except ConfigurationError:
                    raise
                except Exception as error:
                    raise self._failed(error) from error
            return self._client

    def _verifier(self) -> Callable[[pb.AgentCard], None] | None:
        if not self._endpoint.trusted_keys:
            return None
        try:
            from wakeful.backends.a2a.trust import TrustedKeys
        except ImportError as error:
            raise ConfigurationError(
                f'trusted_keys of remote agent {self._agent_id} need PyJWT: pip install "wakeful[secrets]"'
            ) from error
        return TrustedKeys(self._agent_id, self._endpoint.trusted_keys).check

    def _made(self, card: pb.AgentCard, http: httpx.AsyncClient) -> Client:
        chosen = self._chosen(card)
        self._streams = card.capabilities.streaming
        self._tenant = self._endpoint.agent or chosen.tenant
        chosen.tenant = ""  # is in every request
        del card.supported_interfaces[:]
        card.supported_interfaces.append(chosen)
        bindings = list(dict.fromkeys(binding for binding, _ in BINDINGS))
        return ClientFactory(ClientConfig(httpx_client=http, supported_protocol_bindings=bindings)).create(card)

    def _chosen(self, card: pb.AgentCard) -> pb.AgentInterface:
        """The best interface this client speaks; raises `UntrustedCard` when it leads elsewhere."""
        spoken = [
            one
            for binding, number in BINDINGS
            for one in card.supported_interfaces
            if one.protocol_binding == binding and one.protocol_version.startswith(number)
        ]
        for one in spoken:
            if self._origins.allow(one.url):
                return one
        if spoken:
            raise self._origins.refused(spoken[0].url)
        raise UntrustedCard(
            f"the card of remote agent {self._agent_id} has no interface that is spoken here: "
            f"expected {', '.join(f'{binding} {number}' for binding, number in BINDINGS)}"
        )

    def _connection(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=20)
        return httpx.AsyncClient(
            transport=BoundedTransport(
                GuardedTransport(httpx.AsyncHTTPTransport(limits=limits), self._origins),
                most_bytes=MOST_BYTES,
                most_streamed=MOST_STREAMED,
            ),
            headers={"accept-encoding": "identity", **self._authorisation()},
            timeout=httpx.Timeout(CONNECT_SECONDS, read=self._endpoint.timeout_seconds),
            follow_redirects=False,
            trust_env=False,
        )

    def _authorisation(self) -> dict[str, Any]:
        name = self._endpoint.token_env
        if name is None:
            return {}
        token = self._environment.get(name)
        if not token:
            raise ConfigurationError(
                f"the environment variable {name} is not set; remote agent {self._agent_id} needs its value"
            )
        return {"authorization": f"Bearer {token}"}
