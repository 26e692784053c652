"""Buckets: the tries of one example, and what can be taken from them: a demo, or a rule."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from studio.engine.compilers.demos import bootstrapped_demos
from studio.engine.compilers.trajectories import Tried
from studio.engine.example import Candidate, Demo, Example


@dataclass(frozen=True)
class Bucket:
    """The scored tries of one example, best first."""

    tries: Sequence[Tried]

    @property
    def example(self) -> Example:
        """What was tried."""
        return self.best.example

    @property
    def best(self) -> Tried:
        """The try with the best score, of equals the first."""
        return self.tries[0]

    @property
    def worst(self) -> Tried:
        """The try with the worst score, of equals the last."""
        return self.tries[-1]

    @property
    def promise(self) -> tuple[float, float, float]:
        """How much there is to learn: the gap, the best score, and its lead over the mean."""
        values = [tried.value or 0.0 for tried in self.tries]
        return values[0] - values[-1], values[0], values[0] - fmean(values)


def drop_demos(rng: random.Random, candidate: Candidate, most: int) -> Candidate:
    """The candidate with a Poisson number of demos fewer, and with room for one if it is full."""
    has = max(len(state.demos) for state in candidate.states.values())
    count = min(has, max(_poisson(rng, has / most), int(has >= most))) if most else 0
    if not count:
        return candidate
    gone = set(rng.sample(range(has), count))
    return Candidate(
        {
            path: replace(
                state,
                demos=tuple(demo for at, demo in enumerate(state.demos) if at not in gone),
            )
            for path, state in candidate.states.items()
        }
    )


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number, by multiplying chances until they are too small (Knuth)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def with_demo(candidate: Candidate, tried: Tried) -> Candidate:
    """The candidate with what each predictor did in the try as its last demo."""
    demos = bootstrapped_demos(tried.steps, tried.example, tried.score.reason)
    return Candidate(
        {
            path: replace(state, demos=_added(state.demos, demos[path]))
            if path in demos
            else state
            for path, state in candidate.states.items()
        }
    )


def _added(demos: Sequence[Demo], demo: Demo) -> tuple[Demo, ...]:
    return (*(one for one in demos if one.source != demo.source), demo)


def parted(rng: random.Random, paths: Sequence[str], bucket: Bucket) -> str:
    """A predictor that did not do the same in the best try and the worst; else any of them."""
    did = [
        {path: [dict(step.outputs) for step in tried.steps_at(path)] for path in paths}
        for tried in (bucket.best, bucket.worst)
    ]
    apart = [path for path in paths if did[0][path] != did[1][path]]
    return rng.choice(apart or list(paths))
