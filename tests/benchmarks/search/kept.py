"""DSPy's outcomes in a file, one JSON line each: a run that was cut off goes on."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.search.world import Outcome, World

Key = tuple[int, float]


class Kept:
    """Outcomes by world; several processes may add to one file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[Key, Outcome] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                self._known[row["seed"], row["spread"]] = Outcome.from_dict(row["outcome"])

    def get(self, world: World) -> Outcome | None:
        """What came out of this world before."""
        return self._known.get((world.seed, world.spread))

    def put(self, world: World, outcome: Outcome) -> None:
        """Remember it."""
        self._known[world.seed, world.spread] = outcome
        if self._path is not None:
            row = {"seed": world.seed, "spread": world.spread, "outcome": outcome.to_dict()}
            with self._path.open("a") as file:
                file.write(json.dumps(row) + "\n")
