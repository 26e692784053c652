"""What all compilers share: score candidates side by side on dev, keep the best, confirm it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from studio.engine.compilers.base import CompileTask, SearchParams
from studio.engine.compilers.calibrate import calibrated, scored_fields
from studio.engine.compilers.demos import with_demos
from studio.engine.compilers.events import CandidateMade, CandidateScored, Event, ExampleScored
from studio.engine.compilers.selecting import (
    balanced,
    inputs_key,
    own_keys,
    stratified,
    unique,
    without,
)
from studio.engine.errors import CompileError
from studio.engine.evaluation import BLOCK, Scored, evaluate
from studio.engine.example import Candidate, Example


@dataclass(frozen=True)
class Standing:
    """A candidate with its scores on dev."""

    number: int
    origin: str
    candidate: Candidate
    values: dict[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """The mean score; None when nothing was scored."""
        return sum(self.values.values()) / len(self.values) if self.values else None

    def lead(self, other: Standing) -> float:
        """The sum of the differences over the examples that both were scored on."""
        return sum(
            value - other.values[key] for key, value in self.values.items() if key in other.values
        )


class Search:
    """One compile: its data in order, its candidates, the best so far."""

    def __init__(self, task: CompileTask, params: SearchParams) -> None:
        self.task = task
        self.params = params
        self.notes: list[str] = []
        self.train, self.dev, self.test = self._split()
        self.baseline = Standing(0, "uncompiled", task.program.candidate())
        self.best: Standing | None = None
        """None until the uncompiled program is scored."""
        self.last: Candidate = self.baseline.candidate
        """The candidate considered last, as it was scored."""
        self.made = 0
        self.scored = 0
        """Candidates that are through with dev."""
        self.calls = 0
        self._seen: set[str] = set()
        self._counted: set[Hashable] = set()

    def labelled(self, count: int) -> Candidate:
        """The candidate with up to `count` labelled demos, balanced, and no others.

        Half of the training examples are left for bootstrapping and calibration.
        """
        order = stratified(self.task.program, self.train, f"{self.task.seed}/labelled")
        count = min(count, (len(self.train) + 1) // 2)
        return with_demos(self.task.program, balanced(self.task.program, order, count), ())

    async def consider_baseline(self) -> AsyncGenerator[Event, None]:
        """Score the uncompiled program on dev; it is the one to beat.

        Raises `CompileError` when none of its answers can be scored.
        """
        self.made = 1
        self._seen.add(self.baseline.candidate.hash)
        yield CandidateMade(number=0, origin="uncompiled", candidate=self.baseline.candidate)
        async with aclosing(self._select(self.baseline)) as events:
            async for event in events:
                yield event

    async def consider(self, candidate: Candidate, origin: str) -> AsyncGenerator[Event, None]:
        """Calibrate the candidate, score it on dev; it becomes the best if it is better.

        A candidate that was considered already is passed over.
        """
        if candidate.hash in self._seen:
            return
        self._seen.add(candidate.hash)
        number, self.made = self.made, self.made + 1
        calibration = Calibration(self, number, candidate)
        async with aclosing(calibration.run()) as steps:
            async for step in steps:
                yield step
        self.last = calibration.candidate
        if calibration.used_on:
            origin = f"{origin}, calibrated on {calibration.used_on} examples"
        yield CandidateMade(number=number, origin=origin, candidate=self.last)
        async with aclosing(self._select(Standing(number, origin, self.last))) as events:
            async for event in events:
                yield event

    async def score(
        self, number: int, candidate: Candidate, examples: Sequence[Example], part: str
    ) -> AsyncGenerator[tuple[Example, Scored, ExampleScored], None]:
        """The results in order, each with its event; counts the calls."""
        task = self.task
        results = evaluate(
            task.program,
            candidate,
            examples,
            task.metric,
            task.runtime,
            task.ledger,
            concurrency=task.concurrency,
        )
        async with aclosing(results):
            async for example, scored in results:
                self.count((candidate.hash, example.id), scored.calls)
                yield (
                    example,
                    scored,
                    ExampleScored(
                        number=number,
                        candidate=candidate.hash,
                        part=part,
                        example=example.id,
                        value=scored.score.value,
                        reason=scored.score.reason,
                    ),
                )

    def count(self, key: Hashable, calls: int) -> None:
        """Add the calls of one result, once."""
        if key not in self._counted:
            self._counted.add(key)
            self.calls += calls

    async def _select(self, standing: Standing) -> AsyncGenerator[Event, None]:
        own = own_keys(self.task.program, standing.candidate, self.train)
        examples = without(self.task.program, self.dev, own)
        unscored, done, reason = 0, 0, ""
        # How much the candidate could still win if it got everything right from here on.
        best = self.best
        room = sum(1 - best.values.get(example.id, 1.0) for example in examples) if best else 0.0
        dropped = False
        number, candidate = standing.number, standing.candidate
        async with aclosing(self.score(number, candidate, examples, "dev")) as results:
            async for example, scored, event in results:
                yield event
                done += 1
                value = scored.score.value
                if value is None:
                    unscored, reason = unscored + 1, scored.score.reason
                else:
                    standing.values[example.id] = value
                if best and example.id in best.values:
                    room -= 1 - best.values[example.id]
                    more = done % BLOCK == 0 and done < len(examples)
                    if more and standing.lead(best) + room <= 1e-9:
                        dropped = True
                        break
        if not best and not standing.values:
            raise CompileError(
                f"No dev example could be scored: {reason or 'there is none left'}."
            )
        self.scored += 1
        wins = not dropped and self._is_better(standing)
        if wins:
            self.best = standing
        yield CandidateScored(
            number=number,
            origin=standing.origin,
            candidate=candidate.hash,
            value=standing.mean,
            scored_on=len(standing.values),
            own=len(self.dev) - len(examples),
            unscored=unscored,
            dropped=dropped,
            best=wins,
            note=_dropped_note(done, len(examples)) if dropped else "",
        )

    def _is_better(self, standing: Standing) -> bool:
        """Strictly better than the best, and than the uncompiled program, on shared examples."""
        if self.best is None:
            return True
        return standing.lead(self.best) > 1e-9 and standing.lead(self.baseline) > 1e-9

    def _split(self) -> tuple[list[Example], list[Example], list[Example]]:
        """The three parts, in order, without examples that stand in two places."""
        task = self.task
        for name, part, use in (
            ("train", task.train, "demos are made from them"),
            ("dev", task.dev, "candidates are compared on them"),
            ("test", task.test, "the result is confirmed on them"),
        ):
            if not part:
                raise CompileError(f"There are no {name} examples: {use}. Give the split some.")
        dev = stratified(task.program, unique(task.program, task.dev), f"{task.seed}/dev")
        dev = dev[: self.params.dev_limit or None]
        seen = {inputs_key(task.program, example.values) for example in dev}
        seen |= {example.id for example in dev}
        held_out = without(task.program, unique(task.program, task.test), frozenset(seen - {""}))
        if not held_out:
            raise CompileError(
                "Every test example is a dev example as well, so nothing is left to confirm the "
                "result on. Give the test split examples of its own."
            )
        for what, given, kept in (
            ("test", task.test, held_out),
            ("train", task.train, unique(task.program, task.train)),
        ):
            if len(kept) < len(given):
                where = " or on dev" if what == "test" else ""
                self.notes.append(
                    f"{len(given) - len(kept)} of {len(given)} {what} examples stand twice"
                    f"{where} and are left out."
                )
        test = stratified(task.program, held_out, f"{task.seed}/test")
        return unique(task.program, task.train), dev, test


class Calibration:
    """Runs a candidate on training examples and fits the biases of its labels."""

    def __init__(self, search: Search, number: int, candidate: Candidate) -> None:
        self.candidate = candidate
        """Calibrated after `run`; as it was where there is nothing to calibrate."""
        self.used_on = 0
        self._search = search
        self._number = number

    async def run(self) -> AsyncGenerator[ExampleScored, None]:
        """Tell of each example. Examples of its demos, of dev and of test are not used."""
        search, task = self._search, self._search.task
        if not search.params.calibrate or not scored_fields(task.program, task.runtime):
            return
        keys = own_keys(task.program, self.candidate, search.train)
        for example in (*search.dev, *search.test):
            keys |= {example.id, inputs_key(task.program, example.values)} - {""}
        order = stratified(task.program, search.train, f"{task.seed}/calibration")
        examples = without(task.program, order, keys)[: search.params.calibration_examples]
        found: list[tuple[Example, Scored]] = []
        scores = search.score(self._number, self.candidate, examples, "train")
        async with aclosing(scores):
            async for example, scored, event in scores:
                found.append((example, scored))
                yield event
        fitted = calibrated(task.program, self.candidate, found)
        if fitted.hash != self.candidate.hash:
            self.candidate, self.used_on = fitted, len(found)


def _dropped_note(done: int, total: int) -> str:
    return (
        f"dropped after {done} of {total} examples: even with everything right from there on it "
        "would not have been better than the best"
    )
