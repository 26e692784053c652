"""A request as the bytes that OpenAI's protocol wants, and its parts as that protocol's JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

from studio.engine.errors import LMInvalidRequest
from studio.engine.lm.heads import Heads
from studio.engine.messages import Attachment, Message, Request, ToolCall, ToolSpec

_KEPT = 64


def message_json(message: Message) -> dict[str, Any]:
    """One turn. Raises `LMInvalidRequest` for an attachment that cannot be sent."""
    data: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.attachments:
        parts: list[dict[str, Any]] = []
        if message.content:
            parts.append({"type": "text", "text": message.content})
        data["content"] = [*parts, *map(_attachment, message.attachments)]
    if message.tool_calls:
        data["content"] = data["content"] or None
        data["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
    if message.role == "tool":
        data["tool_call_id"] = message.tool_call_id
    return data


def _attachment(part: Attachment) -> dict[str, Any]:
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": part.url}}
    if not part.url.startswith("data:"):
        raise LMInvalidRequest(
            f"The document “{part.name or part.url[:80]}” is an address, and servers take "
            "documents as data: addresses only. Send the document itself."
        )
    file = {"filename": part.name or "document", "file_data": part.url}
    return {"type": "file", "file": file}


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
    return {"id": call.id, "type": "function", "function": function}


def tools_json(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """What is offered to the model."""
    return [{"type": "function", "function": tool.to_dict()} for tool in tools]


def response_format_json(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The demand that an answer has the shape of `schema`."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
    }


def to_bytes(data: Any) -> bytes:
    """JSON in ASCII: half a surrogate pair stands escaped, and it is the server's to refuse it.

    Raises `LMInvalidRequest` for what is no JSON.
    """
    try:
        return json.dumps(data, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise LMInvalidRequest(f"The request cannot be written as JSON: {error}.") from None


class BodyWriter:
    """Writes the bodies of one model's requests; what many of them share is written once."""

    def __init__(
        self, model: str, *, follows_schemas: bool, calls_tools: bool, schemas_of_prompts: bool
    ) -> None:
        self._start = b'{"model":' + to_bytes(model)
        self._follows_schemas = follows_schemas
        self._calls_tools = calls_tools
        self._schemas_of_prompts = schemas_of_prompts
        self._heads = Heads(_head_bytes)
        self._tails: dict[tuple[object, ...], tuple[Request, bytes]] = {}
        self._lock = threading.Lock()

    def chat(self, request: Request, more: bytes = b"") -> bytes:
        """The body for `/chat/completions`; `more` are further members, each after a comma."""
        messages = request.messages
        return b"".join(
            (
                self._start,
                b',"messages":[',
                self._heads.get(messages),
                _message_bytes(messages[-1]),
                b"]",
                self._tail(request),
                more,
                b"}",
            )
        )

    def text(self, request: Request, more: bytes = b"") -> bytes:
        """The body for `/completions`."""
        prompt = to_bytes(request.prompt)
        return b"".join((self._start, b',"prompt":', prompt, self._tail(request), more, b"}"))

    def _tail(self, request: Request) -> bytes:
        """Everything that stands beside messages or prompt."""
        schema, tools = request.schema, request.tools
        key = (
            bool(request.messages),
            request.temperature,
            request.max_tokens,
            request.stop,
            id(schema),
            id(tools),
        )
        known = self._tails.get(key)
        if known is not None and known[0].schema is schema and known[0].tools is tools:
            return known[1]
        data: dict[str, Any] = {
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
        }
        if request.stop:
            data["stop"] = list(request.stop)
        if schema is not None and self._follows_schemas:
            if request.messages:
                data["response_format"] = response_format_json(schema)
            elif self._schemas_of_prompts:
                data["json_schema"] = dict(schema)
        if tools and self._calls_tools and request.messages:
            data["tools"] = tools_json(tools)
        tail = b"," + to_bytes(data)[1:-1]
        # Only what has no messages is kept beside it: those may be large.
        kept = Request(schema=schema, tools=tools)
        with self._lock:
            while len(self._tails) >= _KEPT:
                del self._tails[next(iter(self._tails))]
            self._tails[key] = (kept, tail)
        return tail


def _message_bytes(message: Message) -> bytes:
    if message.attachments or message.tool_calls or message.role == "tool":
        return to_bytes(message_json(message))
    # The same, in a third of the time: nearly all messages are as plain as this.
    role, content = map(encode_basestring_ascii, (message.role, message.content))
    return f'{{"role":{role},"content":{content}}}'.encode()


def _head_bytes(head: tuple[Message, ...]) -> bytes:
    return b"".join(_message_bytes(message) + b"," for message in head)
