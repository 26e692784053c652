"""Run a candidate over examples and judge its answers; what is known already is not run again."""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol, TypeVar

from studio.engine.errors import (
    ConstraintBroken,
    EngineError,
    InputError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMRefused,
    MetricError,
    ParseError,
    SandboxError,
    ToolError,
)
from studio.engine.example import Candidate, Example
from studio.engine.metrics.base import Metric, Score, judge
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.side_by_side import side_by_side
from studio.engine.tally import Tally
from studio.engine.trace import Prediction, Step

S = TypeVar("S")
T = TypeVar("T")

BLOCK = 16
"""Examples that are run together. Decisions fall between blocks, so that they do not depend on
which call was the faster one."""

FIRST = 5
"""If all of the first few fail in the same way, the system is broken and not the examples."""

_THE_EXAMPLES_FAULT = (
    ConstraintBroken,
    InputError,
    LMRefused,
    ParseError,
    SandboxError,
    ToolError,
)
_METRIC_FAILED = "the metric failed: "
_CALL_FAILED = "the LM call failed: "
_NO_ANSWER = "no answer: "


@dataclass(frozen=True, slots=True)
class Scored:
    """What the metric said of one candidate on one example."""

    score: Score
    prediction: Prediction
    """Empty when the program gave no answer."""
    calls: int = 0
    """LM calls that it took; answers from the cache do not count."""
    seconds: float = field(default=0.0, compare=False)
    """How long the program took to answer."""
    cost: float = field(default=0.0, compare=False)
    """US dollars that its calls took, where the LM has a price."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What a teacher did on one training example."""

    passed: bool
    reason: str
    steps: tuple[Step, ...] = ()
    calls: int = 0
    """LM calls that it took; answers from the cache do not count."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an LM said when a compiler asked it how to go on."""

    values: Mapping[str, Any]
    """The outputs that it was asked for; empty when its answer could not be read."""
    problem: str = ""
    """Why there are none."""
    calls: int = 0
    """LM calls that it took; answers from the cache do not count."""


class Scores(Protocol):
    """Remembers scores, so that none is paid for twice."""

    async def get_score(self, candidate_hash: str, example_id: str) -> Scored | None:
        """The result of this candidate on this example, if there is one."""

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        """Remember it."""


class Ledger(Scores, Protocol):
    """Remembers every result, so that nothing is paid for twice."""

    async def get_trace(self, teacher_hash: str, example_id: str, round: int) -> Traced | None:
        """What this teacher did on this example in this round, if it tried."""

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        """Remember it."""

    async def get_answer(self, key: str) -> Answered | None:
        """What was answered to the question that `key` is the hash of, if it was asked."""

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        """Remember it; `role` says which LM was asked, such as `proposer`."""


@dataclass
class MemoryLedger:
    """A ledger that lasts as long as the process."""

    scores: dict[tuple[str, str], Scored] = field(default_factory=dict)
    traces: dict[tuple[str, str, int], Traced] = field(default_factory=dict)
    answers: dict[str, Answered] = field(default_factory=dict)

    async def get_score(self, candidate_hash: str, example_id: str) -> Scored | None:
        """See `Ledger.get_score`."""
        return self.scores.get((candidate_hash, example_id))

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        """See `Ledger.put_score`."""
        self.scores[candidate_hash, example_id] = scored

    async def get_trace(self, teacher_hash: str, example_id: str, round: int) -> Traced | None:
        """See `Ledger.get_trace`."""
        return self.traces.get((teacher_hash, example_id, round))

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        """See `Ledger.put_trace`."""
        self.traces[teacher_hash, example_id, round] = traced

    async def get_answer(self, key: str) -> Answered | None:
        """See `Ledger.get_answer`."""
        return self.answers.get(key)

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        """See `Ledger.put_answer`."""
        self.answers[key] = answered


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of one candidate on a list of examples, in their order."""

    results: tuple[tuple[Example, Scored], ...]

    @property
    def values(self) -> dict[str, float]:
        """Score by example id; unscored examples are left out."""
        return {
            example.id: scored.score.value
            for example, scored in self.results
            if scored.score.value is not None
        }

    @property
    def mean(self) -> float | None:
        """The mean score; None when nothing was scored."""
        values = self.values
        return sum(values.values()) / len(values) if values else None


async def evaluate(
    program: Program,
    candidate: Candidate,
    examples: Iterable[Example],
    metric: Metric,
    runtime: Runtime,
    ledger: Scores,
    *,
    concurrency: int = 16,
    block: int = BLOCK,
) -> AsyncGenerator[tuple[Example, Scored], None]:
    """The results of `candidate` on `examples`, in their order.

    Examples are taken a block at a time, so that a stream of them may be as long as one likes;
    whoever decides nothing between blocks may take larger ones. An
    example that the program cannot answer scores 0, with the reason; one on which the metric
    raises is unscored. Raises `MetricError` or the `LMError` in words when that is so for each of
    the first examples; and `BudgetSpent`, `LMAuthError`, `LMUnavailable` and other failures of the
    whole system at once, after everything in flight has been stored.
    """
    ready = program.apply(candidate)

    async def score(example: Example) -> tuple[Example, Scored]:
        return example, await score_one(ready, candidate.hash, example, metric, runtime, ledger)

    first: list[Scored] | None = []
    work = in_order(examples, score, concurrency=concurrency, block=block)
    async with aclosing(work) as results:
        async for example, scored in results:
            yield example, scored
            if first is not None:
                first.append(scored)
                if len(first) == FIRST:
                    check_system(first)
                    first = None
    if first:
        check_system(first)


async def evaluate_all(
    program: Program,
    candidate: Candidate,
    examples: Sequence[Example],
    metric: Metric,
    runtime: Runtime,
    ledger: Ledger,
    *,
    concurrency: int = 16,
) -> Evaluation:
    """`evaluate`, all at once; equal examples are one."""
    unique = {example.id: example for example in examples}.values()
    results = evaluate(
        program, candidate, unique, metric, runtime, ledger, concurrency=concurrency
    )
    return Evaluation(tuple([result async for result in results]))


async def score_one(
    program: Program,
    candidate_hash: str,
    example: Example,
    metric: Metric,
    runtime: Runtime,
    ledger: Scores,
) -> Scored:
    """The result of `program`, which is set as the candidate says, on one example.

    It comes from the ledger or goes into it. Raises what `evaluate` raises at once.
    """
    known = await ledger.get_score(candidate_hash, example.id)
    if known is None:
        begun, tally = time.perf_counter(), Tally()
        prediction, problem, calls = await attempt(program, example.values, runtime, tally)
        took = time.perf_counter() - begun
        if problem:
            score = Score(0.0, problem)
        else:
            score = await judge_or_reason(metric, example, prediction)
        known = Scored(score, prediction, calls, took, tally.cost)
        await ledger.put_score(candidate_hash, example.id, known)
    return known


async def attempt(
    program: Program, inputs: Mapping[str, Any], runtime: Runtime, tally: Tally | None = None
) -> tuple[Prediction, str, int]:
    """Run the program once: its prediction, why there is none, and the LM calls it took.

    What only this one set of inputs is to blame for becomes a reason; all else is raised. A
    `tally` counts what it takes.
    """
    tally = tally or Tally()
    counted = replace(
        runtime,
        lm=tally.around(runtime.lm),
        lms={path: tally.around(lm) for path, lm in runtime.lms.items()},
    )
    try:
        prediction = await program(inputs, counted)
    except _THE_EXAMPLES_FAULT as error:
        return Prediction({}), f"{_NO_ANSWER}{error}", tally.calls
    except (LMInvalidRequest, LMBadAnswer) as error:
        return Prediction({}), f"{_CALL_FAILED}{error}", tally.calls
    return prediction, "", tally.calls


async def judge_or_reason(metric: Metric, example: Example, prediction: Prediction) -> Score:
    """The metric's score; unscored when it raises on this example."""
    try:
        return await judge(metric, example, prediction)
    except MetricError as error:
        return Score.unscored(f"{_METRIC_FAILED}{error}")


async def in_order(
    items: Iterable[S],
    work: Callable[[S], Awaitable[T]],
    *,
    concurrency: int,
    block: int = BLOCK,
    first: int = 0,
) -> AsyncGenerator[T, None]:
    """`work` on every item, several at a time; results in the order of the items.

    `block` items are taken and worked on together, before them `first` on their own; results
    come when all of them are through.
    When one raises an `EngineError`, no other is started, those in flight end, and the first
    failure (in the order of the items) is raised after the results that stand before it.
    """
    left = iter(items)
    size = first or block
    while taken := list(islice(left, max(1, size))):
        size = block
        for outcome in await _settle(taken, work, concurrency):
            if isinstance(outcome, EngineError):
                raise outcome
            yield outcome


async def _settle(
    items: Sequence[S], work: Callable[[S], Awaitable[T]], concurrency: int
) -> list[T | EngineError]:
    """Results in order; up to the first failure there is no gap."""
    outcomes: dict[int, T | EngineError] = {}
    waiting = iter(enumerate(items))
    failed = False

    async def worker() -> None:
        nonlocal failed
        while not failed:
            index, item = next(waiting, (-1, None))
            if item is None:
                return
            try:
                outcomes[index] = await work(item)
            except EngineError as error:
                outcomes[index] = error
                failed = True

    async with side_by_side() as group:
        for _ in range(max(1, min(concurrency, len(items)))):
            group.create_task(worker())
    return [outcomes[index] for index in sorted(outcomes)]


def check_system(first: Sequence[Scored]) -> None:
    """Raise when every one of the first results failed through no fault of the program."""
    reasons = [scored.score.reason for scored in first]
    for mark, kind in ((_METRIC_FAILED, MetricError), (_CALL_FAILED, LMError)):
        if all(reason.startswith(mark) for reason in reasons):
            raise kind(
                f"It failed on each of the first {len(reasons)} examples: "
                f"{reasons[0].removeprefix(mark)}"
            )
