"""What DSPy's `program.save("state.json")` wrote, as a candidate of a program.

DSPy saves no field names and no types: descriptions stand there by position, and demos by name.
So instructions and demos are taken over and checked against the fields of the program; what cannot
be taken over is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import ParseError, StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.program import Program
from studio.engine.saving.reading import read_object, shown
from studio.engine.signature import Field, Signature

_PART = re.compile(r"\.?([^.\[\]']+)|\['((?:[^'])*)'\]|\[(\d+)\]")
_DEFAULT_TASK = re.compile(r"Given the fields? .*, produce the fields? .*\.\Z", re.DOTALL)
_THEIR_NAMES = {"react": "next"}
"""Members of DSPy's modules that have another name here."""
_AGENT = "\n\nYou are an Agent. In each episode"
"""What DSPy's ReAct writes behind the instruction begins so; it names its tools and fields."""
_AGENT_FIELDS = {
    "next_thought": "thought",
    "next_tool_name": "tool",
    "next_tool_args": "arguments",
}
_MARKS = ("augmented", "dspy_uuid", "dspy_split")
"""What DSPy adds to the values of a demo."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What could be taken over, and in sentences what could not."""

    candidate: Candidate
    notes: tuple[str, ...] = ()


def read_dspy_state(
    program: Program,
    data: str | bytes | Mapping[str, Any],
    *,
    paths: Mapping[str, str] | None = None,
) -> Imported:
    """The candidate that a state saved by DSPy (2.6 and later, JSON) makes of `program`.

    A predictor is found by its path: `plan.predict`, `steps['plan']` and `self.plan` are the
    node `plan`; `paths` says so where the names differ (DSPy's path to ours). Predictors that
    are not in the file stay as they are, and this is told.

    Raises `StateError` when the file is no such state, names a predictor that the program does
    not have, or has another number of fields. Pickles are refused.
    """
    what = "This DSPy state"
    read = read_object(data, what=what)
    if "signature" in read and "demos" in read:
        read = {"self": {key: value for key, value in read.items() if key != "metadata"}}
    saved = {path: state for path, state in read.items() if path != "metadata"}
    if not saved:
        raise StateError(f"{what} holds no predictor.")
    for path, state in saved.items():
        if not isinstance(state, dict) or not {"signature", "demos"} <= set(state):
            raise StateError(
                f"{what}: “{path[:80]}” is no predictor: expected its signature and demos. "
                "Save the program with program.save(“state.json”) in DSPy 2.6 or later."
            )
    places = _places(saved, program, paths or {})
    notes: list[str] = []
    states = dict(program.candidate().states)
    for theirs, ours in places.items():
        reader = _Reader(theirs, ours, program.predictors[ours])
        states[ours] = reader.state(saved[theirs], states[ours])
        notes += reader.notes
    notes += [
        f"Nothing is saved for “{path}”: it stays as it is."
        for path in states
        if path not in places.values()
    ]
    return Imported(Candidate(states), tuple(dict.fromkeys(notes)))


def _places(saved: Iterable[str], program: Program, paths: Mapping[str, str]) -> dict[str, str]:
    """Our path for each of DSPy's."""
    known = program.predictors
    saved = list(saved)
    wrong = [ours for ours in paths.values() if ours not in known]
    wrong += [theirs for theirs in paths if theirs not in saved]
    if wrong:
        raise StateError(f"“{wrong[0]}”, which “paths” names, is no predictor.")
    places: dict[str, str] = {}
    for theirs in saved:
        found = [paths[theirs]] if theirs in paths else _candidates(theirs)
        ours = next((path for path in found if path in known), None) or _only_below(found, known)
        if ours is None and len(saved) == len(known) == 1:
            ours = next(iter(known))
        if ours is None:
            raise StateError(
                f"This DSPy state has a predictor “{theirs}”, and the program has only "
                f"{', '.join(f'“{path}”' for path in known) or 'none'}. "
                "Rename the step, or say with “paths” which one it is."
            )
        if ours in places.values():
            raise StateError(f"Two predictors of this DSPy state are “{ours}” here.")
        places[theirs] = ours
    return places


def _only_below(found: Iterable[str], known: Iterable[str]) -> str | None:
    """`agent.next` for `next`, if there is one such path: the module was saved by itself."""
    known = list(known)
    for name in found:
        below = [path for path in known if path.endswith(f".{name}")]
        if len(below) == 1:
            return below[0]
    return None


def _candidates(theirs: str) -> list[str]:
    """What the predictor may be called here, the likeliest first."""
    parts = ["".join(match.groups(default="")) for match in _PART.finditer(theirs)]
    if parts and parts[0] in ("self", "steps") and len(parts) > 1:
        parts = parts[1:]
    if len(parts) > 1 and parts[-1] == "predict":
        parts = parts[:-1]
    renamed = [*parts[:-1], _THEIR_NAMES.get(parts[-1], parts[-1])] if parts else []
    return [".".join(renamed), ".".join(parts), theirs]


class _Reader:
    """One predictor's state; what cannot be taken over is in `notes`."""

    def __init__(self, theirs: str, ours: str, signature: Signature) -> None:
        self.theirs, self.path, self.signature = theirs, ours, signature
        self.fields = {field.name: field for field in signature.fields}
        self.names = _AGENT_FIELDS if theirs.endswith("react") else {}
        """Fields that have another name here."""
        self.notes: list[str] = []

    def state(self, data: Mapping[str, Any], now: PredictorState) -> PredictorState:
        """The predictor's state, without calibration: DSPy has none."""
        signature, demos = data["signature"], data["demos"]
        if not isinstance(signature, dict) or not isinstance(demos, list):
            raise self._error("expected its signature as an object and its demos as a list")
        instruction = signature.get("instructions")
        if not isinstance(instruction, str):
            raise self._error("its instructions are no text")
        if "extended_signature" in data:
            raise self._error(
                "it was saved by DSPy before 2.6: load and save it once with a newer one"
            )
        self._check_fields(signature.get("fields"))
        self._tell_extras(data)
        if self.names:
            instruction = instruction.partition(_AGENT)[0]
        if _DEFAULT_TASK.match(instruction):
            # DSPy's own sentence for a signature that has none.
            instruction = now.instruction
        read = [self._demo(number, demo) for number, demo in enumerate(demos, 1)]
        return replace(
            now,
            instruction=instruction,
            demos=tuple(demo for demo in read if demo is not None),
            calibration={},
        )

    def _check_fields(self, saved: Any) -> None:
        ours = (*self.signature.inputs, *self.signature.outputs)
        if not isinstance(saved, list) or not all(isinstance(item, dict) for item in saved):
            raise self._error("its fields are no list of objects")
        if len(saved) != len(ours):
            labels = ", ".join(f"“{_prefix(item)}”" for item in saved) or "none"
            raise self._error(
                f"it was saved with {len(saved)} fields ({labels}), and the step has "
                f"{len(ours)}: {', '.join(field.name for field in ours)}. Give the step the "
                "same fields, or choose the kind of step that adds them (Chain of thought adds "
                "“reasoning”)"
            )
        for item, field in zip(saved, ours, strict=True):
            self._check_field(item, field, {_plain(field.name) for field in ours})

    def _check_field(self, item: Mapping[str, Any], field: Field, known: set[str]) -> None:
        prefix, description = _prefix(item), item.get("description")
        ours = {_plain(theirs): _plain(name) for theirs, name in self.names.items()}
        if ours.get(_plain(prefix), _plain(prefix)) != _plain(field.name):
            where = f"“{self.path}”: the field that DSPy calls “{prefix}”"
            if _plain(prefix) in known:
                self.notes.append(f"{where} stands at another place here; demos go by name.")
                return
            self.notes.append(f"{where} is taken to be “{field.name}”.")
        if not isinstance(description, str) or re.fullmatch(r"\$\{.*\}", description):
            return
        if description != field.description:
            self.notes.append(
                f"“{self.path}”: the description of “{field.name}” in DSPy, {shown(description)}, "
                "is not taken over; it belongs in the signature."
            )

    def _tell_extras(self, data: Mapping[str, Any]) -> None:
        lm = data.get("lm")
        if isinstance(lm, dict):
            self.notes.append(
                f"“{self.path}”: the LM saved with it, {shown(lm.get('model'))}, is not taken "
                "over; choose a connection."
            )
        for key in data:
            if key not in ("signature", "demos", "lm", "traces", "train"):
                self.notes.append(f"“{self.path}”: “{key[:80]}” is not taken over.")

    def _demo(self, number: int, data: Any) -> Demo | None:
        if not isinstance(data, dict):
            raise self._error(f"demo {number} is no object")
        values: dict[str, Any] = {}
        for theirs, value in data.items():
            name = str(self.names.get(theirs, theirs))
            field = self.fields.get(name)
            if field is None:
                if name not in _MARKS:
                    self.notes.append(
                        f"“{self.path}”: “{name[:80]}” in its demos is no field of the step and "
                        "is left out."
                    )
                continue
            try:
                values[name] = field.read_json(value)
            except ParseError as error:
                self.notes.append(f"“{self.path}”: demo {number} is left out: {error}")
                return None
        for role, fields in (("input", self.signature.inputs), ("output", self.signature.outputs)):
            if not any(field.name in values for field in fields):
                self.notes.append(f"“{self.path}”: demo {number} is left out: it has no {role}.")
                return None
        bootstrapped = data.get("augmented") is True and "augmented" not in self.fields
        return Demo(values=values, bootstrapped=bootstrapped)

    def _error(self, message: str) -> StateError:
        return StateError(f"This DSPy state, predictor “{self.theirs}”: {message}.")


def _prefix(item: Mapping[str, Any]) -> str:
    return str(item.get("prefix", "")).strip().removesuffix(":")[:80]


def _plain(name: str) -> str:
    return "".join(_letters(name))


def _letters(name: str) -> Iterator[str]:
    return (char for char in name.casefold() if char.isalnum())
