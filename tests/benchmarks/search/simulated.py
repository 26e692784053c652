"""Races and compiles without an LM: thousands of them, with the true accuracies known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from studio.engine.racing import OVERTIME, Entry, Race
from studio.engine.statistics import Interval, optimism, paired_bootstrap

_NORMAL = NormalDist()
DEV_GAINS_EVERY = 5
"""Of so many compiles one has its gain on dev corrected, which takes longer than all the rest."""
_MEAN, _WITHOUT = 0.55, 0.45
"""The mean accuracy of candidates with demos, and of the program without."""
_SHARED = 0.5
"""The part of an answer's luck that comes with the example."""


class Simulation:
    """Candidates of known accuracy on examples that are hard or easy for all of them alike.

    The first candidate is the uncompiled program. With `parts` above 1 scores are graded: the
    part of so many questions about the example that was answered rightly.
    """

    def __init__(self, seed: int, *, candidates: int, spread: float, parts: int = 1) -> None:
        rng = random.Random(f"{seed}/accuracies")
        means = [_WITHOUT, *[_MEAN] * (candidates - 1)]
        self.true = [min(0.97, max(0.03, rng.gauss(mean, spread))) for mean in means]
        self._bars = [_NORMAL.inv_cdf(true) for true in self.true]
        self._rng = random.Random(f"{seed}/answers")
        self._parts = parts
        self._luck: dict[str, float] = {}
        self._known: dict[tuple[int, str], float] = {}

    def value(self, candidate: int, example: str) -> float:
        """The candidate's score on the example; the same one whenever it is asked."""
        key = candidate, example
        if key not in self._known:
            if example not in self._luck:
                self._luck[example] = self._rng.gauss(0, _SHARED**0.5)
            need, own = self._bars[candidate] - self._luck[example], (1 - _SHARED) ** 0.5
            right = [self._rng.gauss(0, own) < need for _ in range(self._parts)]
            self._known[key] = sum(right) / self._parts
        return self._known[key]

    def race(self, dev: int, extra: int) -> tuple[Race, int]:
        """The race, over, and how many runs it took."""
        entries = [Entry(number) for number in range(len(self.true))]
        race = Race(entries, names("dev", dev), names("train", extra))
        runs = 0
        while pairs := race.next():
            runs += len(pairs)
            for candidate, example in pairs:
                race.tell(candidate, example, self.value(candidate, example))
        return race, runs

    def full(self, dev: int) -> int:
        """The winner when everybody is run on all dev examples; ties go to the first."""
        examples = names("dev", dev)
        sums = [
            sum(self.value(number, example) for example in examples)
            for number in range(len(self.true))
        ]
        return sums.index(max(sums))

    def regret(self, winner: int) -> float:
        """What the best one has on the winner."""
        return max(self.true) - self.true[winner]


@dataclass(frozen=True)
class Raced:
    """Many races beside as many full evaluations of the same candidates."""

    spread: float
    races: int
    runs_vs_full: float
    regret: float
    full_regret: float
    same_winner: float


def races(count: int, spread: float, *, candidates: int = 19, dev: int = 300) -> Raced:
    """Race and full evaluation on the same answers."""
    runs, regrets, full_regrets, same = [], [], [], []
    for seed in range(count):
        simulation = Simulation(seed, candidates=candidates, spread=spread)
        race, took = simulation.race(dev, int(OVERTIME * dev))
        winner, full = race.ranking()[0].number, simulation.full(dev)
        runs.append(took / (candidates * dev))
        regrets.append(100 * simulation.regret(winner))
        full_regrets.append(100 * simulation.regret(full))
        same.append(winner == full)
    return Raced(spread, count, fmean(runs), fmean(regrets), fmean(full_regrets), fmean(same))


@dataclass(frozen=True)
class Setting:
    """The sizes of a project."""

    dev: int
    test: int
    spread: float = 0.05
    parts: int = 1


SETTINGS = (
    Setting(60, 100),
    Setting(60, 160, 0.02),
    Setting(100, 100),
    Setting(160, 160, 0.1),
    Setting(300, 200),
    Setting(100, 160, parts=4),
)


@dataclass(frozen=True)
class Covered:
    """How often intervals held the truth."""

    setting: Setting
    compiles: int
    held_out: float
    """The part of the intervals of the held-out gain that hold the true gain."""
    width: float
    """Their mean width, in points."""
    dev_gain_bias: float
    """The mean of the winners' gains on dev less their true gains, in points …"""
    corrected_bias: float
    """… and of the gains that are corrected for having picked the best."""
    corrected: float
    """The part of the corrected gains' intervals that hold the true gain."""


def coverage(compiles: int, setting: Setting, *, candidates: int = 19) -> Covered:
    """Compiles whose winner is picked by the race and confirmed on held-out examples."""
    held: list[bool] = []
    widths, biases, corrected_biases, corrected = [], [], [], []
    seed = 0
    while len(held) < compiles:
        seed += 1
        simulation = Simulation(
            seed, candidates=candidates, spread=setting.spread, parts=setting.parts
        )
        race, _ = simulation.race(setting.dev, int(OVERTIME * setting.dev))
        winner = race.ranking()[0]
        if winner.number == 0:
            continue  # The program stays as it is: there is no gain to report.
        true = simulation.true[winner.number] - simulation.true[0]
        found = held_out_gain(simulation, winner.number, setting.test)
        held.append(found.low <= true <= found.high)
        widths.append(100 * (found.high - found.low))
        if len(held) % DEV_GAINS_EVERY == 0:
            raw, better = dev_gains(race.entries, winner, seed)
            biases.append(100 * (raw - true))
            corrected_biases.append(100 * (better.value - true))
            corrected.append(better.low <= true <= better.high)
    return Covered(
        setting,
        compiles,
        fmean(held),
        fmean(widths),
        fmean(biases),
        fmean(corrected_biases),
        fmean(corrected),
    )


def held_out_gain(simulation: Simulation, winner: int, test: int) -> Interval:
    """As the report of a compile gives it."""
    examples = names("test", test)
    before = [simulation.value(0, example) for example in examples]
    after = [simulation.value(winner, example) for example in examples]
    return paired_bootstrap(before, after)


def dev_gains(entries: Sequence[Entry], winner: Entry, seed: int) -> tuple[float, Interval]:
    """The winner's gain over the uncompiled program on dev, as it looks, and corrected."""
    shared = [key for key in entries[0].values if key in winner.values]
    found = paired_bootstrap(
        [entries[0].values[key] for key in shared], [winner.values[key] for key in shared]
    )
    others = [entry.values for entry in entries if entry is not winner]
    return found.value, found.less(optimism(winner.values, others, seed))


def names(part: str, count: int) -> list[str]:
    """Ids of examples."""
    return [f"{part}/{number}" for number in range(count)]
