"""Bodies over the limit end at the door."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.body_limit import BodyLimit, Message, Scope


def post(body: list[bytes], *, length: int | None, most: int = 10) -> tuple[int, bytes]:
    """Status of the answer, and what the application behind the limit got to read."""
    sent: list[Message] = []
    got = b""
    parts = [
        {"type": "http.request", "body": part, "more_body": index < len(body) - 1}
        for index, part in enumerate(body)
    ]

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        nonlocal got
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            got += message["body"]
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return parts.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope: Scope = {"type": "http", "headers": headers}
    asyncio.run(BodyLimit(application, most)(scope, receive, send))
    return (sent[0]["status"] if sent else 0), got


def test_a_small_body_passes() -> None:
    assert post([b"12345", b"67890"], length=10) == (200, b"1234567890")
    assert post([b"12345"], length=None) == (200, b"12345")


def test_a_large_one_is_refused_before_it_is_read() -> None:
    assert post([b"x" * 11], length=11) == (413, b"")


def test_one_that_does_not_tell_its_length_is_cut_off() -> None:
    assert post([b"12345", b"67890", b"1"], length=None) == (0, b"1234567890")


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_goes_through(kind: str) -> None:
    seen: list[str] = []

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*args: Any) -> Any:
        raise AssertionError

    asyncio.run(BodyLimit(application, 1)({"type": kind}, nothing, nothing))
    assert seen == [kind]
