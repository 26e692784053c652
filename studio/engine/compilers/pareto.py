"""The Pareto front over examples: who is the best on at least one, and by whom it is outdone.

The way in which GEPA (https://arxiv.org/abs/2507.19457) chooses what to improve: a candidate that
is the only one to get some example right is worth improving, whatever its mean.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

_TINY = 1e-9


def front(values: Mapping[int, Mapping[str, float]]) -> dict[int, frozenset[str]]:
    """The candidates that nobody outdoes, with the examples on which each is the best.

    `values` are scores (0 to 1) by candidate number and example id. A candidate counts on the
    examples on which it was scored, and nowhere else. One whose examples are all among those of
    another is left out; of two that are the best on the same examples, the one with the greater
    sum of scores stays, of equals the first. Each example that anybody was scored on has a best
    candidate in the front.
    """
    best: dict[str, float] = {}
    for scores in values.values():
        for example, value in scores.items():
            best[example] = max(value, best.get(example, value))
    wins = {
        number: frozenset(key for key, value in scores.items() if value >= best[key] - _TINY)
        for number, scores in values.items()
    }
    ahead = sorted(values, key=lambda number: (-math.fsum(values[number].values()), number))
    kept = [
        number
        for place, number in enumerate(ahead)
        if wins[number]
        and not any(wins[number] < wins[other] for other in ahead)
        and not any(wins[number] == wins[other] for other in ahead[:place])
    ]
    return {number: wins[number] for number in sorted(kept)}


def draw_parents(rng: random.Random, found: Mapping[int, frozenset[str]], count: int) -> list[int]:
    """`count` of the front, each with a chance proportional to how many examples it is best on."""
    numbers = list(found)
    if not numbers:
        return []
    return rng.choices(numbers, weights=[len(found[number]) for number in numbers], k=count)
