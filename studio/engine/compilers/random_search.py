"""Random search over demo sets (BootstrapFewShotWithRandomSearch in Khattab et al. 2023).

Unlike the original, all candidates draw from one pool of traces, demos are balanced over the
labels, label scores are calibrated, and no candidate is scored on its own demos.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan
from studio.engine.compilers.bootstrap import draw, expected_tries, origin_of
from studio.engine.compilers.events import Event
from studio.engine.compilers.search import Search
from studio.engine.compilers.traces import TracePool

_VARIETY = 4
"""The pool holds so many times the demos of one candidate, so that draws differ."""


@dataclass(frozen=True, kw_only=True)
class RandomSearchParams:
    """What people may set."""

    candidates: int = shared.candidates(3)
    max_bootstrapped: int = shared.max_bootstrapped()
    max_labeled: int = shared.max_labeled()
    rounds: int = shared.rounds()
    metric_threshold: float = shared.metric_threshold()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit(60)


async def random_search(search: Search, params: RandomSearchParams) -> AsyncGenerator[Event, None]:
    """Labelled demos; the first bootstrapped ones; then random sets of random sizes."""
    first = search.labelled(params.max_labeled)
    async with aclosing(search.consider(first, "labelled demos")) as events:
        async for event in events:
            yield event
    pool = TracePool(search, search.last, params.metric_threshold)
    async with aclosing(pool.fill(_VARIETY * params.max_bootstrapped, params.rounds)) as tries:
        async for tried in tries:
            yield tried
    for number in range(params.candidates + 1):
        order = list(search.train)
        bootstrapped, labelled = params.max_bootstrapped, params.max_labeled
        if number:
            rng = random.Random(f"{search.task.seed}/candidate/{number}")
            rng.shuffle(order)
            bootstrapped = rng.randint(min(1, bootstrapped), bootstrapped)
            # The original always fills up with labelled demos; half of that is the least here.
            labelled = rng.randint((labelled + 1) // 2, labelled)
        candidate = draw(search, pool, order, bootstrapped, labelled)
        async with aclosing(search.consider(candidate, origin_of(candidate))) as events:
            async for event in events:
                yield event


def _plan(params: RandomSearchParams, train: int) -> Plan:
    wanted = _VARIETY * params.max_bootstrapped
    tries = expected_tries(wanted, train, params.max_labeled, params.rounds)
    return Plan(params.candidates + 2, params.candidates + 2, tries)


RANDOM_SEARCH = CompilerKind(
    name="random-search",
    title="Random search",
    sentence="Tries many sets of bootstrapped and labelled demos and keeps the best one.",
    paper="https://arxiv.org/abs/2310.03714",
    params=RandomSearchParams,
    run=random_search,
    plan=_plan,
)
