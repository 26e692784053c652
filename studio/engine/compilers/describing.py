"""A program and its data in words, as an LM is told of them; of anything long the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.example import Demo, Example
from studio.engine.fields import STR, shorten, write_value
from studio.engine.formats.base import sendable
from studio.engine.formats.shown import value_text
from studio.engine.program import INPUT, Program, Wire
from studio.engine.signature import Field, Signature

LONGEST_TEXT = 1_500
"""Letters of anything that is told in one piece, such as the description of the program."""
_LONGEST_SIGNATURE = 1_000
_LONGEST_VALUE = 300


def describe_program(program: Program) -> str:
    """Inputs, steps with their wires, signatures and instructions, and outputs, as text."""
    lines = [f"It is given: {_fields(program.inputs)}"]
    predictors = program.candidate().states
    nodes = [node for layer in program.layers for node in layer]
    for number, node in enumerate(nodes, start=1):
        signature = node.module.signature
        lines.append(f"Step {number}, {node.name}: {shorten(str(signature), _LONGEST_SIGNATURE)}")
        takes = [f"{name} is {_source(wire)}" for name, wire in node.wires.items()]
        lines.append(shorten(f"  {', '.join(takes)}", _LONGEST_VALUE))
        for path, state in predictors.items():
            if path == node.name or path.startswith(f"{node.name}."):
                said = state.instruction.strip() or program.predictors[path].task
                asked = "" if path == node.name else f" ({path})"
                lines.append(f"  instruction{asked}: {one_line(said)}")
    ends = [f"{name}, which is {_source(wire)}" for name, wire in program.wires.items()]
    lines.append(f"It answers: {'; '.join(ends)}")
    return shorten("\n".join(lines), LONGEST_TEXT)


def describe_step(signature: Signature) -> str:
    """What a predictor takes and gives, a line for each field."""
    return shorten(
        f"Inputs: {_fields(signature.inputs)}\nOutputs: {_fields(signature.outputs)}",
        LONGEST_TEXT,
    )


def show_examples(program: Program, examples: Iterable[Example]) -> str:
    """Examples as text: the program's inputs, and the outputs that they have."""
    fields = (*program.inputs, *program.outputs)
    return _show(fields, [example.values for example in examples])


def show_demos(signature: Signature, demos: Iterable[Demo]) -> str:
    """Demos of a predictor as text."""
    return _show(signature.fields, [demo.values for demo in demos])


def _show(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> str:
    blocks = []
    for values in rows:
        lines = [
            f"{field.name}: {one_line(_text_of(field, values[field.name]))}"
            for field in fields
            if values.get(field.name) is not None
        ]
        blocks.append(shorten("\n".join(lines), LONGEST_TEXT))
    # Whole examples, as many as there is room for.
    ends = accumulate(len(block) for block in blocks)
    return "\n\n".join(
        block for block, end in zip(blocks, ends, strict=True) if end <= LONGEST_TEXT
    )


def _text_of(field: Field, value: Any) -> str:
    """As it stands in a prompt; a value that is none of the field's as it is."""
    try:
        return value_text(field, field.read_json(value), [])
    except ParseError:
        return sendable(write_value(STR, value))


def _source(wire: Wire) -> str:
    return f"the input {wire.field}" if wire.node == INPUT else f"{wire.field} of {wire.node}"


def _fields(fields: Sequence[Field]) -> str:
    """Names, types and descriptions."""
    told = [
        f"{field.name} ({shorten(str(field.type), _LONGEST_SIGNATURE)})"
        + (f", {one_line(field.description)}" if field.description else "")
        for field in fields
    ]
    return "; ".join(told)


def one_line(text: str) -> str:
    """`text` without line ends, as much of it as one value may take."""
    return shorten(" ".join(text[: 4 * _LONGEST_VALUE].split()), _LONGEST_VALUE)
