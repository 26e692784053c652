"""Which of very many sets may be alike: MinHash and locality-sensitive hashing.

The smallest value that a random hash takes in a set is the same for two sets as often as they are
alike by Jaccard's index (Broder 1997, “On the resemblance and containment of documents”,
https://doi.org/10.1109/SEQUEN.1997.666900). `HASHES` such values are a set's signature. They are
cut into bands; two sets whose signatures are equal in a whole band are a candidate pair (banding:
Leskovec, Rajaraman and Ullman, “Mining of Massive Datasets”, chapter 3, http://www.mmds.org). With
25 bands of 5 values sets of index 0.8 become one with a probability of 0.9999, of 0.67 with 0.97,
of 0.3 with 0.06, of 0.1 with 0.0003.

Of each value only its lowest byte is kept beside the bands, which is enough to guess the index of
a pair before it is computed (b-bit minwise hashing: Li and König 2010,
https://doi.org/10.1145/1772690.1772759).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BANDS = 25
ROWS = 5
HASHES = BANDS * ROWS
FEW = 24
"""In a bucket of so many sets each is compared with each."""
PIVOTS = 8
"""In a fuller one each is compared with so many at the most."""

_SEED = 1997
_BATCH = 400_000
"""Members of sets that are hashed at once."""

Keys = NDArray[np.uint64]
Pairs = NDArray[np.int64]


def _random() -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    rng = np.random.default_rng(_SEED)
    most = np.iinfo(np.uint64).max
    odd = rng.integers(0, most, HASHES, dtype=np.uint64) | np.uint64(1)
    shift = rng.integers(0, most, HASHES, dtype=np.uint64)
    mix = rng.integers(0, most, ROWS, dtype=np.uint64) | np.uint64(1)
    return odd, shift, mix


_ODD, _SHIFT, _MIX = _random()


class Sketches:
    """The bands and the low bytes of the signatures of sets, gathered in batches.

    About 325 bytes a set.
    """

    def __init__(self) -> None:
        self._sets: list[Sequence[int]] = []
        self._salts: list[int] = []
        self._waiting = 0
        self._bands: list[Keys] = []
        self._lows: list[NDArray[np.uint8]] = []

    def add(self, numbers: Sequence[int], salt: int) -> None:
        """The next set, not empty, of 64-bit numbers; only sets of equal salts are ever a pair."""
        self._sets.append(numbers)
        self._salts.append(salt)
        self._waiting += len(numbers)
        if self._waiting >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._sets:
            return
        sizes = np.fromiter(map(len, self._sets), dtype=np.int64, count=len(self._sets))
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        members = np.fromiter(
            (number for one in self._sets for number in one),
            dtype=np.uint64,
            count=self._waiting,
        )
        signature = np.empty((HASHES, len(self._sets)), dtype=np.uint64)
        for at in range(HASHES):
            # Multiply and shift: the members are hashes already.
            hashed = (members * _ODD[at] + _SHIFT[at]) >> np.uint64(16)
            signature[at] = np.minimum.reduceat(hashed, starts)
        bands = np.empty((len(self._sets), BANDS), dtype=np.uint64)
        salts = np.array(self._salts, dtype=np.uint64)
        for band in range(BANDS):
            key = salts.copy()
            for row in range(ROWS):
                key = (key ^ signature[band * ROWS + row]) * _MIX[row]
                key ^= key >> np.uint64(29)
            bands[:, band] = key
        self._bands.append(bands)
        self._lows.append(np.ascontiguousarray(signature.T.astype(np.uint8)))
        self._sets, self._salts, self._waiting = [], [], 0

    def finish(self) -> Index:
        """All of them, to look for pairs."""
        self._flush()
        if not self._bands:
            return Index(np.empty((0, BANDS), np.uint64), np.empty((0, HASHES), np.uint8))
        index = Index(np.concatenate(self._bands), np.concatenate(self._lows))
        self._bands, self._lows = [], []
        return index


@dataclass(frozen=True, slots=True)
class Index:
    """Bands and low bytes, a row for each set."""

    bands: NDArray[np.uint64]
    lows: NDArray[np.uint8]

    def buckets(self) -> Iterator[tuple[Pairs, list[Pairs]]]:
        """For each band the pairs of small buckets, and the members of the crowded ones."""
        for band in range(BANDS):
            keys = self.bands[:, band]
            order = np.argsort(keys, kind="stable")
            ordered = keys[order]
            edges = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
            starts = np.concatenate(([0], edges)) if len(ordered) else np.empty(0, np.int64)
            sizes = np.diff(np.concatenate((starts, [len(ordered)])))
            found: list[Pairs] = []
            for size in range(2, FEW + 1):
                firsts = starts[sizes == size]
                if len(firsts):
                    left, right = np.triu_indices(size, 1)
                    some = (firsts[:, None] + left).ravel(), (firsts[:, None] + right).ravel()
                    found.append(np.stack([order[some[0]], order[some[1]]], axis=1))
            crowded = [
                order[start : start + size]
                for start, size in zip(starts[sizes > FEW], sizes[sizes > FEW], strict=True)
            ]
            yield (np.concatenate(found) if found else np.empty((0, 2), np.int64)), crowded

    def guess(self, pairs: Pairs) -> NDArray[np.float64]:
        """Jaccard's index of each pair, about."""
        found = np.empty(len(pairs))
        for at in range(0, len(pairs), 65_536):
            some = pairs[at : at + 65_536]
            same = self.lows[some[:, 0]] == self.lows[some[:, 1]]
            found[at : at + 65_536] = same.mean(axis=1)
        return found
