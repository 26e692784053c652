"""The text of values in a prompt; images, documents and conversations are more than their text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from studio.engine.fields import FieldType, write_value
from studio.engine.formats.base import sendable
from studio.engine.messages import Attachment, Message
from studio.engine.signature import Field


def value_text(field: Field, value: Any, found: list[Attachment]) -> str:
    """The value as it stands in a prompt, with a marker for each attachment, which `found` gets.

    An input of the type history is told in lines, a document of text with its title above.
    """
    type_ = field.type
    if type_.kind == "str" and type(value) is str:
        return value if value.isascii() else sendable(value)
    if field.role == "input":
        if type_.bare.kind == "history":
            return turns_text(value)
        if holds_attachments(type_):
            value = _marked(type_, value, found)
            if isinstance(value, Mapping) and "text" in value and type_.bare.kind == "document":
                parts = (str(value.get("title") or ""), str(value["text"]))
                return sendable("\n\n".join(part for part in parts if part))
            if isinstance(value, str):
                return sendable(value)
    return sendable(write_value(type_, value))


def holds_attachments(type_: FieldType) -> bool:
    """Whether values of this type may hold images or documents."""
    if type_.kind in ("image", "document"):
        return True
    return type_.item is not None and holds_attachments(type_.item)


def attachments_in(type_: FieldType, value: Any) -> list[Attachment]:
    """The images and documents that an LM has to see to know the value."""
    found: list[Attachment] = []
    _marked(type_, value, found)
    return found


def _marked(type_: FieldType, value: Any, found: list[Attachment]) -> Any:
    """`value` with a marker such as `[image 1]` in the place of each attachment."""
    if value is None:
        return None
    if type_.kind == "image":
        return _attach("image", Attachment("image", str(value)), found)
    if type_.kind == "document":
        if not isinstance(value, Mapping) or "data" not in value:
            return value
        url = f"data:{value.get('media_type', '')};base64,{value['data']}"
        attachment = Attachment("document", url, str(value.get("title") or ""))
        return _attach("document", attachment, found)
    if type_.item is None:
        return value
    if type_.kind == "optional":
        return _marked(type_.item, value, found)
    if isinstance(value, (list, tuple)):
        return [_marked(type_.item, item, found) for item in value]
    if isinstance(value, Mapping):
        return {key: _marked(type_.item, item, found) for key, item in value.items()}
    return value


def _attach(kind: str, attachment: Attachment, found: list[Attachment]) -> str:
    found.append(attachment)
    number = sum(one.kind == kind for one in found)
    name = " ".join(attachment.name.split())
    return f"[{kind} {number}: {name}]" if name else f"[{kind} {number}]"


def turns_of(value: Any) -> list[Message]:
    """A history's turns as messages; two in a row of the same speaker are one."""
    turns: list[Message] = []
    for role, text in _spoken(value):
        if turns and turns[-1].role == role:
            turns[-1] = Message(role, f"{turns[-1].content}\n\n{text}")
        else:
            turns.append(Message(role, text))
    return turns


def turns_text(value: Any) -> str:
    """A history's turns as lines `user: …`; further lines of a turn are indented."""
    return "\n".join(f"{role}: {_indented(text)}" for role, text in _spoken(value))


def _spoken(value: Any) -> list[tuple[Literal["user", "assistant"], str]]:
    """Who said what; anything that is no history is a user's text."""
    if value is None:
        return []
    turns = value if isinstance(value, (list, tuple)) else [value]
    found: list[tuple[Literal["user", "assistant"], str]] = []
    for turn in turns:
        said = turn if isinstance(turn, Mapping) else {"content": turn}
        text = sendable(str(said.get("content", "")))
        found.append(("assistant" if said.get("role") == "assistant" else "user", text))
    return found


def _indented(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n  ")
