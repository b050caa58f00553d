"""Every model pydantic-ai has a class for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.providers.call_ids import CallIds
from wakeful.providers.failures import Failures
from wakeful.providers.sources import Citations

if TYPE_CHECKING:
    from pydantic_ai.models import Model


class PydanticAIProvider:
    """Asks a pydantic-ai model; `request.model` is pydantic-ai's own `"vendor:model"`.

    `model_of` makes the model of such a name, by default pydantic-ai's `infer_model`, which reads the vendor's key
    from the environment. Models are made once and kept until `aclose`. Raises `ConfigurationError` when pydantic-ai is
    not installed.
    """

    def __init__(self, name: str = "pydantic-ai", *, model_of: Callable[[str], Model] | None = None) -> None:
        self._name = name
        self._model_of = model_of or _infer_model()
        self._failures = Failures(name)
        self._models: dict[str, Model] = {}
        self._entered = AsyncExitStack()

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        return self._name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the model."""
        from pydantic_ai.direct import model_request_stream

        from wakeful.providers.pydantic_ai.failures import failures_as_model_errors
        from wakeful.providers.pydantic_ai.prompt import messages_of, parameters_of, settings_of
        from wakeful.providers.pydantic_ai.reply import BridgedReply

        with failures_as_model_errors(self._failures, request.model):
            model = await self._model(request.model)
            reply = BridgedReply(self._failures, CallIds(request), Citations(request))
            async with model_request_stream(
                model,
                messages_of(request, provider=self._name),
                model_settings=settings_of(request, model),
                model_request_parameters=parameters_of(request),
                instrument=False,
            ) as events:
                async for event in events:
                    if batch := reply.read(event):
                        yield batch
                yield reply.end(events)

    async def aclose(self) -> None:
        """Release connections; the provider is not used afterwards."""
        await self._entered.aclose()

    async def _model(self, name: str) -> Model:
        """The kept model; entering it lets pydantic-ai close its HTTP client when we close."""
        model = self._models.get(name)
        if model is None:
            # Kept before the first await, so that two first requests share one model.
            model = self._models[name] = self._model_of(name)
            await self._entered.enter_async_context(model)
        return model


def _infer_model() -> Callable[[str], Model]:
    try:
        from pydantic_ai.models import infer_model
    except ImportError as error:
        raise ConfigurationError('this provider needs pydantic-ai: pip install "wakeful[pydantic-ai]"') from error
    return infer_model
