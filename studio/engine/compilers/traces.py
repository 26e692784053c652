"""The trace pool: what a teacher got right, for all candidates to draw demos from."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.engine.compilers.demos import bootstrapped_demos
from studio.engine.compilers.events import TraceTried
from studio.engine.compilers.selecting import own_keys, stratified, without
from studio.engine.evaluation import BLOCK, Traced, attempt, in_order, judge_or_reason
from studio.engine.example import Candidate, Demo, Example

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search

_WARM = 1.0
"""The temperature of the second round and later ones: another try must be able to differ."""


class TracePool:
    """Each (teacher, training example, round) is tried at most once, and never on its own demos.

    Examples are tried in blocks, several at a time; after each block it is decided whether to go
    on, so that the pool holds the same whichever call was the faster one.
    """

    def __init__(self, search: Search, teacher: Candidate, threshold: float) -> None:
        self.passed: dict[str, Mapping[str, Demo]] = {}
        """By example id: a demo for each predictor."""
        self._search = search
        self._teacher = teacher
        self._threshold = threshold
        self._tried = 0

    def examples(self) -> list[Example]:
        """The training examples that the teacher got right, in the dataset's order."""
        return [example for example in self._search.train if example.id in self.passed]

    async def fill(self, wanted: int, rounds: int = 1) -> AsyncGenerator[TraceTried, None]:
        """Try training examples until `wanted` have passed, or all were tried `rounds` times."""
        task = self._search.task
        own = own_keys(task.program, self._teacher, self._search.train)
        examples = without(task.program, self._search.train, own)
        for round_ in range(rounds):
            order = stratified(task.program, examples, f"{task.seed}/traces/{round_}")
            left = [example for example in order if example.id not in self.passed]
            while left and len(self.passed) < wanted:
                block, left = left[:BLOCK], left[BLOCK:]
                async with aclosing(self._try(block, round_, wanted)) as events:
                    async for event in events:
                        yield event

    async def _try(
        self, examples: Sequence[Example], round_: int, wanted: int
    ) -> AsyncGenerator[TraceTried, None]:
        task, teacher = self._search.task, self._teacher
        program = task.program.apply(teacher)
        runtime = task.runtime
        if round_:
            runtime = replace(runtime, rollout=round_, temperature=_WARM)

        async def trace(example: Example) -> tuple[Example, Traced]:
            known = await task.ledger.get_trace(teacher.hash, example.id, round_)
            if known is None:
                prediction, problem, calls = await attempt(program, example.values, runtime)
                if problem:
                    known = Traced(False, problem, (), calls)
                else:
                    score = await judge_or_reason(task.metric, example, prediction)
                    passed = score.passes(self._threshold)
                    known = Traced(passed, score.reason, prediction.steps, calls)
                await task.ledger.put_trace(teacher.hash, example.id, round_, known)
            return example, known

        async with aclosing(in_order(examples, trace, concurrency=task.concurrency)) as results:
            async for example, traced in results:
                self._tried += 1
                self._search.count((teacher.hash, example.id, round_), traced.calls)
                if traced.passed:
                    demos = bootstrapped_demos(traced.steps, example, traced.reason)
                    self.passed[example.id] = demos
                yield TraceTried(
                    teacher=teacher.hash,
                    example=example.id,
                    round=round_,
                    passed=traced.passed,
                    reason=traced.reason,
                    tried=self._tried,
                    found=len(self.passed),
                    wanted=wanted,
                )
