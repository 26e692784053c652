"""All that is wrong with the rows of an upload, one by one, in a file beside it.

A report lists the first few; a file of a million rows may have a million problems, and a person
wants to see each of them, or give them to whoever made the file. A line is the problem's kind, a
tab, and the problem as JSON: to pass over other kinds it need not be read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Any

from studio.datasets.reading.problems import Problem
from studio.datasets.uploading.storage import problems_path_of

MOST = 1_000_000
"""So many are written down; all are counted."""
HEAD = ("row", "line", "column", "kind", "what", "done", "left_out")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Note = Callable[[Problem], None]
"""Takes one problem after the other."""


@contextmanager
def writing(token: str) -> Iterator[Note]:
    """Takes the problems of an upload; those of an earlier check are thrown away.

    The file is there under its name when all of them are in it.
    """
    path = problems_path_of(token)
    fresh = path.with_suffix(".problems-new")
    path.parent.mkdir(parents=True, exist_ok=True)
    left = MOST
    done = False
    try:
        with fresh.open("w", encoding="utf-8", errors="backslashreplace") as file:

            def note(problem: Problem) -> None:
                nonlocal left
                if left:
                    left -= 1
                    text = json.dumps(problem.to_dict(), ensure_ascii=False)
                    file.write(f"{problem.kind}\t{text}\n")

            yield note
        fresh.replace(path)
        done = True
    finally:
        if not done:
            fresh.unlink(missing_ok=True)


def read(token: str, kind: str = "", *, skip: int = 0) -> Iterator[dict[str, Any]]:
    """The problems in the order of the file, of one kind or of all, without the first of them."""
    path = problems_path_of(token)
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        lines: Iterator[str] = file
        if kind:
            lines = (line for line in file if line.startswith(f"{kind}\t"))
        for line in islice(lines, skip, None):
            yield json.loads(line.partition("\t")[2])


@dataclass(frozen=True, slots=True)
class Listing:
    """Problems of an upload for a paginator: only a page of them is read."""

    token: str
    kind: str
    total: int

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, wanted: slice) -> list[dict[str, Any]]:
        start, stop, _step = wanted.indices(self.total)
        return list(islice(read(self.token, self.kind, skip=start), stop - start))


def listing(token: str, report: Mapping[str, Any], kind: str = "") -> Listing:
    """The problems that a report counts, of one kind or of all."""
    counts = report.get("problems", {}).get("counts", [])
    total = sum(one["count"] for one in counts if kind in ("", one["kind"]))
    return Listing(token, kind, min(total, MOST))


def as_csv(token: str, kind: str = "") -> Iterator[str]:
    """The problems as lines of a CSV file; cells that a spreadsheet would run begin with `'`."""
    yield _line(HEAD)
    for problem in read(token, kind):
        cells = {**problem, "left_out": "yes" if problem["drops"] else "no"}
        yield _line([_inert(cells[name]) for name in HEAD])


def _inert(value: Any) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Any) -> str:
    text = StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
