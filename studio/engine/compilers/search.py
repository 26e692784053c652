"""What all compilers share: race candidates on dev, keep the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from studio.engine.compilers.base import CompileTask, SearchParams
from studio.engine.compilers.calibrate import calibrated, scored_fields
from studio.engine.compilers.demos import with_demos
from studio.engine.compilers.events import CandidateMade, CandidateScored
from studio.engine.compilers.running import Run, Runner
from studio.engine.compilers.selecting import balanced, stratified
from studio.engine.compilers.splitting import Parts
from studio.engine.compilers.telling import Tell
from studio.engine.errors import BudgetSpent, CompileError
from studio.engine.evaluation import Scored
from studio.engine.example import Candidate, Example
from studio.engine.racing import OVERTIME, Entry, Race, mean_lead

_TINY = 1e-9


@dataclass(frozen=True)
class Proposal:
    """A candidate on its way into a race."""

    candidate: Candidate
    origin: str
    """How it was made, in words."""
    parents: tuple[int, ...] = ()
    """The numbers of the candidates that it was made from."""


@dataclass(frozen=True)
class Standing:
    """A candidate with its scores on dev."""

    number: int
    """0 is the uncompiled program."""
    origin: str
    candidate: Candidate
    """As it was scored: calibrated."""
    values: dict[str, float] = field(default_factory=dict)
    """By example id; those of a candidate that was dropped are fewer."""
    dropped: str = ""
    """Why it left its race early, in words."""
    extra: dict[str, float] = field(default_factory=dict)
    """Scores on training examples, if dev was not enough to decide between it and others."""

    @property
    def mean(self) -> float | None:
        """The mean score; None when nothing was scored."""
        return sum(self.values.values()) / len(self.values) if self.values else None

    def lead(self, other: Standing) -> float:
        """The mean of the differences over the examples that both were scored on."""
        return mean_lead({**self.values, **self.extra}, {**other.values, **other.extra})


class Search(Runner):
    """One compile: its data in order, its candidates, the best so far.

    Compilers call `race`, and `run`, `ask` and `tell` of the runner.
    """

    def __init__(self, task: CompileTask, params: SearchParams, tell: Tell) -> None:
        parts = Parts.of(task, params.dev_limit)
        super().__init__(task, parts.train, tell)
        self.near = parts.near
        self.params = params
        self.parts, self.dev, self.test = parts, parts.dev, parts.test
        self.notes: list[str] = list(parts.notes)
        self.baseline = Standing(0, "uncompiled", task.program.candidate())
        self.start: Candidate = task.start or self.baseline.candidate
        """What the compiler improves."""
        self.best: Standing | None = None
        """None until the uncompiled program is scored."""
        self.standings: list[Standing] = []
        """Every candidate that was raced, in the order in which they were made."""
        self._raced: dict[str, Standing] = {}
        self._fitted: dict[str, tuple[Candidate, int]] = {}
        self._calibrated_on: set[str] = set()

    @property
    def made(self) -> int:
        """The number that the next candidate gets."""
        return max(1, len(self.standings))

    def labelled(self, count: int) -> Candidate:
        """`start` with up to `count` labelled demos, balanced, in place of its own.

        Half of the training examples are left for bootstrapping and calibration.
        """
        order = stratified(self.task.program, self.train, f"{self.task.seed}/labelled")
        count = min(count, (len(self.train) + 1) // 2)
        chosen = balanced(self.task.program, order, count)
        return with_demos(self.task.program, chosen, (), self.start)

    async def race(
        self, proposals: Iterable[Proposal], *, overtime: bool = False
    ) -> list[Standing]:
        """Calibrate the candidates, race them on dev, and keep the best one as `best`.

        The best so far takes part, and so does the uncompiled program as long as it has not been
        scored. With `overtime`, training examples decide between the last ones when dev does not:
        only for candidates that have learned from none but their demos. Gives back where each of
        `proposals` stands, in their order: a candidate that was raced before stands where it
        stood. Raises `CompileError` when nothing could be scored.
        """
        proposals = list(proposals)
        fresh: dict[str, Proposal] = {}
        for proposal in proposals:
            if proposal.candidate.hash not in self._raced:
                fresh.setdefault(proposal.candidate.hash, proposal)
        entrants = await self._entrants(list(fresh.values()))
        if entrants:
            await self._run_race(entrants, self._overtime() if overtime else ())
        return [self._raced[proposal.candidate.hash] for proposal in proposals]

    async def _entrants(self, proposals: Sequence[Proposal]) -> list[Standing]:
        """New standings, calibrated; the uncompiled program first, if it was not scored yet."""
        entrants = []
        if not self.standings:
            self.standings.append(self.baseline)
            entrants.append(self.baseline)
            await self.tell(
                CandidateMade(number=0, origin="uncompiled", candidate=self.baseline.candidate)
            )
        fitted = await self.calibrate([proposal.candidate for proposal in proposals])
        known = {standing.candidate.hash: standing for standing in self.standings}
        for proposal, (candidate, used) in zip(proposals, fitted, strict=True):
            if candidate.hash not in known:
                origin = proposal.origin
                if used:
                    origin = f"{origin}, calibrated on {used} examples"
                standing = Standing(len(self.standings), origin, candidate)
                known[candidate.hash] = standing
                self.standings.append(standing)
                entrants.append(standing)
                await self.tell(
                    CandidateMade(
                        number=standing.number,
                        origin=origin,
                        candidate=candidate,
                        parents=proposal.parents,
                    )
                )
            self._raced[proposal.candidate.hash] = known[candidate.hash]
        return entrants

    def _overtime(self) -> Sequence[Example]:
        """Training examples that no calibration has seen and that are not like dev or test."""
        left = [item for item in self.parts.train_only if item.id not in self._calibrated_on]
        order = stratified(self.task.program, left, f"{self.task.seed}/overtime")
        return order[: int(OVERTIME * len(self.dev))]

    async def _run_race(self, entrants: Sequence[Standing], extra: Sequence[Example]) -> None:
        field_ = [self.best, *entrants] if self.best else list(entrants)
        by_number = {standing.number: standing for standing in field_}
        examples = {example.id: example for example in (*self.dev, *extra)}
        dev = {example.id for example in self.dev}
        entries = []
        for standing in field_:
            usable = self.not_own(standing.candidate, list(examples.values()))
            skip = frozenset(examples) - {example.id for example in usable}
            entries.append(Entry(standing.number, {**standing.values, **standing.extra}, skip))
        race = Race(
            entries,
            [example.id for example in self.dev],
            [example.id for example in extra],
        )
        unscored: dict[int, str] = {}
        spent: BudgetSpent | None = None
        try:
            while pairs := race.next():
                runs = [
                    (number, by_number[number].candidate, examples[example])
                    for number, example in pairs
                ]
                part = "dev" if pairs[0][1] in dev else "train"
                async with aclosing(self.results(runs, part)) as results:
                    async for (number, _, example), scored in results:
                        race.tell(number, example.id, scored.score.value)
                        if scored.score.value is None:
                            unscored[number] = scored.score.reason
        except BudgetSpent as error:
            spent = error
        if spent and not race.settled:
            raise spent
        await self._settle(race, by_number, dev, unscored)
        if spent:
            raise spent

    async def _settle(
        self,
        race: Race,
        standings: Mapping[int, Standing],
        dev: Set[str],
        unscored: Mapping[int, str],
    ) -> None:
        """Write down how the race ended, and tell of each candidate that was new to it."""
        before = self.best
        ended: dict[int, Standing] = {}
        for entry in race.entries:
            standing = replace(
                standings[entry.number],
                values={key: value for key, value in entry.values.items() if key in dev},
                extra={key: value for key, value in entry.values.items() if key not in dev},
                dropped=entry.dropped,
            )
            ended[entry.number] = standing
            self.standings[entry.number] = standing
            if entry.number == 0:
                self.baseline = standing
        self._raced = {
            hash_: ended.get(standing.number, standing) for hash_, standing in self._raced.items()
        }
        if before:
            before = self.best = ended[before.number]
        leader = ended[race.ranking()[0].number]
        if not leader.values:
            reason = next(iter(unscored.values()), "there is none left")
            raise CompileError(f"No dev example could be scored: {reason}.")
        if before is None or self._is_better(leader):
            self.best = leader
        if self.best and self.best.number and self.best.lead(self.baseline) <= _TINY:
            self.best = self.baseline
        for entry in race.entries:
            if before and entry.number == before.number:
                continue
            standing = ended[entry.number]
            await self.tell(
                CandidateScored(
                    number=standing.number,
                    origin=standing.origin,
                    candidate=standing.candidate.hash,
                    value=standing.mean,
                    scored_on=len(standing.values),
                    own=len(entry.skip & dev),
                    unscored=len((entry.seen - set(entry.values)) & dev),
                    dropped=bool(standing.dropped),
                    best=bool(self.best and self.best.number == standing.number),
                    note=standing.dropped,
                )
            )

    def _is_better(self, standing: Standing) -> bool:
        """Strictly better than the best, and than the uncompiled program, on shared examples."""
        if self.best is None:
            return True
        return standing.lead(self.best) > _TINY and standing.lead(self.baseline) > _TINY

    async def refit(self, standing: Standing) -> Standing:
        """The same candidate with its biases fitted on everything that it was scored on but test.

        It takes no call. Where nothing was calibrated, and for ensembles, it is `standing` itself.
        """
        candidate = standing.candidate
        fitted = any(state.calibration for state in candidate.states.values())
        if standing.number == 0 or candidate.members or not fitted:
            return standing
        rows: list[tuple[Example, Scored]] = []
        for example in (*self.dev, *self.parts.train_only):
            for hash_ in (candidate.hash, self._before_fitting(candidate)):
                scored = await self.task.ledger.get_score(hash_, example.id)
                if scored is not None:
                    rows.append((example, scored))
                    break
        better = calibrated(self.task.program, candidate, rows)
        if better.hash in {known.candidate.hash for known in self.standings}:
            return standing
        origin = f"{standing.origin}; in the end on {len(rows)}"
        again = replace(standing, number=len(self.standings), origin=origin, candidate=better)
        self.standings.append(again)
        parents = (standing.number,)
        await self.tell(
            CandidateMade(number=again.number, origin=origin, candidate=better, parents=parents)
        )
        return again

    def _before_fitting(self, candidate: Candidate) -> str:
        """The hash under which it was run for its calibration."""
        return next(
            (hash_ for hash_, (found, _) in self._fitted.items() if found.hash == candidate.hash),
            candidate.hash,
        )

    async def calibrate(self, candidates: Sequence[Candidate]) -> list[tuple[Candidate, int]]:
        """Each candidate with the biases of its labels fitted, and on how many examples.

        On training examples, of which none stands among its demos, on dev or on test. Where there
        is nothing to calibrate it stays as it is. With each comes the number of examples used.
        """
        task = self.task
        if not self.params.calibrate or not scored_fields(task.program, task.runtime):
            return [(candidate, 0) for candidate in candidates]
        order = stratified(task.program, self.parts.train_only, f"{task.seed}/calibration")
        fresh: dict[str, list[tuple[Example, Scored]]] = {}
        runs: list[Run] = []
        for number, candidate in enumerate(candidates, self.made):
            if candidate.hash in self._fitted or candidate.hash in fresh:
                continue
            fresh[candidate.hash] = []
            if candidate.members:
                continue  # Each member of an ensemble is calibrated already.
            examples = self.not_own(candidate, order)[: self.params.calibration_examples]
            runs += [(number, candidate, example) for example in examples]
            self._calibrated_on.update(example.id for example in examples)
        async with aclosing(self.results(runs, "train")) as results:
            async for (_, candidate, example), scored in results:
                fresh[candidate.hash].append((example, scored))
        for candidate in candidates:
            rows = fresh.get(candidate.hash)
            if rows is not None:
                better = calibrated(task.program, candidate, rows)
                used = len(rows) if better.hash != candidate.hash else 0
                self._fitted[candidate.hash] = better, used
        return [self._fitted[candidate.hash] for candidate in candidates]
