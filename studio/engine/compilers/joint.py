"""Joint search over demo sets and instructions (MIPROv2; Opsahl-Ong et al. 2024).

A Tree-structured Parzen Estimator learns from trials which demo set goes with which instructions
(https://arxiv.org/abs/2406.11695). Unlike the original, every trial meets the same dev
examples and is told as its lead over the uncompiled program, so that the luck of a mini-batch is
no part of it; trials run side by side; a demo set holds for the whole program, so that the demos
of all its steps come from the same traces; the program and the data are described once; and the
most promising trials end in a race.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Situation
from studio.engine.compilers.bootstrap import draw_set, expected_tries, origin_of
from studio.engine.compilers.proposing import (
    NOTHING_NEW,
    Wish,
    instruction_of,
    propose_instructions,
    read_background,
)
from studio.engine.compilers.sampler import BATCH, Choice, Sampler
from studio.engine.compilers.search import Proposal, Search, Standing
from studio.engine.compilers.teaching import as_teacher
from studio.engine.compilers.traces import TracePool
from studio.engine.example import Candidate

_DEMOS = ""
"""The name of the choice among demo sets; the others are named by the predictors' paths."""
_VARIETY = 4
"""The pool holds so many times the demos of one candidate, so that draws differ."""


def _count(default: int, label: str, help_: str, low: int, high: int) -> Any:
    return field(
        default=default, metadata={"label": label, "help": help_, "min": low, "max": high}
    )


@dataclass(frozen=True, kw_only=True)
class JointParams:
    """What people may set."""

    instructions: int = _count(
        4, "Instructions", "So many new instructions are proposed for each step.", 0, 32
    )
    demo_sets: int = _count(
        4, "Demo sets", "So many sets of demos are made for instructions to go with.", 1, 32
    )
    trials: int = _count(
        12, "Trials", "So many pairs of a demo set and instructions are tried.", 1, 500
    )
    minibatch: int = _count(
        24, "Dev examples of a trial", "Every trial is scored on the same dev examples.", 5, 1_000
    )
    finalists: int = _count(
        3, "Finalists", "So many of the best trials are scored on all dev examples.", 1, 32
    )
    max_bootstrapped: int = shared.max_bootstrapped()
    max_labeled: int = shared.max_labeled(8)
    rounds: int = shared.rounds()
    metric_threshold: float = shared.metric_threshold()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit(60)


@dataclass(frozen=True)
class Space:
    """Every program that the trials choose from."""

    sets: Sequence[Candidate]
    """Demo sets, calibrated; the first one is what is improved, as it is."""
    texts: Mapping[str, Sequence[str]]
    """Instructions by predictor; the first one is the one that it has."""

    @property
    def sizes(self) -> dict[str, int]:
        """How many options there are, by name."""
        return {_DEMOS: len(self.sets), **{path: len(found) for path, found in self.texts.items()}}

    def candidate(self, choice: Choice) -> Candidate:
        """The program of a choice, with the calibration of its demo set."""
        demos, *numbers = choice
        states = dict(self.sets[demos].states)
        for (path, texts), number in zip(self.texts.items(), numbers, strict=True):
            if number:
                states[path] = replace(states[path], instruction=texts[number])
        return Candidate(states)

    def origin(self, choice: Choice) -> str:
        """The choice in words."""
        demos, *numbers = choice
        named = [
            f"instruction {number} for {path}"
            for path, number in zip(self.texts, numbers, strict=True)
            if number
        ]
        shown = origin_of(self.sets[demos]) if demos else "demos as they were"
        return ", ".join([shown, *named])


async def joint(search: Search, params: JointParams) -> None:
    """Demo sets, instructions, trials of both together, and a race of the best."""
    sets = await _demo_sets(search, params)
    texts = await _instructions(search, params, sets)
    # First what is improved and the uncompiled program, with which all trials are paired.
    (begun,) = await search.race([Proposal(search.start, "demos and instructions as they were")])
    fitted = [candidate for candidate, _ in await search.calibrate(sets)]
    trials = Trials(search, Space(fitted, texts), params, begun)
    await trials.run(trials.design())
    # A budget that ends in the trials shall leave more than the uncompiled program.
    await trials.race(1)
    sampler = Sampler(trials.space.sizes, search.random("sampler").getrandbits(32))
    for choice, lead in trials.leads.items():
        sampler.tell(choice, lead)
    while batch := sampler.ask(trials.left, trials.leads):
        await trials.run(batch)
        for choice in batch:
            sampler.tell(choice, trials.leads[choice])
    await trials.race(params.finalists)


async def _demo_sets(search: Search, params: JointParams) -> list[Candidate]:
    """The program as it is; labelled demos; sets drawn from one pool of traces."""
    sets = {search.start.hash: search.start}
    if params.max_labeled or params.max_bootstrapped:
        labelled = search.labelled(params.max_labeled)
        teacher = await as_teacher(search, labelled)
        pool = TracePool(search, teacher, params.metric_threshold)
        await pool.fill(_VARIETY * params.max_bootstrapped, params.rounds)
        if params.max_labeled:
            sets[labelled.hash] = labelled
        for number in range(params.demo_sets - len(sets) + 1):
            drawn = draw_set(
                search, pool, number, params.max_bootstrapped, params.max_labeled, name="demos"
            )
            sets[drawn.hash] = drawn
    return list(sets.values())


async def _instructions(
    search: Search, params: JointParams, sets: Sequence[Candidate]
) -> dict[str, list[str]]:
    """The instruction that each predictor has, and those proposed, with demos of a set each."""
    start, program = search.start, search.program(search.start)
    texts = {path: [instruction_of(program, start, path)] for path in program.predictors}
    if params.instructions:
        background = await read_background(search)
        wishes = [
            Wish(
                path=path,
                count=params.instructions,
                demos=[candidate.states[path].demos for candidate in (sets[1:] or sets)],
            )
            for path in texts
        ]
        proposed = await propose_instructions(search, wishes, background)
        for path, found in proposed.items():
            texts[path] += found
        if not any(proposed.values()):
            search.notes.append(f"{NOTHING_NEW} Demos alone were searched.")
    return texts


class Trials:
    """What was tried on the mini-batch, and how far each choice led the uncompiled program."""

    def __init__(self, search: Search, space: Space, params: JointParams, begun: Standing) -> None:
        self.space = space
        self._search = search
        self._examples = search.dev[: params.minibatch]
        self._same: Choice = (0,) * len(space.sizes)
        """The first option of everything, which is `begun`: it needs no trial, and no race."""
        self._wanted = min(params.trials, math.prod(space.sizes.values()) - 1)
        self._raced: set[Choice] = set()
        there = {example.id for example in self._examples}
        values = {key: value for key, value in begun.values.items() if key in there}
        self.leads: dict[Choice, float | None] = {self._same: self._lead(values)}
        """None when nothing could be scored; in the order of trying."""

    @property
    def left(self) -> int:
        """How many choices may still be tried."""
        return self._wanted + 1 - len(self.leads)

    def design(self) -> list[Choice]:
        """The first trials: all there are if there is time for all, else every option once."""
        sizes = self.space.sizes
        if self.left == math.prod(sizes.values()) - 1:
            return list(product(*map(range, sizes.values())))[1:]
        columns = []
        for name, size in sizes.items():
            options = list(range(min(1, size - 1), size))
            self._search.random("design", name).shuffle(options)
            columns.append(options)
        rows = range(min(self.left, max(map(len, columns))))
        return [tuple(column[row % len(column)] for column in columns) for row in rows]

    async def run(self, choices: Sequence[Choice]) -> None:
        """Score them on the mini-batch, a batch side by side; none on its own demos."""
        for first in range(0, len(choices), BATCH):
            await self._score(choices[first : first + BATCH])

    async def _score(self, choices: Sequence[Choice]) -> None:
        search = self._search
        made = search.made + len(self.leads)
        candidates = {
            made + place: self.space.candidate(choice) for place, choice in enumerate(choices)
        }
        runs = [
            (number, candidate, example)
            for number, candidate in candidates.items()
            for example in search.not_own(candidate, self._examples)
        ]
        values: dict[int, dict[str, float]] = {number: {} for number in candidates}
        async with aclosing(search.results(runs, "dev")) as results:
            async for (number, _, example), scored in results:
                if scored.score.value is not None:
                    values[number][example.id] = scored.score.value
        for choice, found in zip(choices, values.values(), strict=True):
            self.leads[choice] = self._lead(found)

    def _lead(self, values: Mapping[str, float]) -> float | None:
        before = self._search.baseline.values
        pairs = [value - before[key] for key, value in values.items() if key in before]
        return math.fsum(pairs) / len(pairs) if pairs else None

    async def race(self, finalists: int) -> None:
        """Race the best that were not raced yet, until so many were."""
        best = [choice for choice in self._ranking() if choice not in self._raced]
        chosen = best[: max(0, finalists - len(self._raced))]
        self._raced.update(chosen)
        await self._search.race(
            Proposal(_plain(self.space.candidate(choice)), self.space.origin(choice))
            for choice in chosen
        )

    def _ranking(self) -> list[Choice]:
        """Best first: halfway between how a choice did and what its options did in all trials.

        A mini-batch is small, so the leader owes much to luck; that its options did well in
        other trials as well is no luck.
        """
        leads = {choice: lead for choice, lead in self.leads.items() if lead is not None}
        middle = math.fsum(leads.values()) / max(1, len(leads))
        above: dict[tuple[int, int], list[float]] = {}
        for choice, lead in leads.items():
            for option in enumerate(choice):
                above.setdefault(option, []).append(lead - middle)

        def merit(choice: Choice) -> float:
            options = [above[option] for option in enumerate(choice)]
            # One more trial that did as all do: an option that was tried once tells little.
            parts = [math.fsum(found) / (len(found) + 1) for found in options]
            return round(leads[choice] + middle + math.fsum(parts), 9)

        tried = [choice for choice in leads if choice != self._same]
        return sorted(tried, key=merit, reverse=True)


def _plain(candidate: Candidate) -> Candidate:
    """Without the calibration that it borrowed: the race fits its own."""
    return Candidate(
        {path: replace(state, calibration={}) for path, state in candidate.states.items()}
    )


def _plan(params: JointParams, situation: Situation) -> Plan:
    demos = bool(params.max_labeled or params.max_bootstrapped)
    sets = 1 + demos * params.demo_sets
    programs = sets * (1 + params.instructions) ** situation.predictors
    trials = max(0, min(params.trials, programs - 1))
    finalists = min(params.finalists, trials)
    batch = min(params.minibatch, situation.dev)
    asks = 0
    if params.instructions:
        asks = 2 + situation.predictors * (1 + params.instructions)
    wanted = _VARIETY * params.max_bootstrapped
    tries = expected_tries(wanted, situation.train, params.max_labeled, params.rounds)
    # What finalists did in their trials is known in the race, unless they are calibrated for it.
    calibrated = params.calibrate and situation.calibrates
    known = 0 if calibrated else finalists
    return Plan(
        races=(int(calibrated), min(1, finalists), max(0, finalists - 1)),
        calibrations=sets + finalists,
        traces=tries,
        runs=((trials - finalists) * batch // 2, (trials - known) * batch, trials * batch),
        asks=(min(asks, 2 + situation.predictors), asks, asks),
    )


JOINT = CompilerKind(
    name="joint",
    title="Joint search",
    sentence="Has a proposer read the program and the data, and searches for the demos and the "
    "instructions that go best together.",
    paper="https://arxiv.org/abs/2406.11695",
    params=JointParams,
    run=joint,
    plan=_plan,
    presets={
        "light": {
            "instructions": 3,
            "demo_sets": 3,
            "trials": 8,
            "minibatch": 16,
            "finalists": 2,
            "dev_limit": 40,
            "calibration_examples": 20,
        },
        "medium": {
            "instructions": 5,
            "demo_sets": 5,
            "trials": 20,
            "minibatch": 30,
            "dev_limit": 100,
        },
        "thorough": {
            "instructions": 9,
            "demo_sets": 9,
            "trials": 50,
            "minibatch": 50,
            "finalists": 5,
            "dev_limit": 300,
            "max_bootstrapped": 8,
        },
    },
    asks=True,
)
