"""Instruction search (COPRO, a part of DSPy; the baseline of Opsahl-Ong et al. 2024).

A proposer writes instructions for one predictor after the other, first from what the step is
like, then from how the earlier ones scored, after Yang et al. 2023
(https://arxiv.org/abs/2309.03409). Unlike the original, an instruction is never scored twice, all
scores that the proposer is told are on the same footing, and candidates that fall behind are
dropped early. Demos stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Situation
from studio.engine.compilers.proposing import (
    NOTHING_NEW,
    Wish,
    instruction_of,
    propose_instructions,
    with_instruction,
)
from studio.engine.compilers.search import Proposal, Search, Standing


def _breadth(default: int) -> Any:
    return field(
        default=default,
        metadata={
            "label": "Instructions per round",
            "help": "So many new instructions are proposed for each step in each round.",
            "min": 1,
            "max": 32,
        },
    )


def _depth(default: int) -> Any:
    return field(
        default=default,
        metadata={
            "label": "Rounds",
            "help": "From the second round on, proposals learn from the scores of earlier ones.",
            "min": 1,
            "max": 16,
        },
    )


@dataclass(frozen=True, kw_only=True)
class InstructionsParams:
    """What people may set."""

    breadth: int = _breadth(5)
    depth: int = _depth(2)
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit(60)


async def instructions(search: Search, params: InstructionsParams) -> None:
    """Coordinate ascent: in each round, one race for each predictor, from the best so far."""
    tried: dict[str, dict[str, int]] = {path: {} for path in search.start.states}
    (begun,) = await search.race([Proposal(search.start, "instructions as they were")])
    for path, numbers in tried.items():
        text = instruction_of(search.program(search.start), search.start, path)
        numbers[text] = begun.number
    current = search.start
    for round_ in range(params.depth):
        wishes = [
            Wish(
                path=path,
                count=params.breadth,
                attempts=_scores(search, numbers) if round_ else (),
                first=round_ * params.breadth,
            )
            for path, numbers in tried.items()
        ]
        proposed = await propose_instructions(search, wishes, current=current)
        if not any(proposed.values()):
            search.notes.append(NOTHING_NEW)
            return
        for path, texts in proposed.items():
            best = _improved(search, begun)
            standings = await search.race(
                Proposal(
                    with_instruction(best.candidate, path, text),
                    f"instruction {number} of round {round_ + 1} for {path}",
                    parents=(best.number,),
                )
                for number, text in enumerate(texts, start=1)
            )
            found = zip(texts, standings, strict=True)
            tried[path] |= {text: standing.number for text, standing in found}
        current = _improved(search, begun).candidate


def _improved(search: Search, begun: Standing) -> Standing:
    """The best so far; what the search began with, if the best one has other predictors.

    An ensemble has, which may be worse than the uncompiled program.
    """
    if search.best and search.best.candidate.states.keys() == begun.candidate.states.keys():
        return search.best
    return search.standings[begun.number]


def _scores(search: Search, tried: dict[str, int]) -> list[tuple[str, float]]:
    """Instructions with their scores, as if each had met all examples that the best one has.

    One that was dropped early met fewer: what counts is its lead over the best one on those.
    """
    best = search.best
    if best is None or best.mean is None:
        return []
    found = []
    for text, number in tried.items():
        standing = search.standings[number]
        if standing.values:
            found.append((text, min(1.0, max(0.0, best.mean + standing.lead(best)))))
    return found


def _plan(params: InstructionsParams, situation: Situation) -> Plan:
    per_round = params.breadth * situation.predictors
    asks = per_round * params.depth
    # What is improved is a candidate of its own where labels are calibrated.
    begun = int(params.calibrate and situation.calibrates)
    races = (begun,) + (params.breadth,) * (params.depth * situation.predictors)
    return Plan(races=races, asks=(per_round, asks, asks))


INSTRUCTIONS = CompilerKind(
    name="instructions",
    title="Instruction search",
    sentence="Has a proposer write instructions, step by step, and learn from how they score.",
    paper="https://arxiv.org/abs/2406.11695",
    params=InstructionsParams,
    run=instructions,
    plan=_plan,
    presets={
        "light": {"breadth": 4, "depth": 1, "dev_limit": 40, "calibration_examples": 20},
        "medium": {"breadth": 6, "depth": 3, "dev_limit": 100},
        "thorough": {"breadth": 10, "depth": 4, "dev_limit": 300},
    },
    asks=True,
)
