"""The ASGI app of a runtime with every protocol Wakeful speaks."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute

from wakeful.protocols.a2a.routes import A2A
from wakeful.protocols.ag_ui import routes as ag_ui
from wakeful.protocols.ai_sdk import routes as ai_sdk
from wakeful.protocols.mcp import routes as mcp
from wakeful.runtime.runtime import Runtime
from wakeful.server.app import App
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations


def build_app(runtime: Runtime, config: ServerConfig) -> App:
    """The app; nothing runs before its first request or its lifespan."""
    metrics = Metrics(runtime)
    operations = Operations(runtime, config, metrics)
    app = App(runtime, config, metrics)
    app.document(lambda: _native(operations))
    app.add(ai_sdk.routes(operations))
    app.add(ag_ui.routes(operations))
    app.add(mcp.routes(operations, config))
    a2a = A2A(operations, config)
    app.add(a2a.routes())
    app.attend(a2a.deliver)
    return app


def _native(operations: Operations) -> Iterable[BaseRoute]:
    from wakeful.protocols.native.routes import routes

    return routes(operations)
