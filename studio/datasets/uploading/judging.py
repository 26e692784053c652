"""What is wrong with the rows of a file under the choices, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.datasets.reading import Batch
from studio.datasets.reading.problems import Problem
from studio.datasets.splits.splitting import LEFT_OUT, OPEN
from studio.datasets.table import SPLITS
from studio.datasets.uploading.choices import ID_COLUMNS, Choices, read_split
from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError
from studio.engine.signature import Field, Signature

PREVIEW_CELL = 200
_MOST_KNOWN = 10_000
"""So many different values of a field are remembered as good ones."""


class Judge:
    """Says of rows which splits they name, what is wrong with them, and which ask the same."""

    def __init__(self, choices: Choices, signature: Signature | None) -> None:
        self._split_column = choices.split_column if choices.split_by == "column" else ""
        self._checks: list[_Check] = []
        names = list(choices.mapping)
        if signature is not None:
            mapped = [field for field in signature.fields if field.name in choices.mapping]
            self._checks = [_Check(f, choices.mapping[f.name]) for f in mapped]
            names = [field.name for field in mapped if field.role == "input"]
        not_inputs = (
            {choices.split_column} if signature else {choices.split_column, choices.balance}
        )
        inputs = {choices.mapping[name] for name in names} - not_inputs
        if signature is None:
            inputs = {name for name in inputs if name.strip().casefold() not in ID_COLUMNS}
        self._inputs = [choices.group] if choices.split_by == "group" else sorted(inputs)

    def __call__(self, batch: Batch) -> tuple[bytearray, dict[int, list[Problem]]]:
        """The codes of the rows as `Splitter.extend` takes them, and what is wrong by index."""
        count = batch.count
        columns = dict(zip(batch.columns, batch.cells, strict=True))
        found = {index: list(problems) for index, problems in batch.odd.items()}
        hopeless = {i for i, problems in found.items() if any(p.drops for p in problems)}
        empty: Sequence[Any] = [None] * count
        for check in self._checks:
            for index, problem in check(columns.get(check.column, empty), batch.start):
                if index not in hopeless:
                    found.setdefault(index, []).append(problem)
        codes = bytearray([OPEN]) * count
        if self._split_column:
            values = columns.get(self._split_column, empty)
            for index, value in enumerate(values):
                split = read_split(value)
                if split is not None:
                    codes[index] = SPLITS.index(split)
                elif index not in hopeless:
                    what = (
                        f"“{shorten(text_of(value), 40)}” is not train, dev, validation or test."
                    )
                    problem = dropped("split", self._split_column, what, batch.start + index)
                    found.setdefault(index, []).append(problem)
        for index, problems in found.items():
            if any(problem.drops for problem in problems):
                codes[index] = LEFT_OUT
        return codes, found

    def keys(self, batch: Batch) -> list[int]:
        """A hash of what each row gives to a program: equal inputs, equal keys.

        Rows with equal keys go to one split; so do those of a group, when it is split by groups.
        """
        columns = dict(zip(batch.columns, batch.cells, strict=True))
        count = batch.count
        given = [_hashable(columns.get(name), count) for name in self._inputs]
        if len(given) == 1:
            return list(map(hash, given[0]))
        return list(map(hash, zip(*given, strict=True))) if given else [0] * count


class _Check:
    """Whether values can be read as a field's type; good ones are remembered."""

    def __init__(self, field: Field, column: str) -> None:
        self.field = field
        self.column = column
        # Any text is a text; most columns are texts without bounds.
        self._any_text = field.type.bare.kind == "str" and not field.constraints
        self._good: set[Any] = set()

    def __call__(self, values: Sequence[Any], start: int) -> list[tuple[int, Problem]]:
        field, good = self.field, self._good
        if self._any_text and set(map(type, values)) == {str}:
            return []
        found = []
        for index, value in enumerate(values):
            if value is None:
                if field.required:
                    what = f"{field.name}: the column “{self.column}” is empty."
                    found.append((index, dropped("missing", self.column, what, start + index)))
                continue
            known = isinstance(value, str)
            if known and value in good:
                continue
            try:
                field.read(value)
            except ParseError as error:
                kind, what = "type", str(error)
                if field.type.kind == "enum":
                    shown = shorten(text_of(value), 60)
                    kind = "label"
                    what = f"{field.name}: “{shown}” is none of {', '.join(field.type.labels)}."
                found.append((index, dropped(kind, self.column, what, start + index)))
            else:
                if known and len(good) < _MOST_KNOWN:
                    good.add(value)
        return found


def dropped(kind: str, column: str, what: str, row: int) -> Problem:
    """A problem for which a row is left out."""
    return Problem(
        kind=kind, column=column, what=what, done="The row is left out.", drops=True, row=row
    )


_PLAIN = {str, bool, int, float, type(None)}


def _hashable(values: Sequence[Any] | None, count: int) -> Sequence[Any]:
    if values is None:
        return [None] * count
    return values if set(map(type, values)) <= _PLAIN else [text_of(value) for value in values]


def text_of(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_json(value)


def shorten(text: str, limit: int = PREVIEW_CELL) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def values_of(batch: Batch, index: int) -> Mapping[str, Any]:
    """The values of one row of a batch."""
    return {
        name: cells[index]
        for name, cells in zip(batch.columns, batch.cells, strict=True)
        if cells[index] is not None
    }
