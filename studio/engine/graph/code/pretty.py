"""Values and calls as Python is usually laid out: short on one line, long one argument a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.engine.graph.code.problems import CodeError

WIDTH = 88
_STEP = "    "
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Name:
    """Code that stands as it is: a variable, or a field of one."""

    code: str


Argument = tuple[str, Any]
"""A word and its value; without a word it is told by its place."""


def call(before: str, arguments: Sequence[Argument]) -> str:
    """`before(…)`, such as `sort = triage.step(…)`."""
    return _wrapped(f"{before}(", [_argument(*argument) for argument in arguments], ")", "")


def literal(value: Any, indent: str = "", before: int = 0, depth: int = 0) -> str:
    """A value of JSON as Python writes it; what goes in lines is indented by `indent` and more.

    `before` letters stand on its line already. Raises `CodeError` for what is no JSON.
    """
    if isinstance(value, Name):
        return value.code
    if isinstance(value, str):
        return _text(value, indent, before)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, float) and value - value == 0:
        return repr(value)
    if depth > _DEEPEST:
        raise CodeError(f"A value is nested more than {_DEEPEST} deep.")
    items: list[tuple[str, Any]]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = [(f"{quote(key)}: ", inner) for key, inner in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, (list, tuple)):
        items = [("", inner) for inner in value]
        opening, closing = "[]" if isinstance(value, list) else "()"
    else:
        raise CodeError(f"{value!r} cannot be written as a plain value.")
    return _wrapped(opening, [_Item(*item, depth + 1) for item in items], closing, indent, before)


def quote(text: str) -> str:
    """A text in quotes on one line, double ones where they do; what cannot be seen is escaped."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(_letter(letter, mark) for letter in text) + mark


@dataclass(frozen=True, slots=True)
class _Item:
    head: str
    value: Any
    depth: int = 0

    def write(self, indent: str) -> str:
        """The item where a line of its own begins."""
        return self.head + literal(self.value, indent, len(indent) + len(self.head), self.depth)


def _argument(word: str, value: Any) -> _Item:
    return _Item(f"{word}=" if word else "", value)


def _wrapped(
    opening: str, items: Sequence[_Item], closing: str, indent: str, before: int = 0
) -> str:
    inner = indent + _STEP
    written = [item.write(inner) for item in items]
    flat = opening + ", ".join(written) + closing
    if before + len(flat) < WIDTH and "\n" not in flat:
        return flat
    if not items:
        return opening + closing
    lines = "".join(f"\n{inner}{text}," for text in written)
    return f"{opening}{lines}\n{indent}{closing}"


def _text(text: str, indent: str, before: int) -> str:
    """A text; a long one in pieces, which Python puts together."""
    whole = quote(text)
    if before + len(whole) < WIDTH and "\n" not in text[:-1]:
        return whole
    inner = indent + _STEP
    room = WIDTH - len(inner) - 2
    pieces = [piece for line in _lines(text) for piece in _pieces(line, room)]
    if len(pieces) < 2:
        return whole
    lines = "".join(f"\n{inner}{quote(piece)}" for piece in pieces)
    return f"({lines}\n{indent})"


def _lines(text: str) -> list[str]:
    """The lines with their ends, of which only the common one is one."""
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def _pieces(line: str, most: int) -> list[str]:
    pieces, start = [], 0
    while len(line) - start > most:
        cut = line.rfind(" ", start, start + most) + 1
        if cut <= start:
            cut = start + most
        pieces.append(line[start:cut])
        start = cut
    return [*pieces, line[start:]]


def _letter(letter: str, mark: str) -> str:
    if letter in (mark, "\\"):
        return "\\" + letter
    return letter if letter.isprintable() else repr(letter)[1:-1]
