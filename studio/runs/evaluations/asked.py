"""What people ask of an evaluation, as a run keeps it in its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from typing import Any, Self

from studio.datasets.models import Split
from studio.engine.example import Example
from studio.errors import Invalid
from studio.runs.models import Run
from studio.runs.sources import Sources

ALL = "all"
"""The split that is all of them."""
SPLITS: tuple[tuple[str, str], ...] = (*Split.choices, (ALL, "All rows"))
SPLIT_NAMES = [name for name, _ in SPLITS]
MOST_REPEATS = 10
ROWS: tuple[tuple[str, str], ...] = (
    ("all", "All rows"),
    ("first", "The first ones"),
    ("random", "Drawn at random, by the seed"),
)
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows, how often, and of which program."""

    split: str = Split.TEST
    repeats: int = 1
    """How often each row is answered."""
    rows: str = "all"
    """How they are chosen: see `ROWS`."""
    count: int = 0
    """So many, unless it is all of them."""
    artifact: str = ""
    """Its hash; empty: the version as it is drawn."""
    label: str = ""
    """The release by which people chose it."""
    candidate: str = ""
    """Hash of the candidate that is scored."""

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """What was asked of a run; None for one that compares an artifact with its baseline."""
        if run.kind != Run.Kind.EVALUATE or not run.params.get("alone"):
            return None
        names = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in run.params.items() if name in names})

    def to_params(self) -> dict[str, Any]:
        """JSON; `Asked.of` reads it back."""
        return {**asdict(self), "split": str(self.split), "alone": True}

    def check(self) -> None:
        """Raise `Invalid` that names what does not fit."""
        if self.split not in dict(SPLITS):
            known = ", ".join(dict(SPLITS))
            raise _invalid("split", f"There is no split “{self.split}”: choose {known}.")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise _invalid(
                "repeats",
                f"Each row can be answered between 1 and {MOST_REPEATS} times, not "
                f"{self.repeats} times.",
            )
        if self.rows not in dict(ROWS):
            raise _invalid("rows", f"Rows are chosen by {', '.join(dict(ROWS))}.")
        if self.rows != "all" and not 1 <= self.count <= MOST_ROWS:
            raise _invalid(
                "count",
                f"Say how many rows, between 1 and {MOST_ROWS:,}, or take all of them.",
            )

    @property
    def judged_on(self) -> tuple[str, ...]:
        """The splits whose rows are scored."""
        return tuple(Split.values) if self.split == ALL else (str(self.split),)

    @property
    def reads(self) -> tuple[str, ...]:
        """The splits that are read: those before tell what stands twice and what demos are of."""
        last = Split.values.index(self.judged_on[-1])
        return tuple(Split.values[: last + 1])

    def choose(self, sources: Sources, seed: int) -> list[Example]:
        """The rows that are to be scored, in their order.

        Which ones are drawn depends on the seed and the rows alone, so that every program meets
        the same ones.
        """
        found = [example for split in self.judged_on for example in sources[split]]
        if self.rows == "first":
            return found[: self.count]
        if self.rows == "random":
            drawn = set(_drawn((example.id for example in found), seed, self.count))
            return [example for example in found if example.id in drawn]
        return found

    def at_most(self, counts: Mapping[str, int]) -> int:
        """How many rows that are, by the numbers of rows in the splits."""
        there = sum(counts.get(split, 0) for split in self.judged_on)
        return there if self.rows == "all" else min(there, self.count)


def _drawn(ids: Iterable[str], seed: int, count: int) -> Sequence[str]:
    def place(id_: str) -> bytes:
        return blake2b(f"{seed}/{id_}".encode(), digest_size=16).digest()

    return sorted(ids, key=place)[:count]


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[{"field": field, "message": message}])
