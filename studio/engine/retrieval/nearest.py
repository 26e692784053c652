"""Exact nearest vectors, without a library for arithmetic.

Python multiplies a long whole number by a small one at the speed of memory. So the vectors are
rounded to whole numbers, and for each dimension those of all vectors stand side by side in one
long number, 32 bits each: `sum(query[d] * column[d])` then holds the products of the query with
every vector at once. Rounding is off by a known bound at most; what lies within it of the best is
worked out anew with the exact values. 20,000 vectors of 256 dimensions: see `Nearest`.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from heapq import nlargest
from operator import mul
from typing import TypeAlias

Vector: TypeAlias = "array[float]"
"""32-bit floats of length 1, or all zero."""

_LANE_BITS = 32
FEW = 64
"""Vectors up to which the plain way is the faster one."""


def unit(values: Sequence[float]) -> Vector:
    """The direction of `values`: length 1; zeros stay zeros. Raises `ValueError` for no number."""
    size = math.sqrt(sum(map(mul, values, values)))
    if not math.isfinite(size):
        raise ValueError("a vector holds something that is no finite number")
    return array("f", (value / size for value in values) if size else values)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of length 1."""
    return float(sum(map(mul, one, other)))


class Nearest:
    """Vectors of one length, to be searched by cosine.

    A search of 20,000 × 256 takes about 15 ms, where multiplying in a Python loop takes 150; the
    memory is that of the vectors twice.
    """

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self.vectors = vectors
        self._columns: list[int] = []
        if len(vectors) <= FEW:
            return
        dimensions = len(vectors[0])
        # What a sum over all dimensions may need is shared by the two factors of its products.
        bits = _LANE_BITS - max(1, dimensions).bit_length()
        self._query_steps = (1 << (bits // 2)) - 1
        self._half = 1 << (bits - bits // 2 - 1)
        peak = max(max(map(abs, vector), default=0.0) for vector in vectors) or 1.0
        self._step = peak / (self._half - 1)
        scale, offset = 1 / self._step, self._half + 0.5
        for at in range(dimensions):
            # Plus a half, and cut off: rounded; plus an offset: no negative numbers in the lanes.
            lanes = array("I", [int(vector[at] * scale + offset) for vector in vectors])
            self._columns.append(int.from_bytes(lanes.tobytes(), sys.byteorder))

    def search(self, query: Vector, k: int) -> list[tuple[int, float]]:
        """The `k` nearest as (index, cosine), nearest first; of equal ones the first."""
        if not self._columns:
            close: Sequence[int] = range(len(self.vectors))
        else:
            close = self._close(query, k)
        exact = [(cosine(query, self.vectors[at]), -at) for at in close]
        return [(-at, score) for score, at in nlargest(k, exact)]

    def _close(self, query: Vector, k: int) -> list[int]:
        """Every index that may be among the `k` nearest."""
        peak = max(map(abs, query)) or 1.0
        step = peak / self._query_steps
        rounded = [round(value / step) for value in query]
        count = len(self.vectors)
        ups, downs = self._sums(rounded, 1), self._sums(rounded, -1)
        products = [up - down for up, down in zip(ups, downs, strict=True)]
        # Each product is off by what its two factors were rounded by, at most half a step.
        size = sum(map(abs, query))
        off = self._step / 2 * size + step / 2 * math.sqrt(len(query)) + 1e-6
        margin = 2 * off / (step * self._step)
        least = nlargest(min(k, count), products)[-1] - margin
        return [at for at, product in enumerate(products) if product >= least]

    def _sums(self, rounded: list[int], sign: int) -> array[int]:
        total = 0
        for value, column in zip(rounded, self._columns, strict=True):
            if value * sign > 0:
                total += column * (value * sign)
        return array("I", total.to_bytes(len(self.vectors) * _LANE_BITS // 8, sys.byteorder))


def fits(vectors: Sequence[Sequence[float]]) -> bool:
    """Whether all have one length, and not none."""
    return len(set(map(len, vectors))) <= 1 and all(vectors)
