"""What came of one side on one task, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Key = tuple[str, int, str, int]
"""Task, seed, side, budget."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A compile, and its result's answers to the test examples."""

    right: Sequence[int]
    """1 or 0 for each test example, in the task's order."""
    calls: int
    """LM calls of the compile, without those for the test examples."""
    seconds: float
    """Of the compile."""
    answered: int
    """Test examples with an answer that could be read."""
    note: str = ""

    @property
    def accuracy(self) -> float:
        """On the test examples."""
        return sum(self.right) / len(self.right)


class Kept:
    """The outcomes so far; with a path also those of earlier runs."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.outcomes: dict[Key, Outcome] = {}
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                key = (row.pop("task"), row.pop("seed"), row.pop("side"), row.pop("budget"))
                row.pop("accuracy")
                row.pop("uncompiled", None)
                self.outcomes[key] = Outcome(**row)

    def add(self, key: Key, outcome: Outcome) -> None:
        """Remember it, and write it down at once."""
        self.outcomes[key] = outcome
        if self.path:
            task, seed, side, budget = key
            row: dict[str, Any] = {"task": task, "seed": seed, "side": side, "budget": budget}
            row |= {"accuracy": round(outcome.accuracy, 4), **asdict(outcome)}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
