"""One animal of the zoo: a file, and what becomes of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HUGE = 50_000_000
"""Bytes of a cell."""
NOISE = random.Random(0).randbytes(5000)
PLAIN = "message,label\nHello,x\nBye,y\n"
HELLO = {"message": "Hello", "label": "x"}
BYE = {"message": "Bye", "label": "y"}
CAFE = "message,label\nCafé,x\nÜber,y\n"
CAFES = ({"message": "Café", "label": "x"}, {"message": "Über", "label": "y"})


@dataclass(frozen=True, slots=True)
class Animal:
    """A file, and what is expected of its reader."""

    title: str
    filename: str
    make: Callable[[], bytes]
    refused: str = ""
    """Part of the sentence with which it is refused; empty when it is read."""
    rows: tuple[Mapping[str, Any], ...] | int = ()
    """What is read, without rows that are left out; or only how many rows."""
    columns: tuple[str, ...] = ()
    """In order; empty: those of the first row."""
    problems: frozenset[str] = frozenset()
    """Kinds of all problems: of rows, of the file, and of how it is to be read."""
    left_out: int = 0
    asks: bool = False
    """Whether the first row holds names is for a person to say."""


def reads(
    title: str,
    filename: str,
    content: bytes | str | Callable[[], bytes],
    *rows: Mapping[str, Any] | int,
    columns: tuple[str, ...] = (),
    problems: str = "",
    left_out: int = 0,
    asks: bool = False,
) -> Animal:
    """An animal that is read; `problems` are kinds with blanks between them."""
    expected = rows[0] if rows and isinstance(rows[0], int) else rows
    return Animal(
        title,
        filename,
        _maker(content),
        rows=expected,  # type: ignore[arg-type]
        columns=columns,
        problems=frozenset(problems.split()),
        left_out=left_out,
        asks=asks,
    )


def refuses(
    title: str, filename: str, content: bytes | str | Callable[[], bytes], sentence: str
) -> Animal:
    """An animal that is refused."""
    return Animal(title, filename, _maker(content), refused=sentence)


def _maker(content: bytes | str | Callable[[], bytes]) -> Callable[[], bytes]:
    if callable(content):
        return content
    data = content.encode() if isinstance(content, str) else content
    return lambda: data
