"""What the columns of a version look like: filled, different, frequent, small and large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from studio.datasets.browsing.facts import as_number, is_empty
from studio.datasets.chores import Beat
from studio.datasets.models import Chore, Dataset
from studio.datasets.splits.sealing import TEST
from studio.datasets.table import SPLITS, Table
from studio.datasets.uploading.judging import shorten, text_of

PROFILES = {
    "profile": "of all rows",
    "profile-open": "of train and dev, because test is sealed",
}
"""What a chore of the kind index may be about, besides the index."""
MOST_COLUMNS = 500
SHOWN_VALUES = 10
BINS = 24
_KEPT = 20_000
"""So many different values, numbers and lengths of a column are held in memory."""
_SHOWN_TEXT = 120


def about_of(dataset: Dataset) -> str:
    """Which profile people may see."""
    return "profile-open" if dataset.sealed else "profile"


def make_profile(chore: Chore, beat: Beat) -> dict[str, Any]:
    """Read all rows of the chore's version that people may see."""
    dataset = chore.dataset
    table = Table(dataset, chore.number)
    # Not by `dataset.sealed`: unsealed at this moment, it may be sealed when this is looked at.
    is_open = chore.about == "profile-open"
    codes = {code for code in range(len(SPLITS)) if not (is_open and code == TEST)}
    columns = {name: ColumnProfile() for name in table.columns[:MOST_COLUMNS]}
    rows = 0
    for done, piece in enumerate(table.pieces()):
        indices = [i for i, code in enumerate(piece.spot.splits) if code in codes]
        rows += len(indices)
        whole = len(indices) == len(piece.spot.splits)
        for name, column in columns.items():
            cells = piece.content.column(name)
            column.add(cells if whole else [cells[index] for index in indices])
        if done % 16 == 15:
            beat(done / len(table.spots))
    return {"rows": rows, "columns": {name: one.to_dict() for name, one in columns.items()}}


class ColumnProfile:
    """One column, gathered block by block in memory that does not grow with the rows."""

    def __init__(self) -> None:
        self._rows = 0
        self._kinds: Counter[str] = Counter()
        self._values: Counter[str] = Counter()
        self._counted = True
        """Every value was counted; otherwise rare ones were forgotten on the way."""
        self._different = _Different()
        self._numbers = _Sample()
        self._lengths = _Sample()
        self._low = float("inf")
        self._high = float("-inf")
        self._sum = 0.0

    def add(self, cells: Sequence[Any]) -> None:
        """The next values."""
        self._rows += len(cells)
        filled = [cell for cell in cells if not is_empty(cell)]
        texts = [cell if isinstance(cell, str) else text_of(cell) for cell in filled]
        self._kinds.update(map(_kind_of, filled))
        self._values.update(texts)
        self._different.add(texts)
        if len(self._values) > _KEPT:
            self._counted = False
            self._values = Counter(dict(self._values.most_common(_KEPT // 4)))
        numbers = [number for cell in filled if (number := as_number(cell)) is not None]
        if numbers:
            self._low, self._high = min(self._low, *numbers), max(self._high, *numbers)
            self._sum += sum(numbers)
        self._numbers.add(numbers)
        self._lengths.add([float(len(text)) for text in texts])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        filled = self._kinds.total()
        numbers = self._kinds["number"] + self._kinds["number as text"]
        frequent = [(text, n) for text, n in self._values.most_common(SHOWN_VALUES) if n > 1]
        few = self._different.exact and self._different.count <= SHOWN_VALUES
        if few:
            frequent = self._values.most_common(SHOWN_VALUES)
        found: dict[str, Any] = {
            "rows": self._rows,
            "filled": filled,
            "kinds": dict(self._kinds.most_common()),
            "different": self._different.count,
            "different_is_exact": self._different.exact,
            "values": [[shorten(text, _SHOWN_TEXT), count] for text, count in frequent],
            "values_are_exact": self._counted,
            "lengths": self._lengths.to_dict(),
        }
        if numbers:
            found["numbers"] = {
                "count": numbers,
                "low": self._low,
                "high": self._high,
                "mean": self._sum / numbers,
                **self._numbers.to_dict(),
            }
        return found


class _Different:
    """Counts different texts: exactly a few thousand, with an error of about a hundredth more."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()
        self._level = 0

    def add(self, texts: Sequence[str]) -> None:
        mask = (1 << self._level) - 1
        self._hashes.update(number for text in texts if not (number := hash(text)) & mask)
        while len(self._hashes) > _KEPT:
            # Every second one is forgotten, and those to come that are like it.
            self._level += 1
            mask = (1 << self._level) - 1
            self._hashes = {number for number in self._hashes if not number & mask}

    @property
    def exact(self) -> bool:
        return self._level == 0

    @property
    def count(self) -> int:
        return len(self._hashes) << self._level


class _Sample:
    """Numbers; of very many every second one, every fourth one, and so on."""

    def __init__(self) -> None:
        self._kept: list[float] = []
        self._step = 1
        self._skip = 0

    def add(self, numbers: Sequence[float]) -> None:
        taken = numbers[self._skip :: self._step]
        self._kept.extend(taken)
        self._skip = (self._skip - len(numbers)) % self._step
        while len(self._kept) > _KEPT:
            self._kept = self._kept[::2]
            self._step *= 2

    def to_dict(self) -> dict[str, Any]:
        """A histogram, and the values below which a tenth, a half and so on lie."""
        ordered = sorted(self._kept)
        if not ordered:
            return {"bins": [], "quantiles": [], "is_exact": True}
        low, high = ordered[0], ordered[-1]
        whole = all(number.is_integer() for number in ordered[:: max(1, len(ordered) // 200)])
        count = int(high - low) + 1 if whole and high - low < BINS else BINS
        width = (high - low) / count if high > low else 1.0
        bins = [0] * count
        for number in ordered:
            bins[min(count - 1, int((number - low) / width))] += self._step
        last = len(ordered) - 1
        return {
            "from": low,
            "to": high,
            "bins": bins,
            "quantiles": [ordered[round(last * part)] for part in (0.05, 0.25, 0.5, 0.75, 0.95)],
            "is_exact": self._step == 1,
        }


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "number as text" if as_number(value) is not None else "text"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "object"
