"""Plain text that a base model continues.

Instruction, demos and query stand between rules (`---`); every field is `Label: value`; the prompt
ends in the first open label. Lines of a value after its first are indented, so that nothing inside
a value can be taken for a label or a rule. White space at a value's ends is not kept, and every
line end becomes a line feed. After DSP's template (Khattab et al. 2022,
https://arxiv.org/abs/2212.14024).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any

from studio.engine.example import PredictorState
from studio.engine.fields import write_value
from studio.engine.formats.base import (
    NOT_SUPPLIED,
    open_outputs,
    reads_empty,
    sendable,
)
from studio.engine.formats.notes import bounds
from studio.engine.formats.shown import holds_attachments, value_text
from studio.engine.messages import Request
from studio.engine.signature import MISSING, Field, Signature

RULE = "\n\n---\n\n"
_END = re.compile(r"^---\s*$|^\s*$\n^---", re.MULTILINE)
_INDENT = re.compile(r"\n {2}")


def _line(field: Field, value: Any) -> str:
    text = value_text(field, value, []).strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text:
        text = text.replace("\n", "\n  ")
    return f"{field.label}: {text}" if text else f"{field.label}:"


@dataclass(frozen=True)
class CompletionRenderer:
    """One signature and state in the completion layout."""

    signature: Signature
    state: PredictorState
    scored: bool = False

    @cached_property
    def head(self) -> str:
        """Instruction and demos: the same for every input."""
        blocks = [self._instruction()]
        for demo in self.state.demos:
            blocks.append(
                "\n".join(
                    _line(field, demo.values[field.name])
                    for field in self.signature.fields
                    if field.name in demo.values
                )
            )
        return "".join(sendable(block) + RULE for block in blocks)

    @cached_property
    def shows(self) -> tuple[Field, ...]:
        """See `Renderer.shows`."""
        return tuple(field for field in self.signature.inputs if holds_attachments(field.type))

    def _instruction(self) -> str:
        """The instruction, and a line for each field with bounds or a default."""
        lines = [self.state.instruction.strip() or self.signature.task]
        for field in self.signature.fields:
            told = [bounds(field)]
            if field.role == "output" and field.default is not MISSING:
                told.append(f"if unknown: {write_value(field.type, field.default)}")
            if any(told):
                told.insert(0, " ".join(field.description.split()))
                lines.append(f"({field.label}: {'; '.join(note for note in told if note)})")
        return "\n".join(lines)

    @cached_property
    def _label(self) -> re.Pattern[str]:
        labels = "|".join(re.escape(field.label) for field in self.signature.fields)
        return re.compile(rf"^(?:{labels}):", re.MULTILINE)

    @cached_property
    def _by_label(self) -> dict[str, Field]:
        return {f"{field.label}:": field for field in self.signature.fields}

    @cached_property
    def _stops(self) -> tuple[str, ...]:
        return self._stop(self.signature.outputs)

    def ask(
        self,
        inputs: Mapping[str, Any],
        given: Mapping[str, Any],
        *,
        temperature: float = 0.0,
        max_tokens: int = 256,
        rollout: int = 0,
    ) -> Request:
        """The prompt up to and with the label of the first open output."""
        missing = open_outputs(self.signature, given)
        lines = [
            _line(field, inputs[field.name])
            if field.name in inputs
            else f"{field.label}: {NOT_SUPPLIED}"
            for field in self.signature.inputs
        ]
        if given:
            lines += [
                _line(field, given[field.name])
                for field in self.signature.outputs
                if field.name in given
            ]
        lines.append(f"{missing[0].label}:")
        return Request(
            prompt=self.head + "\n".join(lines),
            stop=self._stop(missing) if given else self._stops,
            temperature=temperature,
            max_tokens=max_tokens,
            rollout=rollout,
        )

    def _stop(self, missing: tuple[Field, ...]) -> tuple[str, ...]:
        stops = ["\n---", "\n\n", f"\n{self.signature.inputs[0].label}:"]
        following = next(
            (field for field in missing[1:] if self.scored and field.type.kind == "enum"), None
        )
        if following:
            stops.append(f"\n{following.label}:")
        return tuple(stops)

    def answer(self, values: Mapping[str, Any]) -> str:
        """What goes on after the prompt, from the value of the first output on."""
        outputs = self.signature.outputs
        lines = [_line(field, values.get(field.name, NOT_SUPPLIED)) for field in outputs]
        return "\n".join(lines).removeprefix(f"{outputs[0].label}:")

    def read(
        self, text: str, given: Mapping[str, Any], *, truncated: bool = False
    ) -> dict[str, Any]:
        """The open outputs that `text` holds; the first one is always among them.

        A base model seldom ends by itself: of an answer that was cut off the first field is
        taken as it is, and a last one beside it is left to be asked for.
        """
        missing = open_outputs(self.signature, given)
        text = f"{missing[0].label}:{sendable(text)}"
        end = text.find("\n---")
        if end >= 0:
            text, truncated = text[:end], False
        elif truncated:
            text = self._without_part_of_label(text)
        marks = list(self._label.finditer(text))
        found: dict[str, Any] = {}
        for mark, following in zip_longest(marks, marks[1:]):
            field = self._by_label[mark.group()]
            if field not in missing or field.name in found:
                break
            if truncated and found and following is None:
                break
            raw = text[mark.end() : following.start() if following else len(text)]
            value = _INDENT.sub("\n", raw).strip()
            if value or reads_empty(field):
                found[field.name] = field.read(value)
            else:
                found[field.name] = field.absent()
        return found

    def _without_part_of_label(self, text: str) -> str:
        before, line_end, last = text.rpartition("\n")
        begun = line_end and last and any(label.startswith(last) for label in self._by_label)
        return before if begun else text

    def ask_again(self, request: Request, text: str, error: str) -> Request:
        """A base model is not told; it is asked for another answer."""
        return replace(request, temperature=0.7, rollout=request.rollout + 1)

    def shown(self, request: Request) -> str:
        """See `Renderer.shown`."""
        return request.prompt


@dataclass(frozen=True, slots=True)
class CompletionFormat:
    """For base models, which continue text."""

    name: str = "completion"
    summary: str = "Plain text with labels, for base models that continue what they read."
    continues: bool = True

    def renderer(
        self, signature: Signature, state: PredictorState, *, scored: bool = False
    ) -> CompletionRenderer:
        """See `Format.renderer`."""
        return CompletionRenderer(signature, state, scored)

    def preview(
        self, signature: Signature, state: PredictorState, inputs: Mapping[str, Any]
    ) -> str:
        """See `Format.preview`."""
        return self.renderer(signature, state).ask(inputs, {}).prompt


COMPLETION = CompletionFormat()
