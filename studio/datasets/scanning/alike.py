"""Which rows ask the same, or nearly the same, and the clusters that they form."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.datasets.scanning.folding import Folded, digest, fold, jaccard, may_be_near, number_of
from studio.datasets.scanning.minhash import PIVOTS, Index, Pairs, Sketches
from studio.engine.compilers.near import ALIKE, read_alike

DOUBTFUL = 0.5
"""Pairs that share so much are read once more: with typos forgiven they may be alike."""
MOST_DOUBTFUL = 20_000
PROMISING = 0.68
"""What a pair that is alike is guessed to share at the least, but for one in a thousand."""
CROWD_CHECKS = 16
"""So often a row is compared in crowded buckets; there are others where it finds its like."""
_CACHED = 1_000_000
"""Words of so many are kept as sets."""
MOST_TEXTS = 8
"""Of so many inputs words are compared; others have to be equal."""
MOST_CHECKED = 4_000
"""Pairs that are looked at to find a leak in a cluster that came out of a crowded bucket."""
MOST_ROWS = 2**31 - 1

Read = Callable[[Sequence[int]], dict[int, list[str]]]
"""The inputs, as texts, of rows by their places."""


class Inputs:
    """The different inputs of rows, gathered row by row; equal ones are one item.

    Texts are given in a fixed order; those of the first column tell the rows apart best.
    """

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        """By item."""
        self.item_of = array("i")
        """By the place of the row, in the order in which rows came."""
        self.first = array("i")
        """By item, the place of its first row."""
        self.cut = 0
        """Texts of which only the beginning was compared."""
        self._known: dict[bytes, int] = {}
        self._sketches = Sketches()
        self._sketched = array("i")
        """The items that have a sketch."""
        self._words: list[array[int]] = []
        """For each column the words of all items, one after the other, and where they begin."""
        self._starts: list[array[int]] = []
        self._columns: list[list[bytes]] = []
        self._sets: dict[tuple[int, int], frozenset[int]] = {}
        self._in_sets = 0

    def add(self, texts: Sequence[str], others: str = "") -> int | None:
        """The next row: its text inputs, and all others as one text. Returns its item.

        A row without any inputs is nobody's duplicate: it is not kept, and None is returned.
        """
        folded = [fold(text) for text in texts]
        if not others and all(one.is_blank for one in folded):
            return None
        self.cut += sum(one.is_cut for one in folded)
        is_plain = len(folded) == 1 and not others
        key = folded[0].key if is_plain else _key(folded, others)
        item = self._known.get(key)
        if item is None:
            item = self._known[key] = len(self.keys)
            self.keys.append(key)
            self.first.append(len(self.item_of))
            self._keep(folded, others, item)
        self.item_of.append(item)
        return item

    def _keep(self, folded: Sequence[Folded], others: str, item: int) -> None:
        if not self._words:
            self._words = [array("Q") for _ in folded]
            self._starts = [array("q", [0]) for _ in folded]
            self._columns = [[] for _ in folded]
        for at, one in enumerate(folded[:MOST_TEXTS]):
            self._words[at].extend(one.words)
            self._starts[at].append(len(self._words[at]))
            self._columns[at].append(one.key[:8])
        if folded and may_be_near(len(folded[0].words)):
            rest = [one.key.hex() for one in folded[MOST_TEXTS:]]
            salt = number_of(repr((others, rest, [one.marks for one in folded])))
            self._sketches.add(folded[0].words, salt)
            self._sketched.append(item)

    def words(self, item: int, column: int = 0) -> Sequence[int]:
        """The words of an item."""
        starts = self._starts[column]
        return self._words[column][starts[item] : starts[item + 1]]

    def likeness(self, one: int, other: int) -> float:
        """Jaccard's index of two items, of that input in which they are least alike."""
        least = 1.0
        for column, keys in enumerate(self._columns):
            if keys[one] != keys[other]:
                mine, its = self._set(one, column), self._set(other, column)
                if not (may_be_near(len(mine)) and may_be_near(len(its))):
                    return 0.0
                least = min(least, jaccard(mine, its))
        return least

    def _set(self, item: int, column: int) -> frozenset[int]:
        found = self._sets.get((item, column))
        if found is None:
            found = frozenset(self.words(item, column))
            self._in_sets += len(found)
            if self._in_sets > _CACHED:
                self._sets.clear()
                self._in_sets = len(found)
            self._sets[item, column] = found
        return found

    def clusters(
        self, read: Read | None = None, beat: Callable[[], None] = lambda: None
    ) -> Clusters:
        """Look for items that are nearly equal. `read` is asked for doubtful ones.

        `beat` is called very often meanwhile, and may raise.
        """
        return Clusters(self, self._sketches.finish(), np.array(self._sketched), read, beat)


class Clusters:
    """Items that are nearly equal, directly or through others."""

    def __init__(
        self,
        inputs: Inputs,
        index: Index,
        sketched: NDArray[np.int32],
        read: Read | None,
        beat: Callable[[], None],
    ) -> None:
        self.inputs = inputs
        self._beat = beat
        self.pairs: set[tuple[int, int]] = set()
        """Verified pairs of items, the smaller number first. Of crowded buckets not all."""
        self.doubtful_left = 0
        """Pairs that were too many to be read once more."""
        self._parent = list(range(len(inputs.keys)))
        self._crowded: set[int] = set()
        self._doubtful: dict[tuple[int, int], None] = {}
        self._checks = bytearray(len(inputs.keys))
        self._compare(index, sketched)
        if read is not None:
            self._read_doubtful(read)
        self._crowded_roots = {self.root(item) for item in self._crowded}

    def _compare(self, index: Index, sketched: NDArray[np.int32]) -> None:
        sizes = np.array([len(self.inputs.words(item)) for item in sketched])
        count = np.int64(len(sketched))
        known = np.empty(0, np.int64)
        for pairs, crowded in index.buckets():
            self._beat()
            low, high = pairs.min(axis=1, initial=MOST_ROWS), pairs.max(axis=1, initial=0)
            codes = np.setdiff1d(low * count + high, known)
            known = np.union1d(known, codes)
            self._verify(np.stack([codes // count, codes % count], axis=1), index, sketched, sizes)
            for members in crowded:
                self._verify_crowd(members, index, sketched)

    def _verify(
        self,
        pairs: Pairs,
        index: Index,
        sketched: NDArray[np.int32],
        sizes: NDArray[np.int64],
    ) -> None:
        if not len(pairs):
            return
        left, right = sizes[pairs[:, 0]], sizes[pairs[:, 1]]
        near = np.minimum(left, right) >= DOUBTFUL * np.maximum(left, right)
        pairs = pairs[near]
        guessed = index.guess(pairs)
        for one, other in sketched[pairs[guessed >= PROMISING]].tolist():
            self._judge(one, other)
        for one, other in sketched[pairs[(guessed >= DOUBTFUL) & (guessed < PROMISING)]].tolist():
            self._doubt(one, other)

    def _verify_crowd(
        self, members: NDArray[np.int64], index: Index, sketched: NDArray[np.int32]
    ) -> None:
        """Each with a few of the others: so they find each other, however many they are."""
        self._crowded.add(int(sketched[members[0]]))
        waiting = members
        for _time in range(PIVOTS):
            if len(waiting) < 2:
                return
            pivot, waiting = int(waiting[0]), waiting[1:]
            first = int(sketched[pivot])
            root = self.root(first)
            waiting = waiting[[self.root(item) != root for item in sketched[waiting].tolist()]]
            pairs = np.stack([np.full(len(waiting), pivot), waiting], axis=1)
            promising = index.guess(pairs) >= PROMISING
            left = [
                place
                for place, hopes in zip(waiting.tolist(), promising.tolist(), strict=True)
                if not (hopes and self._joins(first, int(sketched[place])))
            ]
            waiting = np.array(left, dtype=np.int64)

    def _joins(self, pivot: int, item: int) -> bool:
        """Whether both are of one cluster by now."""
        if self.root(pivot) == self.root(item):
            return True
        if self._checks[item] >= CROWD_CHECKS:
            return False
        self._checks[item] += 1
        return self._judge(pivot, item)

    def _judge(self, one: int, other: int) -> bool:
        self._beat()
        if self.inputs.likeness(one, other) >= ALIKE:
            self._join(one, other)
            return True
        self._doubt(one, other)
        return False

    def _doubt(self, one: int, other: int) -> None:
        if len(self._doubtful) < MOST_DOUBTFUL:
            self._doubtful[min(one, other), max(one, other)] = None
        else:
            self.doubtful_left += 1

    def _read_doubtful(self, read: Read) -> None:
        """Compare once more, with typos forgiven, as a compile does."""
        wanted = [pair for pair in self._doubtful if pair not in self.pairs]
        for at in range(0, len(wanted), 500):
            some = wanted[at : at + 500]
            first = self.inputs.first
            texts = read(sorted({first[item] for pair in some for item in pair}))
            for one, other in some:
                both = zip(texts[first[one]], texts[first[other]], strict=True)
                if all(read_alike(mine, its) for mine, its in both):
                    self._join(one, other)
        self._doubtful = {}

    def _join(self, one: int, other: int) -> None:
        self.pairs.add((min(one, other), max(one, other)))
        first, second = sorted((self.root(one), self.root(other)))
        self._parent[second] = first

    def root(self, item: int) -> int:
        """The item that stands for the cluster."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def is_crowded(self, item: int) -> bool:
        """Whether not all pairs of the item's cluster are known."""
        return self.root(item) in self._crowded_roots

    def near_pair(self, some: Sequence[int], others: Sequence[int]) -> tuple[int, int] | None:
        """The first items, one of each side, that are nearly equal; all are of one cluster."""
        for checked, (one, other) in enumerate(_pairs_of(some, others)):
            if one == other or (min(one, other), max(one, other)) in self.pairs:
                return one, other
            is_open = checked < MOST_CHECKED and self.is_crowded(one)
            if is_open and self.inputs.likeness(one, other) >= ALIKE:
                return one, other
        return None

    def is_near(self, one: int, other: int) -> bool:
        """Whether two items of a cluster are nearly equal, and not only through others."""
        return self.near_pair([one], [other]) is not None


def _pairs_of(some: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, int]]:
    for one in some:
        for other in others:
            yield one, other


def _key(folded: Sequence[Folded], others: str) -> bytes:
    return digest("\n".join([*(one.key.hex() for one in folded), " ".join(others.split())]))
