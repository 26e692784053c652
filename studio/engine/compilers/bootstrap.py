"""Bootstrap few-shot: the program's own good answers become its demos (Khattab et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Range, Situation
from studio.engine.compilers.demos import with_demos
from studio.engine.compilers.search import Proposal, Search
from studio.engine.compilers.selecting import balanced
from studio.engine.compilers.teaching import as_teacher
from studio.engine.compilers.traces import TracePool
from studio.engine.evaluation import BLOCK
from studio.engine.example import Candidate, Example


@dataclass(frozen=True, kw_only=True)
class BootstrapParams:
    """What people may set."""

    max_bootstrapped: int = shared.max_bootstrapped()
    max_labeled: int = shared.max_labeled()
    rounds: int = shared.rounds()
    metric_threshold: float = shared.metric_threshold()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit()


async def bootstrap(search: Search, params: BootstrapParams) -> None:
    """The teacher is the program with labelled demos; what it gets right become demos."""
    teacher = await as_teacher(search, search.labelled(params.max_labeled))
    pool = TracePool(search, teacher, params.metric_threshold)
    await pool.fill(params.max_bootstrapped, params.rounds)
    candidate = draw(search, pool, search.train, params.max_bootstrapped, params.max_labeled)
    await search.race([Proposal(candidate, origin_of(candidate))])


def draw(
    search: Search, pool: TracePool, order: Sequence[Example], bootstrapped: int, labelled: int
) -> Candidate:
    """The first demos in `order`, so that every label stands about equally often.

    Up to `bootstrapped` from the pool, and up to `labelled` others from labels.
    """
    program = search.task.program
    passed = [example for example in order if example.id in pool.passed]
    shown = balanced(program, passed, bootstrapped)
    others = balanced(program, order, labelled, have=shown)
    # Demos must leave training examples over, or nothing would be left to calibrate on.
    others = others[: max(0, (len(search.train) + 1) // 2 - len(shown))]
    traces = [pool.passed[example.id] for example in shown]
    return with_demos(program, others, traces, search.start)


def draw_set(
    search: Search, pool: TracePool, number: int, bootstrapped: int, labelled: int, *, name: str
) -> Candidate:
    """The demo set of that number: the first in the dataset's order and as large as allowed.

    All others are of random sizes in a random order; `name` is that of the chances.
    """
    order = list(search.train)
    if number:
        rng = search.random(name, number)
        rng.shuffle(order)
        bootstrapped = rng.randint(min(1, bootstrapped), bootstrapped)
        # The original always fills up with labelled demos; half of that is the least here.
        labelled = rng.randint((labelled + 1) // 2, labelled)
    return draw(search, pool, order, bootstrapped, labelled)


def origin_of(candidate: Candidate) -> str:
    """How many demos of which kind, in words; of several predictors, those of the fullest."""
    counts = [
        (sum(demo.bootstrapped for demo in state.demos), len(state.demos))
        for state in candidate.states.values()
    ]
    bootstrapped = max(count for count, _ in counts)
    labelled = max(total - count for count, total in counts)
    return f"{bootstrapped} bootstrapped and {labelled} labelled demos"


def expected_tries(wanted: int, train: int, labelled: int, rounds: int) -> Range:
    """Runs that filling a pool takes: lowest, expected (two of three pass), highest.

    The teacher is not tried on its own `labelled` demos, which are half of `train` at most.
    """
    if not wanted:
        return 0, 0, 0
    there = train - min(labelled, (train + 1) // 2)
    likely = wanted * 3 // 2
    lowest, expected = (min(there, -(-runs // BLOCK) * BLOCK) for runs in (wanted, likely))
    return lowest, expected, there * rounds


def _plan(params: BootstrapParams, situation: Situation) -> Plan:
    tries = expected_tries(
        params.max_bootstrapped, situation.train, params.max_labeled, params.rounds
    )
    return Plan(races=(1,), calibrations=2, traces=tries)


BOOTSTRAP = CompilerKind(
    name="bootstrap",
    title="Bootstrap",
    sentence="Runs the program on training examples and shows the answers that the metric liked "
    "as demos, step by step.",
    paper="https://arxiv.org/abs/2310.03714",
    params=BootstrapParams,
    run=bootstrap,
    plan=_plan,
    presets={
        "light": {"max_bootstrapped": 4, "max_labeled": 8, "calibration_examples": 20},
        "medium": {},
        "thorough": {"max_bootstrapped": 8, "max_labeled": 24, "rounds": 2},
    },
)
