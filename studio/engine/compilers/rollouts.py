"""Tries of candidates on training examples: the plain one, and warm ones that may differ.

A plain try is a score like any other. Warm tries are traces: of one candidate on one example there
are as many as one likes, each under a number of its own, stored and never made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.engine.compilers.calibrate import scored_fields
from studio.engine.compilers.events import TraceTried
from studio.engine.compilers.running import Run
from studio.engine.compilers.trajectories import Tried
from studio.engine.evaluation import Traced, attempt, in_order, judge_or_reason
from studio.engine.example import Candidate, Example
from studio.engine.messages import Usage
from studio.engine.metrics.base import Score
from studio.engine.trace import Prediction, Step

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search

_TINY = 1e-9
FIRST_WARM = 1_000
"""Warm tries are numbered from here on: below stand the rounds of a teacher's trace pool."""
VERDICT = "(verdict)"
"""The path of the last step of a stored warm try: what the program answered, and its score."""

Rollout = tuple[Candidate, Example, int]
"""A candidate, what it is to be run on, and the number of the try."""


def batch_of(
    search: Search, candidate: Candidate, examples: Sequence[Example], place: int, size: int
) -> list[Example]:
    """The `place`th mini-batch of these training examples for a candidate, none of them its own.

    One epoch after the other, each in an order of its own. Empty when every example is its own.
    """
    usable = search.not_own(candidate, examples)
    size = min(size, len(usable))
    if not size:
        return []
    epoch, at = divmod(place, len(usable) // size)
    search.random("epoch", epoch).shuffle(usable)
    return usable[at * size : (at + 1) * size]


def learnable(search: Search) -> Sequence[Example]:
    """Training examples that an instruction may be learnt from: none that select or confirm it.

    When there is none it is all of them, and the report says so.
    """
    if search.parts.train_only:
        return search.parts.train_only
    note = (
        "Every training example stands on dev as well: an instruction that gives examples away "
        "may look better on dev than it is."
    )
    if note not in search.notes:
        search.notes.append(note)
    return search.train


def nothing_left(search: Search) -> bool:
    """Whether the best candidate is right on everything that it was scored on."""
    best = search.best
    return bool(best and best.values and min(best.values.values()) >= 1 - _TINY)


def tries_may_differ(search: Search) -> bool:
    """Whether another try may give something else: some output is written, not a scored label."""
    program = search.program(search.start)
    scored = scored_fields(program, search.task.runtime)
    return any(
        len(signature.outputs) > len(scored.get(path, ()))
        for path, signature in program.predictors.items()
    )


async def plain(search: Search, runs: Iterable[Run]) -> dict[tuple[str, str], Tried]:
    """One try each, as the program is run in earnest; by candidate hash and example id."""
    unique = {(candidate.hash, example.id): run for run in runs for _, candidate, example in [run]}
    found: dict[tuple[str, str], Tried] = {}
    async with aclosing(search.results(list(unique.values()), "train")) as results:
        async for (_, candidate, example), scored in results:
            found[candidate.hash, example.id] = Tried.of(example, scored)
    return found


async def warm(search: Search, runs: Sequence[Rollout], temperature: float) -> list[Tried]:
    """Tries that may differ from the plain one, in the order of `runs`, each told of.

    Run side by side; what the ledger knows is not run again.
    """
    task = search.task

    async def attempt_one(run: Rollout) -> tuple[Rollout, Traced]:
        candidate, example, number = run
        known = await task.ledger.get_trace(candidate.hash, example.id, number)
        if known is None:
            runtime = replace(task.runtime, rollout=number, temperature=temperature)
            program = search.program(candidate)
            prediction, problem, calls = await attempt(program, example.values, runtime)
            if problem:
                score = Score(0.0, problem)
            else:
                score = await judge_or_reason(task.metric, example, prediction)
            verdict = _verdict(prediction, score)
            steps = (*prediction.steps, verdict)
            known = Traced(score.passes(), score.reason, steps, calls)
            await task.ledger.put_trace(candidate.hash, example.id, number, known)
        return run, known

    tries: list[Tried] = []
    passed = 0
    found = in_order(runs, attempt_one, concurrency=task.concurrency, block=len(runs))
    async with aclosing(found) as results:
        async for (candidate, example, number), traced in results:
            tries.append(_tried(example, traced))
            passed += traced.passed
            search.count((candidate.hash, example.id, number), traced.calls)
            await search.tell(
                TraceTried(
                    teacher=candidate.hash,
                    example=example.id,
                    round=number,
                    passed=traced.passed,
                    reason=traced.reason,
                    tried=len(tries),
                    found=passed,
                    wanted=len(runs),
                )
            )
    return tries


def _verdict(prediction: Prediction, score: Score) -> Step:
    return Step(
        path=VERDICT,
        inputs={},
        outputs={"values": dict(prediction.values), "score": score.value},
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
    )


def _tried(example: Example, traced: Traced) -> Tried:
    *steps, verdict = traced.steps
    score = Score(verdict.outputs["score"], traced.reason)
    return Tried(example, verdict.outputs["values"], tuple(steps), score)
