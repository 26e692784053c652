"""What a program did, as text for a proposer: bounded, and told apart from our own words.

Values of examples and answers of models are other people's words. Every line of theirs stands
deeper than any line of ours, so that none of them can pass for a heading, a score or feedback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.compilers.demos import gold_value
from studio.engine.errors import ParseError
from studio.engine.evaluation import Scored
from studio.engine.example import Demo, Example
from studio.engine.fields import read_json
from studio.engine.formats.shown import holds_attachments, value_text
from studio.engine.metrics.base import Score
from studio.engine.program import Program
from studio.engine.signature import MISSING, Field, Signature
from studio.engine.tools.toolbox import cut_middle
from studio.engine.trace import Step

VALUE_CHARS = 1_500
"""Characters of one value; of a longer one the middle is left out, and that is said."""
ALL_CHARS = 24_000
"""Characters of everything that one question shows."""
STEPS_SHOWN = 3
"""Calls of one predictor in one run, such as those for the items of a Map."""
_DEEPER = "    "


@dataclass(frozen=True, slots=True)
class Tried:
    """What a program did on one example, and what the metric said of it."""

    example: Example
    values: Mapping[str, Any]
    """What it answered; empty when it gave no answer."""
    steps: tuple[Step, ...]
    score: Score

    @classmethod
    def of(cls, example: Example, scored: Scored) -> Tried:
        """A result as compilers get it."""
        return cls(example, scored.prediction.values, scored.prediction.steps, scored.score)

    @property
    def value(self) -> float | None:
        """The metric's number; None when it could not say."""
        return self.score.value

    def steps_at(self, path: str) -> tuple[Step, ...]:
        """The calls of one predictor that were not thrown away."""
        return tuple(step for step in self.steps if step.path == path and not step.discarded)


def step_words(program: Program, path: str) -> str:
    """A predictor in words: its path, its fields, and which other steps stand around it."""
    signature = program.predictors[path]
    lines = [f"Step “{path}”."]
    for heading, fields in (("It is given", signature.inputs), ("It writes", signature.outputs)):
        lines += [f"{heading}:", *(_field_words(field) for field in fields)]
    others = [f"“{other}”" for other in program.predictors if other != path]
    if others:
        lines.append(f"The program's other steps, in order: {', '.join(others)}.")
    return "\n".join(lines)


def tried_at(program: Program, tried: Tried, path: str) -> str:
    """What one predictor did in a run: given, wrote, right answer if known; then the feedback."""
    lines = _steps(program, tried, path)
    if not lines:
        lines = ["The step did not get to answer. The program was given:"]
        lines += _values(program.inputs, tried.example.values)
    if len(program.predictors) > 1:
        lines += _final(program, tried)
    elif not tried.steps_at(path):
        lines += _gold(program, tried)
    return "\n".join((*lines, *_feedback(tried.score)))


def tried_whole(program: Program, tried: Tried) -> str:
    """What every predictor did in a run, in the order of running; then the feedback."""
    lines = ["The program was given:", *_values(program.inputs, tried.example.values)]
    for path in program.predictors:
        if steps := _steps(program, tried, path):
            lines += [f"Step “{path}”:", *steps]
    return "\n".join((*lines, *_final(program, tried), *_feedback(tried.score)))


def demo_words(signature: Signature, demo: Demo) -> str:
    """A demo as an example of good work."""
    given = _values(signature.inputs, demo.values)
    wrote = _values(signature.outputs, demo.values)
    return "\n".join(("Given:", *given, "Right answer:", *wrote))


def numbered(texts: Iterable[str], most: int = ALL_CHARS) -> str:
    """The texts under headings, all of them together with about `most` characters."""
    texts = list(texts)
    share = max(VALUE_CHARS, most // max(1, len(texts)))
    return "\n\n".join(
        f"=== Example {number} ===\n{_cut_lines(text, share)}"
        for number, text in enumerate(texts, 1)
    )


def _steps(program: Program, tried: Tried, path: str) -> list[str]:
    signature = program.predictors[path]
    steps = tried.steps_at(path)
    lines: list[str] = []
    for step in steps[:STEPS_SHOWN]:
        lines += ["Given:", *_values(signature.inputs, step.inputs)]
        lines += ["Wrote:", *_values(signature.outputs, step.outputs)]
        lines += [f"(An earlier answer could not be read: {_line(why)})" for why in step.problems]
    if len(steps) > STEPS_SHOWN:
        lines.append(f"({len(steps) - STEPS_SHOWN} more calls of this step are left out.)")
    golds = {
        field.name: value
        for field in signature.outputs
        if (value := gold_value(program, path, field, tried.example)) is not None
    }
    if steps and golds:
        lines += ["Right answer:", *_values(signature.outputs, golds)]
    return lines


def _final(program: Program, tried: Tried) -> list[str]:
    lines = ["The program answered in the end:", *_values(program.outputs, tried.values)]
    if not tried.values:
        lines = ["The program gave no answer in the end."]
    return lines + _gold(program, tried)


def _gold(program: Program, tried: Tried) -> list[str]:
    lines = _values(program.outputs, tried.example.values)
    return ["Right answer of the program:", *lines] if lines else []


def _feedback(score: Score) -> list[str]:
    said = "not scored" if score.value is None else f"{score.value:.4g} of 1"
    lines = [f"Score: {said}"]
    if score.reason:
        lines += ["Feedback:", _deeper(cut_middle(score.reason, VALUE_CHARS))]
    return lines


def _values(fields: Sequence[Field], values: Mapping[str, Any]) -> list[str]:
    """A line or more for each of the fields that has a value."""
    return [
        _deeper(f"{field.name}: {_value(field, values[field.name])}")
        for field in fields
        if values.get(field.name) is not None
    ]


def _value(field: Field, value: Any) -> str:
    # As an input: of images and documents only inputs are shown by a marker.
    shown = replace(field, role="input", default=MISSING)
    try:
        text = value_text(shown, read_json(field.type, value, field=field.name), [])
    except ParseError:
        # A column holds what the dataset has, which need not be of the field's type.
        if holds_attachments(field.type):
            return f"(something that is no {field.type.bare})"
        text = value if isinstance(value, str) else canonical_json(value)
    return cut_middle(text.strip(), VALUE_CHARS)


def _field_words(field: Field) -> str:
    words = f"{_DEEPER}{field.name} ({field.type})"
    return f"{words}: {_line(field.description)}" if field.description else words


def _line(text: str) -> str:
    return " ".join(cut_middle(text, VALUE_CHARS).split())


def _cut_lines(text: str, most: int) -> str:
    """Whole lines of the beginning and of the end, where the feedback stands."""
    if len(text) <= most:
        return text
    lines = text.splitlines()
    first, last = 0, len(lines)
    room = most
    while first < last:
        from_the_end = len(lines) - last <= first
        line = lines[last - 1] if from_the_end else lines[first]
        room -= len(line) + 1
        if room < 0:
            break
        first, last = (first, last - 1) if from_the_end else (first + 1, last)
    return "\n".join((*lines[:first], f"({last - first} lines are left out.)", *lines[last:]))


def _deeper(text: str) -> str:
    return "\n".join(f"{_DEEPER}{line}" for line in text.splitlines())
