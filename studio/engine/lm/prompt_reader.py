"""Reads prompts of every format of the engine back into fields, for scripts that play an LM."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.errors import ParseError, SignatureError
from studio.engine.fields import STR, FieldType, parse_type, read_value, write_value
from studio.engine.messages import Request

_HEADER = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*$", re.MULTILINE)
_TAG = re.compile(r"^<(\w+)>\n(.*?)\n</\1>", re.MULTILINE | re.DOTALL)
_ASKED = {
    "chat": re.compile(r"^Answer with (`\[\[ ## .*)$", re.MULTILINE),
    "json": re.compile(r"^Answer with one JSON object: (`.*)$", re.MULTILINE),
    "xml": re.compile(r"^Answer with (`<.*)$", re.MULTILINE),
}
"""The last line of a question, for each format that asks in messages."""
_NAMED = re.compile(r"`(?:\[\[ ## |<)?(\w+)(?: ## \]\]|>)?`")
_DESCRIBED = re.compile(r"^- `(\w+)` \((.*?)\)(?:$|:(?: .*JSON Schema (\{.*\}))?)", re.MULTILINE)
_RULE = "\n\n---\n\n"
_LINE = re.compile(r"^(\S[^:\n]*):[ ]?(.*(?:\n  .*)*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ShownDemo:
    """One worked example as it stands in a prompt."""

    text: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a prompt asks for."""

    inputs: tuple[str, ...]
    open: tuple[str, ...]
    """The names of the fields to be written."""
    demos: tuple[ShownDemo, ...] = ()
    types: Mapping[str, FieldType] = field(default_factory=dict)
    """The types that the prompt tells."""
    layout: str = "completion"
    """The format that it is written in."""

    @property
    def text(self) -> str:
        """All inputs together."""
        return "\n".join(self.inputs)

    def answer(self, values: Mapping[str, str]) -> str:
        """The open fields' values, each as its text, in the layout of the prompt."""
        return _ANSWERS[self.layout](self, values)

    def typed(self, name: str, text: str) -> Any:
        """The value that the text of a field stands for; the text itself if it is none."""
        type_ = self.types.get(name)
        try:
            return text if type_ is None else read_value(type_, text)
        except ParseError:
            return text


def read_prompt(request: Request) -> Prompt:
    """What `request` asks for; a prompt of another layout is one input and asks for nothing."""
    return _read_messages(request) if request.messages else _read_text(request.prompt)


def _answer_text(prompt: Prompt, values: Mapping[str, str]) -> str:
    return " " + next((values[name] for name in prompt.open), "")


def _answer_chat(prompt: Prompt, values: Mapping[str, str]) -> str:
    sections = [f"[[ ## {name} ## ]]\n{values[name]}" for name in prompt.open]
    return "\n\n".join([*sections, "[[ ## completed ## ]]"])


def _answer_json(prompt: Prompt, values: Mapping[str, str]) -> str:
    found = {name: prompt.typed(name, values[name]) for name in prompt.open}
    return json.dumps(found, ensure_ascii=False)


def _answer_xml(prompt: Prompt, values: Mapping[str, str]) -> str:
    return "\n".join(f"<{name}>\n{values[name]}\n</{name}>" for name in prompt.open)


_ANSWERS: dict[str, Callable[[Prompt, Mapping[str, str]], str]] = {
    "chat": _answer_chat,
    "json": _answer_json,
    "xml": _answer_xml,
    "completion": _answer_text,
}


def _read_messages(request: Request) -> Prompt:
    types: dict[str, FieldType] = {}
    demos: list[ShownDemo] = []
    said = [_layout_of(turn.content) for turn in request.messages if turn.role == "user"]
    layout = next((found for found in reversed(said) if found), "chat")
    shown, asked = "", ""
    for message in request.messages:
        if message.role == "system":
            types.update(_types(message.content))
        elif message.role == "user":
            shown = message.content
            if _layout_of(shown) == layout:
                asked = shown
        elif not asked and (outputs := _outputs(message.content)):
            demos.append(ShownDemo("\n".join(_inputs(layout, shown).values()), outputs))
    # After an answer that could not be read the question stands further up.
    wanted = _last(_ASKED[layout], asked)
    inputs = _inputs(layout, asked[: wanted.start()] if wanted else shown)
    names = _NAMED.findall(wanted.group(1)) if wanted else []
    return Prompt(
        inputs=tuple(inputs.values()) or (shown,),
        open=tuple(name for name in names if name != "completed"),
        demos=tuple(demos),
        types=types,
        layout=layout,
    )


def _layout_of(text: str) -> str:
    """The format in whose words the text asks last; empty when it asks for nothing."""
    marks = {name: mark.start() for name, asks in _ASKED.items() if (mark := _last(asks, text))}
    return max(marks, key=lambda name: marks[name], default="")


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007
        continue
    return found


def _inputs(layout: str, text: str) -> dict[str, str]:
    """The values of a question."""
    return _tags(text) if layout == "xml" else _sections(text)


def _tags(text: str) -> dict[str, str]:
    """The values between tags that stand at the beginning of a line."""
    return {name: value.strip() for name, value in _TAG.findall(text)}


def _outputs(text: str) -> dict[str, str]:
    """The texts of the values in an answer, in whatever format it is."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            found = {}
        return {name: write_value(STR, value) for name, value in found.items()}
    return _sections(text) or _tags(text)


def _types(text: str) -> dict[str, FieldType]:
    types = {}
    for name, type_, schema in _DESCRIBED.findall(text):
        try:
            types[name] = parse_type(f"object[{schema}]" if type_ == "object" else type_)
        except SignatureError:
            continue
    return types


def _sections(text: str) -> dict[str, str]:
    """The values under the header lines, without the closing mark."""
    _, *parts = _HEADER.split(text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: value.strip() for name, value in pairs if name != "completed"}


def _read_text(prompt: str) -> Prompt:
    *before, query = prompt.split(_RULE)
    lines = _LINE.findall(query)
    if not lines or lines[-1][1].strip():
        return Prompt(inputs=(prompt,), open=())
    inputs = [value.replace("\n  ", "\n") for _, value in lines[:-1]]
    asked = lines[-1][0]
    demos = []
    for block in before[1:]:
        shown = [(label, value.replace("\n  ", "\n")) for label, value in _LINE.findall(block)]
        demos.append(
            ShownDemo(
                "\n".join(value for _, value in shown[: len(inputs)]),
                {_name(label): value.strip() for label, value in shown},
            )
        )
    return Prompt(inputs=tuple(inputs), open=(_name(asked),), demos=tuple(demos))


def _name(label: str) -> str:
    """`Order Id` as the field's name: `order_id`."""
    return label.strip().lower().replace(" ", "_")
