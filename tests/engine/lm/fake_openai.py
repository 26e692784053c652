"""A small server that speaks OpenAI's protocol, well or badly: the model's name says how."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

KEY = "sk-secret-0123456789"

_ERRORS = {
    "denied": (401, {}, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
    "forbidden": (403, {}, {"error": {"message": f"The key {KEY} may not do this"}}),
    "unknown": (404, {}, {"error": {"message": f"There is no such model, {KEY}"}}),
    "odd": (422, {}, {"detail": "temperature is no number\n" * 100}),
    "busy": (429, {"Retry-After": "7"}, {"error": {"message": "Slow down"}}),
    "busy-date": (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {}),
    "slow-proxy": (408, {}, {}),
    "broken": (500, {}, {"error": "out of memory"}),
    "moved": (307, {"Location": "http://127.0.0.1:1/v1"}, {}),
}
_NO_SCHEMAS = {"error": {"message": "Unknown parameter: 'response_format.json_schema'."}}
_NO_TOOLS = {"error": {"message": "This model does not support tools."}}
_BODIES = {
    "garbage": b"<html>Welcome to nginx!</html>",
    "list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "cut-off": b'{"choices": [{"message": {"content": "bil',
    "no-choices": b'{"choices": []}',
    "null-choices": b'{"choices": null}',
    "no-text": b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}',
    "odd-choice": b'{"choices": ["billing"]}',
}


class FakeOpenAI:
    """Its address, and the bodies and headers that it got."""

    def __init__(self) -> None:
        self.base_url = ""
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.failures_left = 0
        """How many calls of the model `flaky` still fail."""
        self.given_up = 0
        """How many calls were cut off by the client."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        try:
            return await self._answer(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.given_up += 1
            raise

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        model = body["model"]
        if model == "old" and "response_format" in body:
            return web.json_response(_NO_SCHEMAS, status=400)
        if model == "old" and "tools" in body:
            return web.json_response(_NO_TOOLS, status=400)
        if model == "flaky" and self.failures_left > 0:
            self.failures_left -= 1
            model = "broken"
        if model in _ERRORS:
            status, headers, said = _ERRORS[model]
            return web.json_response(said, status=status, headers=headers)
        if model in _BODIES:
            return web.Response(body=_BODIES[model], content_type="application/json")
        if model == "packed-huge":
            huge = web.Response(body=b" " * (5 * 2**20), content_type="application/json")
            huge.enable_compression(web.ContentCoding.gzip)
            return huge
        if model == "hang":
            await asyncio.sleep(30)
        if model == "hang-up" and request.transport is not None:
            request.transport.close()
        if model == "huge":
            return web.Response(body=b" " * (5 * 2**20), content_type="application/json")
        if body.get("stream") and model != "whole":
            return await self._stream(request, model, _answer(model, body))
        return web.json_response(_answer(model, body))

    async def _stream(
        self, request: web.Request, model: str, answer: dict[str, Any]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, line in enumerate(_events(model, answer)):
            if number == 3 and model == "stream-hang":
                await asyncio.sleep(30)
            if number == 3 and model == "stream-hang-up" and request.transport is not None:
                request.transport.close()
            # In two pieces, so that no reader may count on whole lines.
            await response.write(line[:7])
            await asyncio.sleep(0)
            await response.write(line[7:])
        return response

    async def embed(self, request: web.Request) -> web.StreamResponse:
        """A vector of the text's length and first letter; the newest first."""
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        model, texts = body["model"], body["input"]
        if model == "flaky" and self.failures_left > 0:
            self.failures_left -= 1
            model = "broken"
        if model in _ERRORS:
            status, headers, said = _ERRORS[model]
            return web.json_response(said, status=status, headers=headers)
        if "" in texts:
            return web.json_response({"error": {"message": "input is empty"}}, status=400)
        data: list[Any] = [
            {"object": "embedding", "index": n, "embedding": [len(text) / 8, ord(text[0]) / 8]}
            for n, text in enumerate(texts)
        ]
        if model == "too-few":
            data = data[1:]
        if model == "no-numbers":
            data[0]["embedding"] = ["a"]
        if model == "uneven":
            data[0]["embedding"] = [1.0]
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        return web.json_response(
            {"object": "list", "model": model, "data": data[::-1], "usage": usage}
        )


_CALLS = {
    "tools": '{"city": "Pårïs"}',
    "tools-no-arguments": "",
    "tools-unreadable": '{"city": "Par',
    "tools-list": '["Paris"]',
    "tools-nan": '{"city": NaN}',
}


def _tool_calls(model: str) -> list[dict[str, Any]]:
    return [
        {
            "index": number,
            "id": f"id-{number}",
            "type": "function",
            "function": {"name": name, "arguments": _CALLS[model]},
        }
        for number, name in enumerate(("weather", "news"))
    ]


def _events(model: str, answer: dict[str, Any]) -> Iterator[bytes]:
    """The lines of a streamed answer, as servers of many makes send them."""
    (choice,) = answer["choices"]
    chat = "message" in choice

    def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        part: dict[str, Any] = {"index": 0, "finish_reason": finish}
        part |= {"delta": delta} if chat else {"text": delta.get("content", "")}
        kind = "chat.completion.chunk" if chat else "text_completion"
        head = {"id": "x", "object": kind, "created": 1, "model": model}
        data = {**head, "choices": [part], **more}
        return f"data: {json.dumps(data)}\r\n\r\n".encode()

    text = choice["message"]["content"] if chat else choice["text"]
    yield b": keep-alive\n\n"
    if chat:
        yield event({"role": "assistant", "content": ""})
    for call in choice.get("message", {}).get("tool_calls") or ():
        first = {**call["function"], "arguments": ""}
        yield event({"tool_calls": [{**call, "function": first}]})
        for letter in call["function"]["arguments"]:
            piece = {"index": call["index"], "function": {"arguments": letter}}
            yield event({"tool_calls": [piece]})
    words = (text or "").split(" ")
    for number, word in enumerate(words):
        yield event({"content": word + (" " if number < len(words) - 1 else "")})
        if model == "stream-garbage":
            yield b"data: {oh no\n\n"
        if model == "stream-error":
            yield b'data: {"error": {"message": "Out of memory", "code": 503}}\n\n'
    if model == "stream-huge":
        for _ in range(100):
            yield event({"content": "x" * 65_536})
    if model == "stream-cut-off":
        return
    yield event({}, choice["finish_reason"])
    if model != "stream-without-usage":
        # This one comes with no choices at all.
        yield (
            'data: {"id": "x", "object": "chat.completion.chunk", "created": 1, '
            f'"model": "{model}", "choices": [], "usage": {json.dumps(answer["usage"])}}}\n\n'
        ).encode()
        yield b"data: [DONE]\n\n"


def _answer(model: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
    if isinstance(asked, list):
        asked = " ".join(part.get("text", part["type"]) for part in asked)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    if "messages" in body:
        choice["message"] = {"role": "assistant", "content": f"You said {asked}"}
    else:
        choice["text"] = f" you said {asked}"
    if model == "empty":
        choice["message"]["content"] = ""
    if model in _CALLS:
        choice["message"] |= {"content": None, "tool_calls": _tool_calls(model)}
        choice["finish_reason"] = "tool_calls"
    if model == "long":
        choice["finish_reason"] = "length"
    if model == "only-thoughts":
        choice["finish_reason"] = "length"
        choice["message"]["content"] = None
    if model == "filtered":
        choice["finish_reason"] = "content_filter"
    if model == "refusing":
        choice["message"] = {"role": "assistant", "content": None, "refusal": "I cannot."}
    return {
        "id": "x",
        "object": "chat.completion" if "messages" in body else "text_completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


@asynccontextmanager
async def fake_openai() -> AsyncIterator[FakeOpenAI]:
    """Serve on a free port of this machine."""
    fake = FakeOpenAI()
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/chat/completions", fake.answer)
    app.router.add_post("/v1/completions", fake.answer)
    app.router.add_post("/v1/embeddings", fake.embed)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield fake
    finally:
        await runner.cleanup()


@contextmanager
def fake_openai_in_a_thread() -> Iterator[FakeOpenAI]:
    """Serve in a loop of its own, for tests whose loops come and go."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = fake_openai()
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
