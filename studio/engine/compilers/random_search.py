"""Random search over demo sets (BootstrapFewShotWithRandomSearch in Khattab et al. 2023).

Unlike the original, all candidates draw from one pool of traces, demos are balanced over the
labels, label scores are calibrated, and no candidate is scored on its own demos.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Situation
from studio.engine.compilers.bootstrap import draw_set, expected_tries, origin_of
from studio.engine.compilers.calibrate import scored_fields
from studio.engine.compilers.demos import with_demos
from studio.engine.compilers.search import Proposal, Search
from studio.engine.compilers.teaching import as_teacher
from studio.engine.compilers.traces import TracePool
from studio.engine.racing import OVERTIME, expected_runs

_VARIETY = 4
"""The pool holds so many times the demos of one candidate, so that draws differ."""


@dataclass(frozen=True, kw_only=True)
class RandomSearchParams:
    """What people may set."""

    candidates: int = shared.candidates(3)
    max_bootstrapped: int = shared.max_bootstrapped()
    max_labeled: int = shared.max_labeled(24)
    rounds: int = shared.rounds()
    metric_threshold: float = shared.metric_threshold()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit(60)


async def random_search(search: Search, params: RandomSearchParams) -> None:
    """Labelled demos; the first bootstrapped ones; then random sets of random sizes; one race.

    Where labels are scored, calibrating alone may do as much as demos: that is in the race, too.
    """
    labelled = search.labelled(params.max_labeled)
    teacher = await as_teacher(search, labelled)
    pool = TracePool(search, teacher, params.metric_threshold)
    await pool.fill(_VARIETY * params.max_bootstrapped, params.rounds)
    proposals = [Proposal(labelled, "labelled demos")]
    if params.calibrate and scored_fields(search.task.program, search.task.runtime):
        bare = with_demos(search.task.program, (), (), search.start)
        proposals.append(Proposal(bare, "no demos"))
    for number in range(params.candidates + 1):
        candidate = draw_set(
            search, pool, number, params.max_bootstrapped, params.max_labeled, name="candidate"
        )
        proposals.append(Proposal(candidate, origin_of(candidate)))
    await search.race(proposals, overtime=True)


def _plan(params: RandomSearchParams, situation: Situation) -> Plan:
    wanted = _VARIETY * params.max_bootstrapped
    tries = expected_tries(wanted, situation.train, params.max_labeled, params.rounds)
    bare = int(params.calibrate and situation.calibrates)
    made = params.candidates + 2 + bare
    spare = max(0, situation.train - (params.calibration_examples if bare else 0))
    extra = min(spare, int(OVERTIME * situation.dev))
    without, with_ = (expected_runs(made + 1, situation.dev, more) for more in (0, extra))
    overtime = (0, with_[1] - without[1], with_[2] - without[2])
    return Plan(races=(made,), traces=tries, runs=overtime)


RANDOM_SEARCH = CompilerKind(
    name="random-search",
    title="Random search",
    sentence="Tries many sets of bootstrapped and labelled demos and keeps the best one.",
    paper="https://arxiv.org/abs/2310.03714",
    params=RandomSearchParams,
    run=random_search,
    plan=_plan,
    presets={
        "light": {"candidates": 2, "dev_limit": 40, "calibration_examples": 20},
        "medium": {"candidates": 6, "dev_limit": 100},
        "thorough": {"candidates": 16, "dev_limit": 300, "max_bootstrapped": 8},
    },
)
