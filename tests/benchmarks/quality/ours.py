"""Our compilers on the same tasks, with a hard cap on calls."""

from __future__ import annotations

import time
from typing import Any

from studio.engine.compilers import COMPILERS, CompileTask, Sizes, compile_program, estimate
from studio.engine.compilers.events import CandidateMade, CandidateScored, Confirmed, Finished
from studio.engine.evaluation import MemoryLedger, evaluate_all
from studio.engine.example import Candidate
from studio.engine.lm.base import LM
from studio.engine.lm.compose import compose
from studio.engine.lm.metered import Budget
from studio.engine.metrics import make_metric
from studio.engine.runtime import Runtime
from tests.benchmarks.quality.outcome import Outcome
from tests.benchmarks.quality.tasks import Task

CONCURRENCY = 2
"""As many as the server reads at the same time."""

_MOST_CANDIDATES = 16
_CONFIRMED_ON = 10
"""Test examples of the compile's own confirmation, which is not what is measured here."""


async def measure(task: Task, seed: int, lm: LM, calls: int) -> Outcome:
    """Compile with no more calls than that, and answer the test examples.

    The budget gets the calls of the confirmation on top, because DSPy's has none of its own. The
    winner on dev counts, whatever the confirmation says of it.
    """
    compiler = task.compiler if task.compiler in COMPILERS else "random-search"
    confirmed = task.test[:_CONFIRMED_ON]
    budget = Budget(calls + 2 * len(confirmed))
    runtime = Runtime(lm=compose(lm, budget=budget, concurrency=CONCURRENCY))
    ledger = MemoryLedger()
    metric = make_metric("exact_match", {"field": task.label})
    candidates: dict[int, Candidate] = {0: task.program.candidate()}
    scores: dict[int, str] = {}
    winner, said = 0, ""
    params = fitting(task, compiler, runtime, calls)
    started = time.monotonic()
    searched = started
    used = tested = 0
    async for event in compile_program(
        CompileTask(
            program=task.program,
            train=task.train,
            dev=task.dev,
            test=confirmed,
            metric=metric,
            runtime=runtime,
            ledger=ledger,
            seed=seed,
            compiler=compiler,
            params=params,
            budget=budget,
        )
    ):
        if getattr(event, "part", "") == "test":
            tested += 1
        elif isinstance(event, CandidateMade):
            candidates[event.number] = event.candidate
        elif isinstance(event, CandidateScored):
            value = f"{event.value:.2f}" if event.value is not None else "none"
            scores[event.number] = f"{event.origin}: {value} of {event.scored_on}"
        elif isinstance(event, Confirmed):
            winner = event.number
        elif isinstance(event, Finished):
            said = event.result.note
        if not tested:
            used, searched = budget.used, time.monotonic()
    free = Runtime(lm=compose(lm, concurrency=CONCURRENCY))
    answered = await evaluate_all(
        task.program, candidates[winner], task.test, metric, free, ledger, concurrency=CONCURRENCY
    )
    told = "; ".join(scores.values())
    return Outcome(
        right=[int(scored.score.value == 1.0) for _, scored in answered.results],
        calls=used,
        seconds=searched - started,
        answered=len(task.test),
        note=f"{compiler} {params}, won: {scores.get(winner, winner)}. All: {told}. {said}",
    )


def fitting(task: Task, compiler: str, runtime: Runtime, calls: int) -> dict[str, Any]:
    """Parameters whose estimate comes nearest to the budget from below."""
    sizes = Sizes.of(
        task.program, runtime, train=len(task.train), dev=len(task.dev), test=_CONFIRMED_ON
    )
    chosen: dict[str, Any] = {}
    if "candidates" not in COMPILERS[compiler].params.__dataclass_fields__:
        return chosen
    for count in range(1, _MOST_CANDIDATES + 1):
        params = {"candidates": count}
        if estimate(compiler, params, sizes).expected - 2 * _CONFIRMED_ON > calls:
            break
        chosen = params
    return chosen
