"""Template: values put into a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType, write_value
from studio.engine.modules.base import ModuleKind, Part, WithoutLM
from studio.engine.modules.code_steps import code_step
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

_PIECE = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_LONGEST = 100_000

Piece = tuple[str, str]
"""Text, and the name of the input after it; the last name is empty."""


@dataclass(frozen=True, kw_only=True)
class TemplateParams:
    """What people may set on a Template step."""

    template: str = field(
        metadata={
            "label": "Text",
            "help": "The name of an input in braces, such as {question}, is its place; "
            "{{ and }} are braces.",
            "required": True,
            "widget": "text",
        }
    )


@dataclass(frozen=True)
class Template(WithoutLM):
    """The text with the inputs in their places; a list is numbered, one item a line."""

    signature: Signature
    params: TemplateParams
    _pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, signature: Signature | str, params: TemplateParams) -> Template:
        """From a signature or its string form.

        Raises `SignatureError` naming what in the text is no input, or when the only output is
        not a `str`.
        """
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        return cls(one_text(signature), params, _read(params.template, signature))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; asks nobody."""
        read = self.signature.read_inputs(inputs)
        types = {field.name: field.type for field in self.signature.inputs}
        text = "".join(
            before + (_written(types[name], read[name]) if name else "")
            for before, name in self._pieces
        )
        output = self.signature.outputs[0]
        values = {output.name: output.read(text)}
        return Prediction(values, (code_step(path, read, values, ""),))


def one_text(signature: Signature) -> Signature:
    """The signature, or raise `SignatureError` unless its output is one `str`."""
    if [output.type.kind for output in signature.outputs] != ["str"]:
        raise SignatureError("A template has exactly one output, a str: write name -> text.")
    return signature


def _read(template: str, signature: Signature) -> tuple[Piece, ...]:
    if not template.strip():
        raise SignatureError("The template is empty: write the text, with inputs in braces.")
    if len(template) > _LONGEST:
        raise SignatureError(f"The template is longer than {_LONGEST:,} characters.")
    names = [field.name for field in signature.inputs]
    pieces: list[Piece] = []
    text, end = "", 0
    for found in _PIECE.finditer(template):
        text, end, mark = text + template[end : found.start()], found.end(), found.group()
        if mark in ("{{", "}}"):
            text += mark[0]
            continue
        name = mark[1:-1].strip()
        if len(mark) == 1:
            raise SignatureError(
                f"The template has a “{mark}” that belongs to no place: write {mark}{mark} for "
                "the brace itself."
            )
        if name not in names:
            raise SignatureError(
                f"The template names “{name[:80]}”, which is no input. "
                f"Inputs are {', '.join(names)}."
            )
        pieces.append((text, name))
        text = ""
    return (*pieces, (text + template[end:], ""))


def _written(type_: FieldType, value: Any) -> str:
    if value is None:
        return ""
    if type_.kind == "optional" and type_.item is not None:
        return _written(type_.item, value)
    if type_.kind == "list" and type_.item is not None:
        return "\n".join(
            f"{number}. {write_value(type_.item, item)}"
            for number, item in enumerate(value, start=1)
        )
    return write_value(type_, value)


def _parts(signature: Signature, params: TemplateParams) -> tuple[Part, ...]:
    _read(params.template, signature)
    return ()


TEMPLATE = ModuleKind(
    name="template",
    title="Template",
    summary="Put values into a text.",
    group="Code",
    params=TemplateParams,
    make=lambda signature, params, parts: Template.of(signature, params),
    ports=one_text,
    parts=_parts,
    calls_lm=False,
)
