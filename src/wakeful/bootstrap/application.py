"""The ASGI app of a runtime with every protocol Wakeful speaks."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute

from wakeful.catalog.catalogs import Catalogs
from wakeful.contracts.clock import Clock
from wakeful.protocols.a2a.routes import A2A
from wakeful.protocols.ag_ui import routes as ag_ui
from wakeful.protocols.ai_sdk import routes as ai_sdk
from wakeful.protocols.mcp import routes as mcp
from wakeful.runtime.runtime import Runtime
from wakeful.server.app import App
from wakeful.server.capabilities import Protocol
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations

PROTOCOLS = (
    Protocol("wakeful", ("1",), "/v1"),
    Protocol("ai-sdk", ("7", "6", "5"), "/v1/ai-sdk"),
    Protocol("ag-ui", ("1.0", "0.0.5x"), "/v1/ag-ui"),
    Protocol("a2a", ("1.0", "0.3"), "/v1/a2a"),
    Protocol("mcp", ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"), "/v1/mcp"),
)


def build_app(runtime: Runtime, config: ServerConfig) -> App:
    """The app; nothing runs before its first request or its lifespan."""
    metrics = Metrics(runtime)
    operations = Operations(runtime, config, metrics, PROTOCOLS)
    app = App(runtime, config, metrics)
    app.document(lambda: _native(operations))
    app.add(ai_sdk.routes(operations))
    app.add(ag_ui.routes(operations))
    app.add(mcp.routes(operations, config))
    a2a = A2A(operations, config)
    app.add(a2a.routes())
    app.attend(a2a.deliver)
    catalogs = runtime.catalogs
    if config.has_operators and isinstance(catalogs, Catalogs):
        app.document(lambda: _admin(catalogs, runtime.clock, config))
    return app


def _native(operations: Operations) -> Iterable[BaseRoute]:
    from wakeful.protocols.native.routes import routes

    return routes(operations)


def _admin(catalogs: Catalogs, clock: Clock, config: ServerConfig) -> Iterable[BaseRoute]:
    from wakeful.catalog.editor import Editor
    from wakeful.protocols.admin.routes import routes
    from wakeful.server.administration import Administration

    return routes(Administration(Editor(catalogs, clock), config))
