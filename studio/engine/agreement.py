"""How far two judges agree: accuracy, Cohen's κ, and who says what of whom."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from studio.engine.statistics import Interval

Weights = Literal["none", "quadratic"]
Pair = tuple[int, int]
"""Two verdicts on one thing, as indexes of the labels: the people's, and the judge's."""

_RESAMPLES = 500
_WORDS = (
    (0.0, "no better than chance"),
    (0.2, "slight"),
    (0.4, "fair"),
    (0.6, "moderate"),
    (0.8, "substantial"),
    (1.0, "almost perfect"),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two judges have in common."""

    count: int
    accuracy: float
    kappa: float | None
    """None: one of them says the same of everything, and so does the other."""
    low: float | None
    high: float | None
    """The 95 % interval of κ."""
    matrix: tuple[tuple[int, ...], ...]
    """Rows are the people's labels, columns the judge's."""

    @property
    def words(self) -> str:
        """What κ is called."""
        return "cannot be told" if self.kappa is None else kappa_words(self.kappa)

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "count": self.count,
            "accuracy": self.accuracy,
            "kappa": self.kappa,
            "low": self.low,
            "high": self.high,
            "words": self.words,
            "matrix": [list(row) for row in self.matrix],
        }


def compare(pairs: Sequence[Pair], labels: int, weights: Weights = "none") -> Agreement:
    """Accuracy, κ with its interval, and the confusion matrix of verdicts on `labels` labels."""
    if not pairs:
        raise ValueError("There is nothing to compare.")
    interval = kappa_interval(pairs, labels, weights)
    return Agreement(
        count=len(pairs),
        accuracy=sum(one == other for one, other in pairs) / len(pairs),
        kappa=interval.value if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        matrix=confusion(pairs, labels),
    )


def confusion(pairs: Sequence[Pair], labels: int) -> tuple[tuple[int, ...], ...]:
    """How often each pair of labels was given."""
    counts = Counter(pairs)
    return tuple(tuple(counts[row, column] for column in range(labels)) for row in range(labels))


def cohens_kappa(pairs: Sequence[Pair], labels: int, weights: Weights = "none") -> float | None:
    """Cohen's κ: how much more two judges agree than they would by chance.

    κ = 1 − Σ w·observed / Σ w·expected, where the expected share of a pair of labels is the
    product of how often each judge gives its label, and w is how far apart the labels are: 0 or 1
    (J. Cohen 1960, https://doi.org/10.1177/001316446002000104), or the square of their distance
    (J. Cohen 1968, https://doi.org/10.1037/h0026256). 1: always of one mind; 0: as by chance;
    None: both say one and the same of everything, where chance cannot be told from agreement.
    """
    if not pairs:
        return None
    ours, theirs = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(_weight(one, other, weights) for one, other in pairs) / len(pairs)
    expected = sum(
        _weight(one, other, weights) * ours[one] * theirs[other]
        for one in range(labels)
        for other in range(labels)
    ) / (len(pairs) ** 2)
    return None if expected == 0 else 1 - observed / expected


def kappa_interval(
    pairs: Sequence[Pair], labels: int, weights: Weights = "none"
) -> Interval | None:
    """κ with its 95 % bootstrap interval; None where there is no κ.

    Two made-up misses, one each way between the labels that are given most, are added for the
    interval: two judges who are of one mind on five rows would else never differ in any resample
    (as in `statistics.paired_bootstrap`). Resamples in which there is none say nothing and are
    left out.
    """
    value = cohens_kappa(pairs, labels, weights)
    if value is None:
        return None
    given = Counter(label for pair in pairs for label in pair)
    one, other = sorted(given, key=lambda label: (-given[label], label))[:2]
    drawn, chance = [*pairs, (one, other), (other, one)], random.Random(0)
    found = sorted(
        kappa
        for _ in range(_RESAMPLES)
        if (kappa := cohens_kappa(chance.choices(drawn, k=len(drawn)), labels, weights))
        is not None
    )
    if not found:
        return Interval(value, -1.0, 1.0)
    low, high = (found[min(len(found) - 1, int(share * len(found)))] for share in (0.025, 0.975))
    return Interval(value, min(low, value), max(high, value))


def kappa_words(kappa: float) -> str:
    """The words of J. R. Landis and G. G. Koch 1977, https://doi.org/10.2307/2529310."""
    return next((words for most, words in _WORDS if kappa <= most), _WORDS[-1][1])


def _weight(one: int, other: int, weights: Weights) -> float:
    return float(one != other) if weights == "none" else float((one - other) ** 2)
