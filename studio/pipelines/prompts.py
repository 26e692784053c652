"""What one step of a drawing says to a language model: the exact prompt, in every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import EngineError
from studio.engine.example import Demo, PredictorState
from studio.engine.fields import FieldType
from studio.engine.formats import FORMATS
from studio.engine.formats.base import Format
from studio.engine.graph import build
from studio.engine.graph.alone import alone
from studio.engine.graph.shape import shape_problem
from studio.engine.modules.inside import pinned_demos
from studio.engine.signature import Signature

MOST_LETTERS = 2_000_000
"""Of all the prompts of a step; what comes after is not written any more."""
_TOO_LONG = "No preview: the prompts of this step are too long to be shown all at once."


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of a predictor in one format."""

    format: str
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One place inside a step that asks a language model."""

    path: str
    """Below the step; empty when the step has only one such place."""
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that a step asks, or why it cannot be told."""

    asked: tuple[Asked, ...] = ()
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "problem": self.problem,
            "predictors": [
                {
                    "path": one.path,
                    "formats": [
                        {"name": prompt.format, "summary": prompt.summary, "text": prompt.text}
                        for prompt in one.prompts
                    ],
                }
                for one in self.asked
            ],
        }


def prompts_of(node: Any, inputs: Mapping[str, Any] | None = None) -> Said:
    """What the step `node` of a spec asks about `inputs`; without them their names stand there.

    Never raises for what is wrong with the node: that is the answer's `problem`.
    """
    if not isinstance(node, dict):
        return Said(problem="Send the step as a JSON object.")
    level = {"version": 1, "nodes": [node], "edges": []}
    try:
        wrong = shape_problem(level)
        if wrong is not None:
            return Said(problem=wrong.message)
        program = build(alone(node))
    except RecursionError:
        return Said(problem="A type of the step is nested too deeply to be read.")
    except EngineError as error:
        problems = getattr(error, "problems", ())
        return Said(problem=problems[0].message if problems else str(error))
    states, pinned = program.candidate().states, pinned_demos(program)
    name = str(node["name"])
    asked = []
    left = MOST_LETTERS
    for path, signature in program.predictors.items():
        state = _shown(states[path], pinned.get(path, ()))
        prompts = []
        for format_ in FORMATS.values():
            text = _text(format_, signature, state, inputs) if left > 0 else _TOO_LONG
            left -= len(text)
            prompts.append(Prompt(format_.name, format_.summary, text))
        asked.append(Asked(path.removeprefix(name).removeprefix("."), tuple(prompts)))
    return Said(tuple(asked))


def _shown(state: PredictorState, pinned: Sequence[Demo]) -> PredictorState:
    return replace(state, demos=(*pinned, *state.demos))


def _text(
    format_: Format,
    signature: Signature,
    state: PredictorState,
    inputs: Mapping[str, Any] | None,
) -> str:
    shown = {
        field.name: (inputs or {}).get(field.name, stand_in(field.name, field.type))
        for field in signature.inputs
    }
    try:
        return str(format_.preview(signature, state, shown))
    except EngineError as error:
        return f"No preview: {error}"


def stand_in(name: str, type_: FieldType) -> Any:
    """A value that shows where the real one will stand."""
    text = f"‹{name}›"
    return [text] if type_.kind == "list" else text
