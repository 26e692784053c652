"""The first rows of a file as a person sees them: what is written, and what it is read as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.datasets.reading import Batch
from studio.datasets.reading.problems import Problem
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.judging import shorten, text_of, values_of
from studio.engine.errors import ParseError
from studio.engine.signature import Field, Signature

ROWS = 20
_KINDS = {bool: "bool", int: "int", float: "float", list: "list", dict: "object"}


class Preview:
    """Collects the first rows."""

    def __init__(self, choices: Choices, signature: Signature | None) -> None:
        fields = signature.fields if signature else ()
        self._field_of: dict[str, Field] = {}
        for field in fields:
            if field.name in choices.mapping:
                self._field_of.setdefault(choices.mapping[field.name], field)
        self.rows: list[dict[str, Any]] = []
        """`{"row", "left_out", "cells": {column: cell}}`; see `_cell`."""

    def add(self, batch: Batch, odd: Mapping[int, Sequence[Problem]]) -> None:
        """Rows of a batch, with what is wrong with them by index."""
        for index in range(min(batch.count, ROWS - len(self.rows))):
            wrong = odd.get(index, ())
            values = values_of(batch, index)
            columns = dict.fromkeys([*values, *(one.column for one in wrong if one.column)])
            self.rows.append(
                {
                    "row": batch.start + index,
                    "left_out": any(problem.drops for problem in wrong),
                    "cells": {
                        column: self._cell(column, values.get(column), wrong) for column in columns
                    },
                }
            )

    def _cell(self, column: str, value: Any, wrong: Sequence[Problem]) -> dict[str, str]:
        """`text` as it is written, and where that says more: `read` as, `type`, `wrong`."""
        text = text_of(value)
        cell = {"text": shorten(text)}
        said = [problem.what for problem in wrong if problem.column == column]
        if said:
            return {**cell, "wrong": " ".join(said)}
        field = self._field_of.get(column)
        if field is None:
            kind = _KINDS.get(type(value), "")
            return {**cell, "type": kind} if kind else cell
        try:
            read = text_of(field.read(value)) if value is not None else ""
        except ParseError as error:  # for an optional field, say
            return {**cell, "wrong": str(error)}
        if field.type.bare.kind not in ("str", "enum"):
            cell["type"] = str(field.type)
        if read != text:
            cell["read"] = shorten(read)
        return cell
