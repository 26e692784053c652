"""What is said to an LM and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image or a document that a message shows."""

    kind: Literal["image", "document"]
    url: str
    """An http(s) address, or a `data:` one."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What an LM is told of a tool."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """The JSON Schema of its arguments, an object."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }


UNREADABLE = "unreadable_arguments"
"""The only key of `ToolCall.arguments` that were no JSON object; its value is what came.

No tool takes an argument of that name, so none runs on a guess.
"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What an LM wants of a tool."""

    id: str
    name: str
    arguments: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"id": self.id, "name": self.name, "arguments": dict(self.arguments)}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    attachments: tuple[Attachment, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant asked of tools."""
    tool_call_id: str = ""
    """Which call a tool's message answers."""

    def to_list(self) -> list[Any]:
        """JSON of everything that an LM reads of it."""
        data: list[Any] = [self.role, self.content]
        if self.attachments or self.tool_calls or self.tool_call_id:
            data.append(
                {
                    "attachments": [[part.kind, part.url, part.name] for part in self.attachments],
                    "tool_calls": [call.to_dict() for call in self.tool_calls],
                    "tool_call_id": self.tool_call_id,
                }
            )
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to an LM: either `messages` (chat) or `prompt` (text to be continued)."""

    messages: tuple[Message, ...] = ()
    prompt: str = ""
    temperature: float = 0.0
    max_tokens: int = 256
    """Tokens that the answer may have."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer; they are not part of it."""
    rollout: int = 0
    """Asks for a fresh answer to the same question: part of the cache key, never sent."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema of the answer, for LMs that `follow_schemas`; others do not see it."""
    tools: tuple[ToolSpec, ...] = ()
    """What the LM may call, for LMs that `call_tools`."""

    def to_dict(self) -> dict[str, Any]:
        """JSON of everything that decides the answer."""
        data: dict[str, Any] = {
            "messages": [message.to_list() for message in self.messages],
            "prompt": self.prompt,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop),
            "rollout": self.rollout,
        }
        if self.schema is not None:
            data["schema"] = dict(self.schema)
        if self.tools:
            data["tools"] = [tool.to_dict() for tool in self.tools]
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call, or several together, used."""

    calls: int = 0
    """Calls that reached a server; answers from the cache do not count."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In US dollars; 0 where no price is known."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
        )

    def to_dict(self) -> dict[str, float]:
        """JSON."""
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": self.cost,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What an LM answered."""

    text: str
    usage: Usage = Usage()
    truncated: bool = False
    """The answer was cut off at `max_tokens`."""
    cached: bool = False
    tool_calls: tuple[ToolCall, ...] = ()
    """What the LM wants of tools; `text` may then be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScores:
    """The log-probability of each label as the continuation of a prompt, whole labels."""

    scores: Mapping[str, float]
    usage: Usage = Usage()
    cached: bool = False
