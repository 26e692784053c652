"""Objects out of JSON lines, and why there is none on a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, TextIO

from studio.datasets.problems import Problem
from studio.datasets.sniffing import MAX_CELL

TOO_LONG = Problem(
    kind="huge",
    what=f"A cell is longer than {MAX_CELL:,} characters.",
    done="The row is left out.",
    drops=True,
)


def bounded_lines(stream: TextIO) -> Iterator[tuple[int, str, bool]]:
    """(line, text, too long); of a line that is too long only the beginning."""
    number = 0
    while text := stream.readline(MAX_CELL + 1):
        number += 1
        too_long = len(text) > MAX_CELL
        rest = text
        while too_long and not rest.endswith(("\n", "\r")):
            rest = stream.readline(MAX_CELL + 1)
            if not rest:
                break
        yield number, text, too_long


def read_object(text: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The object on a line, or a problem that says why there is none."""
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(found)
        if len(read) < len(found):
            names = [name for name, _value in found]
            twice.extend(name for name in read if names.count(name) > 1)
        return read

    try:
        values = json.loads(
            text, parse_constant=_refuse_number, parse_float=_finite, object_pairs_hook=pairs
        )
    except json.JSONDecodeError as error:
        return {}, (_no_object(f"It is not JSON: {error.msg} at character {error.colno}."),)
    except RecursionError:
        return {}, (_no_object("It is nested too deeply."),)
    except ValueError as error:  # our own refusals, and numbers of more than 4,300 digits
        return {}, (_no_object(str(error)),)
    if not isinstance(values, dict):
        hint = "It is a list" if isinstance(values, list) else "It is a single value"
        return {}, (_no_object(f"{hint}; each line holds one object, {{…}}."),)
    problems: list[Problem] = []
    if twice:
        problems.append(_no_object(f"The name “{twice[0][:80]}” stands twice in it."))
    if "\\u" in text or "\0" in text or "" in values:
        cleaned = _clean(values)
        if cleaned != values:
            values = cleaned
            problems.append(_UNWRITABLE)
    return values, tuple(problems)


_UNWRITABLE = Problem(
    kind="nul",
    what="It holds NUL characters, halves of characters, or a value without a name.",
    done="They are removed; the nameless value is called “unnamed”.",
)


def _no_object(what: str) -> Problem:
    return Problem(kind="json", what=what, done="The row is left out.", drops=True)


def _refuse_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON: write null, or leave the value out.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number.")
    return number


def _clean(value: Any) -> Any:
    """Without characters that neither UTF-8 nor Postgres can hold."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(name) or "unnamed": _clean(item) for name, item in value.items()}
    return value
