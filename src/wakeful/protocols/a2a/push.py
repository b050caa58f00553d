"""Subscriptions to notifications about a task: one document each, which goes with the task's context.

Its `due_at` is the outbox: whichever process claims it brings out what its receiver was not told yet. What proves the
sender to the receiver (`token`, `credentials`) is written and never shown again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import cast

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run
from wakeful.protocols.a2a.encode import Version
from wakeful.protocols.a2a.faults import INVALID_PARAMS, TASK_NOT_FOUND, Fault, invalid
from wakeful.protocols.a2a.wire import Authentication, PushConfig, PushConfigPage, PushRequest
from wakeful.server import pages
from wakeful.server.checks import check_id
from wakeful.server.operations import Operations
from wakeful.server.outgoing import Outgoing

KIND = "a2a-push"
MOST_PER_TASK = 10
LONGEST_SECRET = 4096


class Subscription(msgspec.Struct, frozen=True):
    """A document's value: what was asked for, the last event that was told, and how often in a row telling failed.

    `resting`: its task waited for its client when it was looked at last, so nobody follows it.
    """

    config: PushConfig
    seen: int
    version: Version
    failures: int = 0
    resting: bool = False


class Push:
    """Keeps subscriptions; every method is about a run that is the caller's."""

    def __init__(self, operations: Operations, outgoing: Outgoing) -> None:
        self._operations = operations
        self._outgoing = outgoing

    async def check(self, config: PushConfig | None) -> None:
        """Raise `Fault` for a subscription that could not be kept, or whose URL nothing may be posted to."""
        if config is None:
            return
        secrets = [config.token]
        if config.authentication is not None:
            secrets += [config.authentication.scheme, config.authentication.credentials]
        if any(len(text) > LONGEST_SECRET or not (text.isascii() and text.isprintable()) for text in secrets if text):
            raise invalid("token", "secrets are printable ASCII, which fits a header")
        try:
            check_id("push notification config", config.id or None)
            await self._outgoing.check(config.url)
        except BadRequest as error:
            raise invalid("url", error.message) from None

    async def create(self, run: Run, config: PushConfig, *, seen: int, version: Version) -> PushConfig:
        """Subscribe; under the same id again it replaces what was asked before. Without an id it is the task's."""
        await self.check(config)
        config = msgspec.structs.replace(config, id=config.id or run.id, task_id=run.id, tenant="")
        store, now = self._operations.store, self._operations.now()
        others = await store.list_documents(run.scope, KIND, prefix=f"{run.id}/", after="", limit=MOST_PER_TASK)
        known = any(other.id == _name(run, config.id) for other in others)
        if len(others) >= MOST_PER_TASK and not known:
            raise Fault(INVALID_PARAMS, f"task {run.id} has {MOST_PER_TASK} push notification configs; delete one")
        value = cast("JsonObject", msgspec.to_builtins(Subscription(config, seen, version)))
        await store.put_document(
            Document(
                scope=run.scope,
                kind=KIND,
                id=_name(run, config.id),
                value=value,
                thread_key=run.thread_key,
                due_at=now,
            ),
            now,
        )
        return shown(config)

    async def wake(self, run: Run) -> None:
        """The task goes on: those that wait with it are due now."""
        store, now = self._operations.store, self._operations.now()
        for document in await store.list_documents(run.scope, KIND, prefix=f"{run.id}/", after="", limit=MOST_PER_TASK):
            if subscription(document).resting:
                with suppress(Conflict):  # somebody looks at it already
                    due = msgspec.structs.replace(document, due_at=now)
                    await store.put_document(due, now, expected=document.revision)

    async def get(self, run: Run, config_id: str) -> PushConfig:
        """One subscription; without an id the task's own. Raises `Fault`."""
        document = await self._operations.store.get_document(run.scope, KIND, _name(run, config_id or run.id))
        if document is None:
            raise Fault(TASK_NOT_FOUND, f"task {run.id} has no push notification config {config_id or run.id}")
        return shown(subscription(document).config)

    async def list(self, run: Run, request: PushRequest) -> PushConfigPage:
        """One page of a task's subscriptions, by id."""
        size = max(1, min(request.page_size or MOST_PER_TASK, MOST_PER_TASK))
        after = _after(request.page_token, run)
        found = await self._operations.store.list_documents(
            run.scope, KIND, prefix=f"{run.id}/", after=after, limit=size + 1
        )
        more = len(found) > size
        return PushConfigPage(
            configs=tuple(shown(subscription(document).config) for document in found[:size]),
            next_page_token=pages.encode_cursor({"task": run.id}, (0, found[size - 1].id)) if more else "",
        )

    async def delete(self, run: Run, config_id: str) -> None:
        """End a subscription; one that is not there is none already."""
        await self._operations.store.delete_document(run.scope, KIND, _name(run, config_id or run.id))


def subscription(document: Document) -> Subscription:
    """A document's value."""
    return msgspec.convert(document.value, Subscription)


def shown(config: PushConfig) -> PushConfig:
    """A subscription without its secrets."""
    proof = config.authentication
    return msgspec.structs.replace(
        config, token="", authentication=Authentication(scheme=proof.scheme) if proof else None
    )


def _name(run: Run, config_id: str) -> str:
    return f"{run.id}/{config_id}"


def _after(token: str, run: Run) -> str:
    if not token:
        return ""
    try:
        return str(pages.decode_cursor(token, {"task": run.id})[1])
    except BadRequest:
        raise invalid("pageToken", "expected the nextPageToken of an earlier page of this task") from None
