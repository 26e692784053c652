"""What a server of OpenAI's protocol answers, read with suspicion: whole, or piece by piece."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.engine.errors import LMBadAnswer, LMError, LMRefused, LMUnavailable
from studio.engine.lm.http_answers import read_json, shorten, status_error
from studio.engine.messages import UNREADABLE, Completion, ToolCall, Usage

Price = tuple[float, float]
"""US dollars for a million tokens, of the prompt and of the answer."""


def read_completion(data: Mapping[str, Any], *, name: str, price: Price) -> Completion:
    """The first choice. Raises `LMBadAnswer` or `LMRefused`."""
    choice = _first_choice(data)
    if choice is None:
        raise LMBadAnswer(f"{name} answered without a choice.")
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {}
    finish = choice.get("finish_reason")
    if finish == "content_filter" or message.get("refusal"):
        raise LMRefused(f"{name} declined to answer.")
    calls = message.get("tool_calls")
    return _completion(
        choice.get("text", message.get("content")),
        read_tool_calls(calls, name=name) if calls else (),
        finish,
        read_usage(data.get("usage"), price),
        name=name,
    )


def _first_choice(data: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else None


def _completion(
    text: Any, calls: tuple[ToolCall, ...], finish: Any, usage: Usage, *, name: str
) -> Completion:
    truncated = finish == "length"
    if text is None and (truncated or calls):
        # A reasoning model that spent all its tokens on thoughts writes no content at all.
        text = ""
    if not isinstance(text, str):
        raise LMBadAnswer(f"{name} answered a choice without text.")
    return Completion(text=text, usage=usage, truncated=truncated, tool_calls=calls)


def read_tool_calls(data: Any, *, name: str) -> tuple[ToolCall, ...]:
    """The tool calls of a message. Raises `LMBadAnswer` for what is no list of named calls.

    Arguments that are no JSON object are the model's mistake, not the protocol's: see
    `UNREADABLE`. A call without an id gets its number as one.
    """
    if not isinstance(data, list):
        raise LMBadAnswer(f"{name} answered tool calls that are no list.")
    calls = []
    for number, item in enumerate(data):
        function = item.get("function") if isinstance(item, dict) else None
        called = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(called, str) or not called:
            raise LMBadAnswer(f"{name} called a tool without naming it.")
        found = item.get("id")
        id_ = found if isinstance(found, str) and found else f"call_{number}"
        calls.append(ToolCall(id_, called, read_arguments(function.get("arguments"))))
    return tuple(calls)


def read_arguments(written: Any) -> dict[str, Any]:
    """The arguments of a tool call, which come as JSON text, or from some servers as an object."""
    if isinstance(written, dict):
        return written
    if written is None or (isinstance(written, str) and not written.strip()):
        return {}
    text = written if isinstance(written, str) else json.dumps(written)
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {UNREADABLE: text}


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON.")


def read_usage(counts: Any, price: Price) -> Usage:
    """What one call used; 0 where the server does not say."""
    if not isinstance(counts, dict):
        return Usage(calls=1)
    prompt, completion = _count(counts, "prompt_tokens"), _count(counts, "completion_tokens")
    return Usage(
        calls=1,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=(prompt * price[0] + completion * price[1]) / 1e6,
    )


def _count(counts: dict[str, Any], key: str) -> int:
    count = counts.get(key)
    return count if isinstance(count, int) and count > 0 else 0


class StreamReader:
    """Puts the events of a streamed answer together.

    `feed` takes the line of an event and gives the text it adds; `completion` is the whole. An
    answer that ends before the server said why it ended is no answer.
    """

    def __init__(self, *, name: str, price: Price, secret: str = "") -> None:
        self.done = False
        self._name = name
        self._price = price
        self._secret = secret
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage = Usage(calls=1)

    def feed(self, line: bytes) -> str:
        """The text of one line; empty for comments, keep-alives and everything that is no text."""
        if not line.startswith(b"data:"):
            return ""
        content = line[5:].strip()
        if not content:
            return ""
        if content == b"[DONE]":
            self.done = True
            return ""
        return self.add(read_json(content, name=self._name))

    def add(self, data: Mapping[str, Any]) -> str:
        """The text of one event."""
        if data.get("error"):
            raise self._failure(data["error"])
        if isinstance(data.get("usage"), dict):
            self._usage = read_usage(data["usage"], self._price)
        choice = _first_choice(data)
        return "" if choice is None else self._read(choice)

    def completion(self) -> Completion:
        """The whole answer. Raises `LMUnavailable` when its end never came."""
        if self._finish is None:
            raise LMUnavailable(f"The server of {self._name} broke off in mid-answer.")
        calls = read_tool_calls(list(self._calls.values()), name=self._name)
        text = "".join(self._texts)
        return _completion(text, calls, self._finish, self._usage, name=self._name)

    def _read(self, choice: dict[str, Any]) -> str:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = {}
        finish = choice.get("finish_reason")
        if finish == "content_filter" or delta.get("refusal"):
            raise LMRefused(f"{self._name} declined to answer.")
        if isinstance(finish, str):
            self._finish = finish
        parts = delta.get("tool_calls") or ()
        for part in parts if isinstance(parts, (list, tuple)) else (parts,):
            self._add_call(part)
        text = choice.get("text", delta.get("content"))
        if text is None:
            return ""
        if not isinstance(text, str):
            raise LMBadAnswer(f"{self._name} answered a piece that is no text.")
        self._texts.append(text)
        return text

    def _add_call(self, part: Any) -> None:
        """A piece of a call: the first names the tool, the others go on with its arguments."""
        function = part.get("function") if isinstance(part, dict) else None
        if not isinstance(function, dict):
            raise LMBadAnswer(f"{self._name} answered a piece of a tool call that is none.")
        index = part.get("index")
        known = len(self._calls)
        place = index if isinstance(index, int) else known if part.get("id") else max(0, known - 1)
        call = self._calls.setdefault(place, {"id": "", "function": {"name": "", "arguments": ""}})
        if isinstance(part.get("id"), str):
            call["id"] = call["id"] or part["id"]
        if isinstance(function.get("name"), str):
            call["function"]["name"] = call["function"]["name"] or function["name"]
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            call["function"]["arguments"] = arguments
        elif isinstance(arguments, str) and isinstance(call["function"]["arguments"], str):
            call["function"]["arguments"] += arguments

    def _failure(self, error: Any) -> LMError:
        said = error.get("message") if isinstance(error, dict) else error
        said = said if isinstance(said, str) else ""
        code = error.get("code") if isinstance(error, dict) else None
        if isinstance(code, int) and 400 <= code < 600:
            return status_error(code, {}, said, name=self._name, secret=self._secret)
        tail = f": {shorten(said, self._secret)}" if said else "."
        return LMUnavailable(f"The server of {self._name} failed in mid-answer{tail}")
