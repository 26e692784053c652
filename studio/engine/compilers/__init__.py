"""The compilers by kind, and the one door to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from studio.engine.compilers import estimates
from studio.engine.compilers.base import (
    PRESETS,
    CompilerKind,
    CompileTask,
    Preset,
    Teacher,
)
from studio.engine.compilers.confirm import confirm
from studio.engine.compilers.estimates import Estimate, Sizes, calls_per_run
from studio.engine.compilers.events import CompileResult, Event, Finished, Planned
from studio.engine.compilers.keeping import calls_to_keep, hold_back
from studio.engine.compilers.search import Search
from studio.engine.compilers.telling import Tell, told
from studio.engine.errors import BudgetSpent, CompileError
from studio.engine.extensions import Table, is_kind
from studio.engine.params import read_params

COMPILERS: Table[CompilerKind] = Table(
    "studio.compilers",
    {
        "random-search": ".random_search:RANDOM_SEARCH",
        "bootstrap": ".bootstrap:BOOTSTRAP",
        "labeled": ".labeled:LABELED",
        "joint": ".joint:JOINT",
        "instructions": ".instructions:INSTRUCTIONS",
        "reflect": ".reflect:REFLECT",
        "mini-batch-ascent": ".mini_batch:MINI_BATCH",
        "rules": ".rules:RULES",
        "knn": ".knn:KNN",
        "ensemble": ".ensemble:ENSEMBLE",
        "then": ".chain:THEN",
    },
    is_kind(CompilerKind),
    package=__name__,
)


async def compile_program(task: CompileTask) -> AsyncGenerator[Event, None]:
    """Compile: events as they happen, the last one is `Finished`.

    With the same seed and an LM that answers the same, the events are the same, whatever the
    concurrency. What the ledger knows is not run again, so a compile that was killed goes on where
    it was. When the budget runs out, the best candidate so far is the result.

    Raises `CompileError` when it cannot start or nothing could be scored, `EngineError` for
    parameters, and what `evaluate` raises when the metric or the LM is broken.
    """
    kind = find_compiler(task.compiler)
    params = read_params(kind.params, task.params)
    if not task.program.predictors:
        raise CompileError(
            "The pipeline has no step that asks a model, so nothing can be compiled."
        )
    async with aclosing(told(partial(_compile, task, kind, params))) as events:
        async for event in events:
            yield event


async def _compile(task: CompileTask, kind: CompilerKind, params: Any, tell: Tell) -> None:
    search = Search(task, params, tell)
    sizes = Sizes.of(
        task.program,
        task.runtime,
        train=len(search.train),
        dev=len(search.dev),
        test=len(search.test),
        metric=task.metric,
        examples=search.train,
        taught=task.teacher is not None,
        released=task.release is not None,
    )
    plan = kind.plan(params, sizes.situation(params.dev_limit))
    await tell(
        Planned(
            compiler=kind.name,
            seed=task.seed,
            candidates=sum(plan.races) + 1,
            train=len(search.train),
            dev=len(search.dev),
            test=len(search.test),
            calls=estimates.estimate(kind, task.params, sizes).expected,
            notes=tuple(search.notes),
        )
    )
    kept = await calls_to_keep(search, sizes.calls_per_run)
    try:
        with hold_back(task.budget, kept):
            await kind.run(search, params)
            await search.race([])  # a compiler that had nothing to race
    except BudgetSpent as spent:
        if search.best is None:
            raise CompileError(
                "The budget ran out before anything could be compared on the "
                f"{len(search.dev)} dev examples: {spent} This compile takes about "
                f"{kept + len(search.dev) * sizes.calls_per_run:,} calls at the least."
            ) from spent
        search.notes.append(
            "The budget ran out in the search: the result is the best of the candidates that "
            f"were scored until then, {len(search.standings)} with the uncompiled program."
        )
    winner = await search.refit(search.best or search.baseline)
    await confirm(search, winner, sizes.calls_per_run)


def estimate(compiler: str, params: Mapping[str, Any], sizes: Sizes) -> Estimate:
    """How many LM calls a compile takes, as a range. Raises `EngineError` for the parameters."""
    return estimates.estimate(find_compiler(compiler), params, sizes)


def find_compiler(name: str) -> CompilerKind:
    """The compiler of that name, or a `CompileError` that lists the known ones."""
    if name not in COMPILERS:
        raise CompileError(f"There is no compiler “{name}”. Known: {', '.join(COMPILERS)}.")
    return COMPILERS[name]


__all__ = [
    "COMPILERS",
    "PRESETS",
    "CompileResult",
    "CompileTask",
    "CompilerKind",
    "Estimate",
    "Event",
    "Finished",
    "Preset",
    "Sizes",
    "Teacher",
    "calls_per_run",
    "compile_program",
    "estimate",
    "find_compiler",
]
