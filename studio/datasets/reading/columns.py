"""How one column of a Parquet file is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arro3.core import Array, DataType

from studio.datasets.reading.problems import Problem

Values = list[Any]
Wrong = Callable[[int, Problem], None]
"""Told the index of a row and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of one column become values that JSON has."""

    name: str
    read: Callable[[Array, Wrong], Values]
    about: tuple[Problem, ...] = ()
    """What is to be said about all of it."""
    is_text: bool = False


def is_any(type_: DataType, *kinds: str) -> bool:
    """The type is one of these kinds; see the `is_…` of `DataType`."""
    return any(getattr(DataType, f"is_{kind}")(type_) for kind in kinds)


def written(column: str, what: str, done: str) -> Problem:
    """What JSON has no word for, and how it is written."""
    return Problem(kind="written", column=column, what=what, done=done)
