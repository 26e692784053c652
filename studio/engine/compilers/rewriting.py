"""A candidate that is told something else, out of what a proposer wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from studio.engine.compilers.proposing import clean_instruction, instruction_of
from studio.engine.example import Candidate
from studio.engine.program import Program

LONGEST_RULE = 400
"""Characters. What is longer is no rule but a model that did not find an end."""
_RULES = "\n\nRules:\n"


def read_rules(answer: Any, most: int) -> list[str]:
    """At most so many rules that a proposer wrote, each a line, none twice."""
    items = answer if isinstance(answer, list) else [answer]
    rules = [" ".join(clean_instruction(item).split()).removeprefix("- ") for item in items]
    return list(dict.fromkeys(rule for rule in rules if 0 < len(rule) <= LONGEST_RULE))[:most]


def rewritten(candidate: Candidate, path: str, instruction: str) -> Candidate:
    """The candidate with another instruction for one predictor.

    Calibrations stay, so that on a mini-batch like is compared with like; see `to_race`.
    """
    states = dict(candidate.states)
    states[path] = replace(states[path], instruction=instruction)
    return Candidate(states)


def with_rules(
    program: Program, candidate: Candidate, path: str, rules: Iterable[str]
) -> Candidate:
    """The candidate with rules at the end of one predictor's instruction, below those it has."""
    before = instruction_of(program, candidate, path)
    known = before.partition(_RULES)[2].splitlines()
    lines = [line for rule in rules if (line := f"- {rule}") not in known]
    if not lines:
        return candidate
    head = f"{before}\n" if known else f"{before}{_RULES}"
    return rewritten(candidate, path, head + "\n".join(lines))


def to_race(candidate: Candidate) -> Candidate:
    """The candidate without calibrations: a race fits them anew."""
    states = candidate.states.items()
    return Candidate({path: replace(state, calibration={}) for path, state in states})
