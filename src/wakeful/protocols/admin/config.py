"""`/v1/config`: what operators may change while the server runs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from wakeful.catalog.editor import Record
from wakeful.contracts.errors import NotFound
from wakeful.protocols.admin import wire
from wakeful.protocols.admin.preconditions import etag, expected
from wakeful.server.administration import Administration
from wakeful.server.checks import check_id
from wakeful.server.documented import documented


def router(desk: Administration) -> APIRouter:
    """The routes."""
    api = documented("configuration", prefix="/v1/config", admit=desk.admit)
    _namespaces(api, desk)
    _records(api, desk)
    _checks(api, desk)
    return api


def _namespaces(api: APIRouter, desk: Administration) -> None:
    editor = desk.editor

    @api.get("", summary="The kinds of records")
    async def list_namespaces() -> wire.Namespaces:
        return wire.Namespaces(items=[wire.namespace_view(one) for one in editor.namespaces.values()])

    @api.get("/{namespace}", summary="All records of a kind, those that code defines first")
    async def list_records(namespace: str) -> wire.Records:
        return wire.Records(items=[wire.record_view(record) for record in await editor.records(namespace)])

    @api.get("/{namespace}/$schema", summary="The JSON Schema of a record")
    async def get_schema(namespace: str) -> dict[str, Any]:
        found = editor.namespaces.get(namespace)
        if found is None:
            raise NotFound("namespace", namespace)
        return found.spec.model_json_schema()

    @api.post("/{namespace}", status_code=201, summary="A new record")
    async def create_record(
        request: Request, response: Response, namespace: str, body: wire.Members
    ) -> wire.RecordView:
        sent = body.root.get("id")
        check_id("record", sent if isinstance(sent, str) else None)
        return _answer(response, await editor.create(namespace, body.root, desk.admit(request)))


def _records(api: APIRouter, desk: Administration) -> None:
    editor = desk.editor

    @api.get("/{namespace}/{id}", summary="One record; its ETag is its version")
    async def get_record(response: Response, namespace: str, id: str) -> wire.RecordView:
        return _answer(response, await editor.get(namespace, id))

    @api.put("/{namespace}/{id}", summary="The record as it is from now on, made when absent; If-Match is honoured")
    async def put_record(
        request: Request, response: Response, namespace: str, id: str, body: wire.Members
    ) -> wire.RecordView:
        check_id("record", id)
        who = desk.admit(request)
        return _answer(response, await editor.put(namespace, id, body.root, who, expected=expected(request)))

    @api.patch("/{namespace}/{id}", summary="Some members changed, by a JSON Merge Patch; If-Match is honoured")
    async def patch_record(
        request: Request, response: Response, namespace: str, id: str, body: wire.Members
    ) -> wire.RecordView:
        who = desk.admit(request)
        return _answer(response, await editor.patch(namespace, id, body.root, who, expected=expected(request)))

    @api.delete("/{namespace}/{id}", status_code=204, summary="Removed, or as code defines it again")
    async def delete_record(request: Request, namespace: str, id: str) -> None:
        await editor.delete(namespace, id, desk.admit(request), expected=expected(request))

    @api.post("/{namespace}/{id}/restore", summary="As an earlier version wrote it; If-Match is honoured")
    async def restore_record(
        request: Request, response: Response, namespace: str, id: str, body: wire.RestoreBody
    ) -> wire.RecordView:
        who = desk.admit(request)
        return _answer(response, await editor.restore(namespace, id, body.version, who, expected=expected(request)))


def _checks(api: APIRouter, desk: Administration) -> None:
    editor = desk.editor

    @api.post("/{namespace}/{id}/validate", summary="Whether a record could be written; nothing is")
    async def validate_record(namespace: str, id: str, body: wire.Members) -> wire.Verdict:
        check_id("record", id)
        return wire.verdict(await editor.validate(namespace, id, body.root))

    @api.get("/{namespace}/{id}/removal-preview", summary="What speaks against removing a record; nothing is removed")
    async def preview_removal(namespace: str, id: str) -> wire.Verdict:
        await editor.get(namespace, id)
        return wire.verdict(await editor.validate(namespace, id, None))


def _answer(response: Response, record: Record) -> wire.RecordView:
    response.headers["etag"] = etag(record.version)
    return wire.record_view(record)
