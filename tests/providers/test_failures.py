"""How a vendor's words become errors."""

import json

import pytest

from wakeful.contracts.errors import ModelError
from wakeful.contracts.model_errors import (
    ContentFiltered,
    ContextOverflow,
    ModelNotFound,
    ModelRequestInvalid,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.providers.failures import LONGEST_MESSAGE, ErrorBody, Failures, retry_after_ms


def refused(status: int, error: object) -> ModelError:
    return Failures("acme").refused(status, {}, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ModelRequestInvalid),
        (400, ModelRequestInvalid),
        (401, ModelUnauthorised),
        (403, ModelUnauthorised),
        (404, ModelNotFound),
        (422, ModelRequestInvalid),
        (429, RateLimited),
        (500, ModelUnavailable),
        (502, ModelUnavailable),
        (503, Overloaded),
        (529, Overloaded),
    ],
)
def test_a_status_alone_decides_when_there_is_nothing_else(status: int, kind: type[ModelError]) -> None:
    error = refused(status, {"message": "no", "type": "server_error"})

    assert type(error) is kind
    assert error.message == f"acme answered {status}: no"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "x", "code": "context_length_exceeded"}, ContextOverflow),
        (400, {"message": "prompt is too long: 9 > 8", "type": "invalid_request_error"}, ContextOverflow),
        (400, {"message": "This model's maximum context length is 8", "code": 400}, ContextOverflow),
        (400, {"message": "x", "code": "content_filter"}, ContentFiltered),
        (413, {"message": "x", "code": "rate_limit_exceeded"}, RateLimited),
        (429, {"message": "x", "type": "insufficient_quota"}, ModelUnauthorised),
        (400, {"message": "x", "code": "model_not_found"}, ModelNotFound),
        (500, {"message": "x", "type": "overloaded_error"}, Overloaded),
    ],
)
def test_the_vendors_own_name_goes_before_the_status(status: int, error: object, kind: type[ModelError]) -> None:
    assert type(refused(status, error)) is kind


def test_wording_never_decides_against_a_name_or_a_status() -> None:
    named = refused(429, {"message": "prompt is too long", "code": "rate_limit_exceeded"})
    failed = refused(500, {"message": "prompt is too long"})

    assert type(named) is RateLimited
    assert type(failed) is ModelUnavailable


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ErrorBody("busy", type="overloaded_error"), Overloaded),
        (ErrorBody("slow down", code="rate_limit_exceeded"), RateLimited),
        (ErrorBody("upstream", code=502), ModelUnavailable),
        (ErrorBody("bad", type="invalid_request_error"), ModelRequestInvalid),
        (ErrorBody("bad image", code="invalid_image"), ModelRequestInvalid),
        (ErrorBody("odd", type="server_error"), ModelUnavailable),
        (ErrorBody("odd"), ModelUnavailable),
    ],
)
def test_errors_inside_a_stream_have_no_status_but_may_name_one(body: ErrorBody, kind: type[ModelError]) -> None:
    error = Failures("acme").reported(body)

    assert type(error) is kind
    assert body.message is not None
    assert body.message in error.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"plain"}', "plain"),
        (b'{"message":"top","code":3}', "top"),
        (b'{"detail":"fastapi"}', "fastapi"),
        (b'{"detail":[{"msg":"list"}]}', "[{'msg': 'list'}]"),
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        (b"", "no message"),
    ],
)
def test_every_shape_of_error_body_gives_its_message(body: bytes, said: str) -> None:
    assert Failures("acme").refused(500, {}, body).message == f"acme answered 500: {said}"


def test_a_long_message_is_cut() -> None:
    message = Failures("acme").refused(500, {}, b"x" * 5000).message

    assert len(message) == len("acme answered 500: ") + LONGEST_MESSAGE


def test_no_secret_is_repeated() -> None:
    failures = Failures("acme", ["correct-horse", None, "x"])

    error = failures.refused(401, {}, b'{"error":{"message":"wrong key correct-horse or sk-proj-ab***yz, x"}}')

    assert error.message == "acme answered 401: wrong key [redacted] or [redacted], x"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1500),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:30 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 30_000),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Fri, 20 Nov 2026 09:00:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0),
    ],
)
def test_the_wait_a_vendor_asks_for_is_read(headers: dict[str, str], wait: int | None) -> None:
    assert retry_after_ms(headers) == wait
