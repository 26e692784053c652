"""Nearest demos: every question is shown the training examples that are most like it.

What Makes Good In-Context Examples for GPT-3?, Liu et al. 2022
(https://arxiv.org/abs/2101.06804); DSPy's KNNFewShot. Unlike there, how many demos a question sees
is searched for, and nothing is asked of an LM to find them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Situation
from studio.engine.compilers.bootstrap import expected_tries
from studio.engine.compilers.calibrate import scored_fields
from studio.engine.compilers.demos import labelled_demo
from studio.engine.compilers.search import Proposal, Search
from studio.engine.compilers.selecting import stratified
from studio.engine.compilers.teaching import as_teacher
from studio.engine.compilers.traces import TracePool
from studio.engine.example import Candidate, Demo, Example

_TEACHER_DEMOS = 16
"""Labelled demos of the program that makes traces."""


@dataclass(frozen=True, kw_only=True)
class KnnParams:
    """What people may set."""

    nearest: int = field(
        default=16,
        metadata={
            "label": "Demos of a question",
            "help": "At most so many demos are shown, those most like the question; half as many, "
            "and half of that, are tried as well.",
            "min": 1,
            "max": 64,
        },
    )
    sizes: int = field(
        default=3,
        metadata={
            "label": "Sizes to try",
            "help": "How many numbers of demos are raced: the largest, half of it, and so on.",
            "min": 1,
            "max": 5,
        },
    )
    max_demos: int = field(
        default=1_000,
        metadata={
            "label": "Demos to choose from",
            "help": "At most so many training examples become demos.",
            "min": 1,
            "max": 5_000,
        },
    )
    max_traces: int = field(
        default=64,
        metadata={
            "label": "Bootstrapped demos to choose from",
            "help": "For steps without labels: at most so many demos made from answers that the "
            "metric liked.",
            "min": 0,
            "max": 1_000,
        },
    )
    rounds: int = shared.rounds()
    metric_threshold: float = shared.metric_threshold()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit()


async def knn(search: Search, params: KnnParams) -> None:
    """One pool of demos; a candidate for each number of them that a question sees; one race."""
    examples = _pool(search, params.max_demos)
    traces = await _traces(search, params)
    demos = _demos(search, examples, traces)
    most = min(params.nearest, max(map(len, demos.values()), default=0))
    if not most:
        return
    sizes = dict.fromkeys(max(1, most >> halved) for halved in range(params.sizes))
    candidates = [_shown(search.start, demos, size) for size in sizes]
    candidates = await _calibrated(search, params, demos, candidates, examples)
    await search.race(
        Proposal(candidate, f"the {size} nearest of {max(map(len, demos.values())):,} demos")
        for size, candidate in zip(sizes, candidates, strict=True)
    )


def _pool(search: Search, most: int) -> list[Example]:
    """The training examples that demos are made from: none that candidates are scored on.

    When too few stand in no other split, up to half of all, so that dev examples are left.
    """
    program, seed = search.task.program, f"{search.task.seed}/knn"
    free = stratified(program, search.parts.train_only, seed)
    known = {example.id for example in free}
    others = [example for example in search.train if example.id not in known]
    few = max(0, (len(search.train) + 1) // 2 - len(free))
    return [*free, *stratified(program, others, seed)[:few]][:most]


async def _traces(search: Search, params: KnnParams) -> Mapping[str, Mapping[str, Demo]]:
    """Demos of the steps that have no labels, by example; nothing is run when all have."""
    program = search.task.program
    if all(_labelled(search, path, search.train) for path in program.predictors):
        return {}
    teacher = await as_teacher(search, search.labelled(_TEACHER_DEMOS))
    pool = TracePool(search, teacher, params.metric_threshold)
    await pool.fill(params.max_traces, params.rounds)
    return pool.passed


def _labelled(search: Search, path: str, examples: Sequence[Example]) -> list[Demo]:
    found = (labelled_demo(search.task.program, path, example) for example in examples)
    return [demo for demo in found if demo is not None]


def _demos(
    search: Search, examples: Sequence[Example], traces: Mapping[str, Mapping[str, Demo]]
) -> dict[str, list[Demo]]:
    """For each predictor its demos: from labels, and only where there are none from traces."""
    shown = [traces[example.id] for example in search.train if example.id in traces]
    return {
        path: _labelled(search, path, examples)
        or [demos[path] for demos in shown if path in demos]
        for path in search.task.program.predictors
    }


def _shown(start: Candidate, demos: Mapping[str, Sequence[Demo]], nearest: int) -> Candidate:
    return Candidate(
        {
            path: replace(state, demos=tuple(demos[path]), calibration={}, nearest=nearest)
            for path, state in start.states.items()
        }
    )


async def _calibrated(
    search: Search,
    params: KnnParams,
    demos: Mapping[str, Sequence[Demo]],
    candidates: Sequence[Candidate],
    examples: Sequence[Example],
) -> list[Candidate]:
    """The candidates with the biases that they have without a few of their demos.

    Those few are what the biases are fitted on: no example is lost for the demos, and none is
    scored with itself in sight. With many labels a few examples say nothing of most of them. Where
    examples are left that are no demos, the race fits the biases on those.
    """
    program = search.task.program
    fields = scored_fields(program, search.task.runtime)
    labels = max(
        (
            len(program.predictors[path][name].type.labels)
            for path in fields
            for name in fields[path]
        ),
        default=0,
    )
    count = min(params.calibration_examples, len(examples) // 2)
    spare = len(search.parts.train_only) > len(examples)
    if not labels or not params.calibrate or count < 2 * labels or spare:
        return list(candidates)
    order = stratified(program, examples, f"{search.task.seed}/calibration")
    away = {example.id for example in order[:count]}
    left = {
        path: [demo for demo in shown if demo.source not in away] for path, shown in demos.items()
    }
    sizes = [next(iter(candidate.states.values())).nearest for candidate in candidates]
    fitted = await search.calibrate([_shown(search.start, left, size) for size in sizes])
    return [
        Candidate(
            {
                path: replace(state, calibration=known.states[path].calibration)
                for path, state in candidate.states.items()
            }
        )
        for candidate, (known, _) in zip(candidates, fitted, strict=True)
    ]


def _plan(params: KnnParams, situation: Situation) -> Plan:
    sizes = min(params.sizes, params.nearest.bit_length())
    tries = (0, 0, 0)
    if situation.predictors > 1:
        wanted, train = min(params.max_traces, situation.train), situation.train
        tries = expected_tries(wanted, train, _TEACHER_DEMOS, params.rounds)
    return Plan(races=(sizes,), traces=tries)


KNN = CompilerKind(
    name="knn",
    title="Nearest demos",
    sentence="Shows every question the training examples that are most like it. Good for many "
    "labels and much data.",
    paper="https://arxiv.org/abs/2101.06804",
    params=KnnParams,
    run=knn,
    plan=_plan,
    presets={
        "light": {"nearest": 8, "sizes": 2, "max_traces": 32, "dev_limit": 60},
        "medium": {},
        "thorough": {"nearest": 32, "sizes": 4, "max_demos": 3_000, "max_traces": 200},
    },
)
