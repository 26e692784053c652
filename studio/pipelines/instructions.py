"""Instructions from elsewhere, written into the signatures of a drawing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.engine.example import Candidate
from studio.engine.graph import build

Spec = dict[str, Any]
Signature = dict[str, Any]


def with_instructions(spec: Spec, candidate: Candidate) -> tuple[Spec, tuple[str, ...]]:
    """The drawing with the candidate's instructions, and the paths whose could not be taken over.

    A node holds one instruction: that of its first predictor which wants another. What a step
    writes by itself for other predictors cannot be drawn. Raises `EngineError` when the spec does
    not build.
    """
    wanted = {path: state.instruction for path, state in candidate.states.items()}
    before = _instructions(spec)
    changed = [path for path in wanted if wanted[path] != before.get(path)]
    if not changed:
        return spec, ()
    drawn = copy.deepcopy(spec)
    signatures = list(_signatures(drawn))
    holders = _holders(spec)
    written: set[int] = set()
    for path in changed:
        holder = holders.get(path)
        if holder is not None and holder not in written:
            signatures[holder]["instruction"] = wanted[path]
            written.add(holder)
    after = _instructions(drawn)
    return drawn, tuple(path for path in wanted if after[path] != wanted[path])


def left_out(paths: Sequence[str]) -> list[str]:
    """A sentence for each instruction that the drawing cannot hold."""
    return [
        f"The instruction of “{path}” is not taken over: its step writes it by itself."
        for path in paths
    ]


def _holders(spec: Spec) -> dict[str, int]:
    """For each predictor the place, among the signatures, of the one with its instruction.

    It is seen by building the drawing with a mark for each: modules alone know what they make of
    an instruction, and how they name what is inside of them.
    """
    marked = copy.deepcopy(spec)
    marks = {}
    for number, signature in enumerate(_signatures(marked)):
        signature["instruction"] = f"Instruction {number}."
        marks[signature["instruction"]] = number
    return {path: marks[text] for path, text in _instructions(marked).items() if text in marks}


def _instructions(spec: Mapping[str, Any]) -> dict[str, str]:
    states = build(spec).candidate().states
    return {path: state.instruction for path, state in states.items()}


def _signatures(spec: Spec) -> Iterator[Signature]:
    """The signatures of all steps, with those of the pipelines inside of them."""
    for node in spec["nodes"]:
        if isinstance(node.get("signature"), dict):
            yield node["signature"]
        for part in (node.get("parts") or {}).values():
            yield from _signatures(part)
