"""The trace pool: what a teacher got right, for all candidates to draw demos from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.engine.compilers.base import Teacher
from studio.engine.compilers.demos import bootstrapped_demos
from studio.engine.compilers.events import TraceTried
from studio.engine.compilers.selecting import stratified
from studio.engine.evaluation import BLOCK, Traced, attempt, in_order, judge_or_reason
from studio.engine.example import Candidate, Demo, Example

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
        task = search.task
        named = task.teacher or Teacher(runtime=task.runtime)
        self._search = search
        self._program = named.program or task.program
        given = named.candidate or (self._program.candidate() if named.program else None)
        self._candidate = given or candidate
        self._teacher = self._candidate.hash
        self._runtime = named.runtime
        self._threshold = threshold
        self._tried = 0

    def examples(self) -> list[Example]:
        """The training examples that the teacher got right, in the dataset's order."""
        return [example for example in self._search.train if example.id in self.passed]

    async def fill(self, wanted: int, rounds: int = 1) -> None:
        """Try training examples until `wanted` have passed, or all were tried `rounds` times."""
        task = self._search.task
        examples = self._search.not_own(self._candidate, self._search.train)
        for round_ in range(rounds):
            order = stratified(task.program, examples, f"{task.seed}/traces/{round_}")
            left = [example for example in order if example.id not in self.passed]
            while left and len(self.passed) < wanted:
                block, left = left[:BLOCK], left[BLOCK:]
                await self._try(block, round_, wanted)

    async def _try(self, examples: Sequence[Example], round_: int, wanted: int) -> None:
        task, teacher = self._search.task, self._teacher
        program, runtime = self._program.apply(self._candidate), self._runtime
        if round_:
            runtime = replace(runtime, rollout=round_, temperature=_WARM)

        async def trace(example: Example) -> tuple[Example, Traced]:
            known = await task.ledger.get_trace(teacher, example.id, round_)
            if known is None:
                prediction, problem, calls = await attempt(program, example.values, runtime)
                if problem:
                    known = Traced(False, problem, (), calls)
                else:
                    score = await judge_or_reason(task.metric, example, prediction)
                    passed = score.passes(self._threshold)
                    known = Traced(passed, score.reason, prediction.steps, calls)
                await task.ledger.put_trace(teacher, example.id, round_, known)
            return example, known

        async with aclosing(in_order(examples, trace, concurrency=task.concurrency)) as results:
            async for example, traced in results:
                self._tried += 1
                self._search.count((teacher, example.id, round_), traced.calls)
                if traced.passed:
                    demos = bootstrapped_demos(traced.steps, example, traced.reason)
                    self.passed[example.id] = demos
                await self._search.tell(
                    TraceTried(
                        teacher=teacher,
                        example=example.id,
                        round=round_,
                        passed=traced.passed,
                        reason=traced.reason,
                        tried=self._tried,
                        found=len(self.passed),
                        wanted=wanted,
                    )
                )
