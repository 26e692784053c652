"""The trace pool: what a teacher got right, for all candidates to draw demos from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.engine.compilers.demos import bootstrapped_demos
from studio.engine.compilers.events import TraceTried
from studio.engine.compilers.selecting import stratified
from studio.engine.compilers.teaching import Teaching
from studio.engine.evaluation import (
    BLOCK,
    FIRST,
    Scored,
    Traced,
    attempt,
    check_system,
    in_order,
    judge_or_reason,
)
from studio.engine.example import Candidate, Demo, Example
from studio.engine.metrics.base import Score
from studio.engine.trace import Prediction

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search

_WARM = 1.0
"""The temperature of the second round and later ones: another try must be able to differ."""


class TracePool:
    """Each (teacher, training example, round) is tried at most once, and never on its own demos.

    The teacher is the program set as `candidate` says, unless the compile's task names another.

    Examples are tried in blocks, several at a time; after each block it is decided whether to go
    on, so that the pool holds the same whichever call was the faster one.
    """

    def __init__(self, search: Search, candidate: Candidate, threshold: float) -> None:
        self.passed: dict[str, Mapping[str, Demo]] = {}
        """By example id: a demo for each predictor."""
        self._search = search
        self._teaching = Teaching.of(search.task, candidate)
        self._threshold = threshold
        self._tried = 0
        self._first: list[Scored] | None = []
        if self._teaching.note and self._teaching.note not in search.notes:
            search.notes.append(self._teaching.note)

    def examples(self) -> list[Example]:
        """The training examples that the teacher got right, in the dataset's order."""
        return [example for example in self._search.train if example.id in self.passed]

    async def fill(self, wanted: int, rounds: int = 1) -> None:
        """Try training examples until `wanted` have passed, or all were tried `rounds` times.

        Nothing is tried with a teacher that has no step in common with the program. Raises
        `MetricError` or `LMError` in words when the first few all fail through no fault of theirs.
        """
        task, teaching = self._search.task, self._teaching
        if not teaching.paths:
            return
        examples = self._search.not_own(teaching.candidate, self._search.train)
        for round_ in range(rounds):
            order = stratified(task.program, examples, f"{task.seed}/traces/{round_}")
            left = [example for example in order if example.id not in self.passed]
            while left and len(self.passed) < wanted:
                block, left = left[:BLOCK], left[BLOCK:]
                await self._try(block, round_, wanted)

    async def _try(self, examples: Sequence[Example], round_: int, wanted: int) -> None:
        task, teaching = self._search.task, self._teaching
        runtime = teaching.runtime
        if round_:
            runtime = replace(runtime, rollout=round_, temperature=_WARM)

        async def trace(example: Example) -> tuple[Example, Traced]:
            known = await task.ledger.get_trace(teaching.key, example.id, round_)
            if known is None:
                prediction, problem, calls = await attempt(
                    teaching.program, example.values, runtime
                )
                if problem:
                    known = Traced(False, problem, (), calls)
                else:
                    score = await judge_or_reason(task.metric, example, prediction)
                    passed = score.passes(self._threshold)
                    known = Traced(passed, score.reason, prediction.steps, calls)
                await task.ledger.put_trace(teaching.key, example.id, round_, known)
            return example, known

        async with aclosing(in_order(examples, trace, concurrency=task.concurrency)) as results:
            async for example, traced in results:
                self._tried += 1
                self._search.count((teaching.key, example.id, round_), traced.calls)
                if traced.passed:
                    steps = teaching.steps(traced.steps)
                    self.passed[example.id] = bootstrapped_demos(steps, example, traced.reason)
                await self._search.tell(
                    TraceTried(
                        teacher=teaching.key,
                        example=example.id,
                        round=round_,
                        passed=traced.passed,
                        reason=traced.reason,
                        tried=self._tried,
                        found=len(self.passed),
                        wanted=wanted,
                    )
                )
                self._check(traced)

    def _check(self, traced: Traced) -> None:
        """Whether the teacher's first tries all failed, through no fault of the program."""
        if self._first is not None:
            score = Score(1.0 if traced.passed else 0.0, traced.reason)
            self._first.append(Scored(score, Prediction({}), traced.calls))
            if len(self._first) == FIRST:
                check_system(self._first)
                self._first = None
