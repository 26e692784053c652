"""What is wrong in a file: where, what, and what is done about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

LISTED = 200
"""So many problems are listed one by one; the others are counted."""

KINDS = {
    "encoding": "the file is not UTF-8",
    "columns": "column names were changed",
    "blank": "empty lines",
    "short": "too few cells",
    "long": "too many cells",
    "quote": "a quote is not closed or not doubled",
    "nul": "characters that no text holds",
    "huge": "a cell is too long",
    "json": "not a JSON object",
    "number": "not a number that JSON has",
    "bytes": "bytes that are no text",
    "written": "values that JSON has no word for",
    "formula": "a formula without a stored value, or with an error",
    "sheet": "parts of the file that are not read",
    "split": "a split that is not train, dev or test",
    "missing": "no value for a field",
    "label": "not one of the labels",
    "type": "not of the field's type",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file or a row."""

    kind: str
    """A name in `KINDS`."""
    what: str
    done: str
    """What is done about it, as a sentence."""
    drops: bool = False
    """The row is left out."""
    row: int = 0
    """Counted from 1 without the column names; 0 is the whole file."""
    line: int = 0
    """Where the row begins in the file, from 1."""
    column: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON for a report."""
        return asdict(self)


def rows(count: int) -> str:
    """`1 row`, `1,200 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"


class Problems:
    """Collects problems: a bounded list, and counts of all of them."""

    def __init__(self) -> None:
        self.listed: list[Problem] = []
        self.counts: Counter[tuple[str, bool]] = Counter()

    def add(self, problem: Problem, *, times: int = 1) -> None:
        """Count the problem, and list it while there is room."""
        if len(self.listed) < LISTED:
            self.listed.append(problem)
        self.counts[problem.kind, problem.drops] += times

    def to_dict(self) -> dict[str, Any]:
        """`{"listed": […], "counts": [{"kind", "title", "count", "drops"}], "total"}`."""
        return {
            "listed": [problem.to_dict() for problem in self.listed],
            "counts": [
                {"kind": kind, "title": KINDS[kind], "count": count, "drops": drops}
                for (kind, drops), count in self.counts.most_common()
            ],
            "total": sum(self.counts.values()),
        }
