"""Running candidates and asking LMs for a compiler: stored, counted, told, in a fixed order."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.codec import content_hash
from studio.engine.compilers.base import CompileTask
from studio.engine.compilers.events import Asked, ExampleScored
from studio.engine.compilers.near import NearDuplicates
from studio.engine.compilers.telling import Tell
from studio.engine.evaluation import (
    FIRST,
    Answered,
    Scored,
    attempt,
    check_system,
    in_order,
    score_one,
)
from studio.engine.example import Candidate, Example
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature

LONGEST_PROPOSAL = 1_024
"""Tokens of one answer of the proposer …"""
LONGEST_CONTINUATION = 256
"""… or of one that only continues text, and has little room for its context."""
_LONGEST_TEXT = 20_000
"""Characters of one output of it that are kept."""
_ROLLOUTS = 1_000
"""More than any compiler asks for of one question."""

Run = tuple[int, Candidate, Example]
"""A candidate's number, the candidate, and what it is to be run on."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a compiler asks an LM so as to know how to go on."""

    signature: Signature
    inputs: Mapping[str, Any]
    purpose: str
    """What for, in words."""
    path: str = ""
    """The predictor that it is about; empty: the whole program."""
    role: str = "proposer"
    """`proposer`, `teacher` or `student`: which LM is asked."""
    rollout: int = 0
    """Another number asks for another answer to the same question."""
    temperature: float = 1.0

    @property
    def key(self) -> str:
        """Equal for equal questions."""
        signature, inputs = self.signature.to_dict(), dict(self.inputs)
        return content_hash([self.role, signature, inputs, self.rollout, self.temperature])


class Runner:
    """Everything that a compiler has done by LMs.

    What the ledger knows is not done again; the order of what is told does not depend on which
    call was the faster one.
    """

    def __init__(self, task: CompileTask, train: Sequence[Example], tell: Tell) -> None:
        self.task = task
        self.train = train
        self.near = NearDuplicates(task.program, train)
        self.tell = tell
        self.calls = 0
        """LM calls that the results so far took."""
        self.stage = 0
        """Which of several compilers in a row is at work; each has its own chances and answers."""
        self._counted: set[Hashable] = set()
        self._programs: dict[str, Program] = {}
        self._first: list[Scored] | None = []

    def random(self, *name: object) -> random.Random:
        """Chances that depend on the compile's seed and the name alone."""
        stage = (f"stage {self.stage}",) if self.stage else ()
        return random.Random("/".join(map(str, (self.task.seed, *stage, *name))))

    def not_own(self, candidate: Candidate, examples: Sequence[Example]) -> list[Example]:
        """The examples that a candidate may be scored on: none that its demos give away."""
        return self.near.not_own(candidate, examples)

    async def run(
        self, candidate: Candidate, examples: Sequence[Example], number: int = 0
    ) -> list[tuple[Example, Scored]]:
        """The candidate's results on training examples, in their order: a mini-batch.

        Never on its own: what its demos give away is left out.
        """
        runs = [(number, candidate, example) for example in self.not_own(candidate, examples)]
        async with aclosing(self.results(runs, "train")) as results:
            return [(example, scored) async for (_, _, example), scored in results]

    async def results(
        self, runs: Sequence[Run], part: str
    ) -> AsyncGenerator[tuple[Run, Scored], None]:
        """Run all of them side by side; results in their order, each told and counted.

        Raises what `evaluate` raises; what was in flight is stored all the same.
        """
        task = self.task

        async def score(run: Run) -> tuple[Run, Scored]:
            _, candidate, example = run
            program = self.program(candidate)
            scored = await score_one(
                program, candidate.hash, example, task.metric, task.runtime, task.ledger
            )
            return run, scored

        # The first few alone: when all of them fail, the rest is not paid for.
        alone = FIRST - len(self._first) if self._first is not None else 0
        found = in_order(runs, score, concurrency=task.concurrency, block=len(runs), first=alone)
        async with aclosing(found) as results:
            async for run, scored in results:
                number, candidate, example = run
                self.count((candidate.hash, example.id), scored.calls)
                await self.tell(
                    ExampleScored(
                        number=number,
                        candidate=candidate.hash,
                        part=part,
                        example=example.id,
                        value=scored.score.value,
                        reason=scored.score.reason,
                    )
                )
                self._check(scored)
                yield run, scored
        if self._first:
            check_system(self._first)

    async def ask(self, questions: Sequence[Question]) -> list[Mapping[str, Any]]:
        """The answers, in the order of the questions; empty where one cannot be read.

        Equal questions are one, and are asked once in a compile, also over restarts: for another
        answer, give another `rollout`.
        """
        questions = [
            replace(question, rollout=question.rollout + _ROLLOUTS * self.stage)
            for question in questions
        ]
        unique = {question.key: question for question in questions}
        answers: dict[str, Answered] = {}
        found = in_order(
            unique.values(), self._answer, concurrency=self.task.concurrency, block=len(unique)
        )
        async with aclosing(found) as results:
            async for question, answered in results:
                answers[question.key] = answered
                self.count(question.key, answered.calls)
                await self.tell(
                    Asked(
                        role=question.role,
                        purpose=question.purpose,
                        path=question.path,
                        answer=answered.values,
                        problem=answered.problem,
                    )
                )
        return [answers[question.key].values for question in questions]

    def program(self, candidate: Candidate) -> Program:
        """The program as the candidate sets it."""
        found = self._programs.get(candidate.hash)
        if found is None:
            found = self._programs[candidate.hash] = self.task.program.apply(candidate)
        return found

    def count(self, key: Hashable, calls: int) -> None:
        """Add the calls of one result, once."""
        if key not in self._counted:
            self._counted.add(key)
            self.calls += calls

    async def _answer(self, question: Question) -> tuple[Question, Answered]:
        ledger = self.task.ledger
        answered = await ledger.get_answer(question.key)
        if answered is None:
            params = PredictParams(temperature=question.temperature)
            asker = Program.of(Predict.of(question.signature, params), question.role)
            # No step of the program asks here, so none of its own LMs answers.
            runtime = replace(self._runtime(question.role), lms={})
            continues = runtime.format_for(runtime.lm_for(question.role)).continues
            longest = LONGEST_CONTINUATION if continues else LONGEST_PROPOSAL
            runtime = replace(runtime, rollout=question.rollout, max_tokens=longest)
            prediction, problem, calls = await attempt(asker, question.inputs, runtime)
            values = {
                name: value[:_LONGEST_TEXT] if isinstance(value, str) else value
                for name, value in prediction.values.items()
            }
            answered = Answered(values, problem, calls)
            await ledger.put_answer(question.key, question.role, answered)
        return question, answered

    def _runtime(self, role: str) -> Runtime:
        task = self.task
        if role == "proposer" and task.proposer is not None:
            return task.proposer
        if role == "teacher" and task.teacher is not None:
            return task.teacher.runtime
        return task.runtime

    def _check(self, scored: Scored) -> None:
        """Whether the first results of the compile all failed, through no fault of the program."""
        if self._first is not None:
            self._first.append(scored)
            if len(self._first) == FIRST:
                check_system(self._first)
                self._first = None
