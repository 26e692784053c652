"""What is odd about single rows: values, blanks, length, letters, what is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.datasets.models import Dataset
from studio.datasets.reading import Batch
from studio.datasets.scanning import encoding, personal
from studio.datasets.scanning.collecting import Collector
from studio.datasets.scanning.columns import Columns
from studio.datasets.scanning.folding import digest
from studio.datasets.scanning.kinds import EMPTY, ENCODING, LONG, PERSONAL, TYPE
from studio.datasets.table import Piece
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.judging import Judge, text_of
from studio.datasets.uploading.looking import signatures_of
from studio.engine.lm.embedded_server import CONTEXT_TOKENS

LETTERS = 4
"""Characters of a token, about."""
MOST_TOKENS = 16_000
"""Inputs that are longer are told of, whatever the language model."""


class Oddities:
    """Looks at rows one by one."""

    def __init__(self, dataset: Dataset, columns: Columns, collector: Collector) -> None:
        self._columns = columns
        self._collector = collector
        self._limit, self.limit_of = context_of(dataset)
        self._judge = _judge_of(dataset, columns)

    def add(self, piece: Piece, there: Sequence[int]) -> None:
        """A block, and the indices of the rows that are there."""
        content, spot = piece.content, piece.spot
        for name in self._columns.texts:
            self._look_through(name, content.column(name), piece, there)
        sizes = [content.column(name) for name in self._columns.inputs]
        for index in there:
            size = sum(len(text_of(column[index])) for column in sizes) // LETTERS
            if size > self._limit:
                self._tell(
                    LONG.name,
                    piece,
                    index,
                    "",
                    [column[index] for column in sizes],
                    what=f"About {size:,} tokens; {self.limit_of} {self._limit:,}.",
                )
        if self._judge is not None:
            wanted = [name for name in content.columns if name in self._columns.fields]
            missing = [name for name in self._columns.fields if name not in content.columns]
            names = [*wanted, *missing]
            batch = Batch(
                start=spot.start,
                columns=tuple(names),
                cells=tuple(content.column(name) for name in names),
                count=content.count,
            )
            _codes, found = self._judge(batch)
            present = set(there)
            for index, problems in found.items():
                for problem in problems if index in present else ():
                    value = content.column(problem.column)[index]
                    self._tell(TYPE.name, piece, index, problem.column, [value], why=problem.kind)

    def empty(self, number: int, split: int) -> None:
        """A row without inputs."""
        self._collector.add(EMPTY.name, (number,), [(number, split)])

    def _look_through(
        self, name: str, values: Sequence[Any], piece: Piece, there: Sequence[int]
    ) -> None:
        for index in there:
            value = values[index]
            if not isinstance(value, str):
                if not isinstance(value, list | dict):
                    continue
                value = text_of(value)
            if hints := personal.find(value):
                types = sorted({hint.kind for hint in hints})
                self._tell(PERSONAL.name, piece, index, name, [value], types=types)
            if encoding.is_damaged(value):
                self._tell(ENCODING.name, piece, index, name, [value])

    def _tell(
        self,
        kind: str,
        piece: Piece,
        index: int,
        column: str,
        values: Sequence[Any],
        **data: Any,
    ) -> None:
        number = piece.spot.start + index
        content = digest("\n".join(map(text_of, values))).hex()
        named = (number, column, content)
        about = {"column": column} if column else {}
        rows = [(number, piece.spot.splits[index])]
        self._collector.add(kind, named, rows, {**about, **data})


def context_of(dataset: Dataset) -> tuple[int, str]:
    """Tokens that inputs may have, and whose limit that is."""
    kinds = set(dataset.project.connections.values_list("kind", flat=True))
    if "embedded" in kinds:
        return CONTEXT_TOKENS // 2, "the embedded model has room for demos and an answer up to"
    return MOST_TOKENS, "this is told from"


def _judge_of(dataset: Dataset, columns: Columns) -> Judge | None:
    """What says of values at an upload whether they fit; None without a signature."""
    choices: Mapping[str, Any] = dataset.report.get("choices") or {}
    signature = signatures_of(dataset.project).get(str(choices.get("signature") or ""))
    if signature is None or not columns.fields:
        return None
    mapping = {one.name: column for column, one in columns.fields.items()}
    return Judge(Choices(name=dataset.name, mapping=mapping), signature)
