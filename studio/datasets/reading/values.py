"""Columns of Parquet files as values that JSON has, and what had to be said about them."""

from __future__ import annotations

import base64
import json
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from arro3.core import Array, DataType, Field

from studio.datasets.reading.columns import Column, Values, Wrong, is_any, written
from studio.datasets.reading.jsonlines import Decoder, clean, no_number
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.times import (
    dates,
    durations,
    out_of_range,
    times,
    timestamps,
    zone_of,
)

_EXACT = 15
"""Digits that every number of JSON readers keeps."""
_NUL = Problem(kind="nul", what="It holds NUL characters.", done="They are removed.")


def column_of(name: str, found: Field) -> Column:
    """How to read a column of this type."""
    type_ = found.type
    extension = found.metadata_str.get("ARROW:extension:name", "")
    said = partial(written, name)
    if extension == "arrow.uuid" and is_any(type_, "fixed_size_binary"):
        return Column(name, _uuids)
    if extension == "arrow.json" and is_any(type_, *_TEXT):
        return Column(name, partial(_json, name))
    if is_any(type_, "null", "boolean", "integer"):
        return Column(name, lambda array, wrong: list(array.to_pylist()))
    if is_any(type_, *_TEXT):
        return Column(name, partial(_text, name), is_text=True)
    if is_any(type_, "floating"):
        return Column(name, partial(_floats, name))
    if is_any(type_, "decimal"):
        return _decimals(name, type_)
    if is_any(type_, "date"):
        return dates(name)
    if is_any(type_, "time"):
        return times(name, type_)
    if is_any(type_, "timestamp"):
        return timestamps(name, type_)
    if is_any(type_, "duration"):
        return durations(name, type_)
    if is_any(type_, *_BINARY):
        about = said(
            "It holds bytes.", "What is UTF-8 is read as text, the rest is written in Base64."
        )
        return Column(name, partial(_binary, name), (about,))
    if unknown := next(_unknown_types(type_), ""):
        about = said(f"It holds values of a type that is not known here ({unknown}).",
                     "The column stays empty.")  # fmt: skip
        return Column(name, lambda array, wrong: [None] * len(array), (about,))
    return Column(name, partial(_nested, name))


_TEXT = ("string", "large_string", "string_view")
_BINARY = ("binary", "large_binary", "binary_view", "fixed_size_binary")


def _title(type_: DataType) -> str:
    """`Interval(MonthDayNano)`."""
    return re.sub(r"\s+", " ", str(type_)).removeprefix("arro3.core.DataType<").rstrip(" >")[:60]


def _unknown_types(type_: DataType) -> Iterator[str]:
    """Types in it that `_nested` cannot read."""
    if is_any(type_, "struct"):
        for inner in type_.fields:
            yield from _unknown_types(inner.type)
    elif is_any(type_, "list", "large_list", "fixed_size_list", "dictionary"):
        if type_.value_type is not None:
            yield from _unknown_types(type_.value_type)
    elif is_any(type_, "map"):  # its parts cannot be asked for, only read in its description
        described = _FIELD_NAME.sub("", str(type_))
        zones = [zone for zone in _ZONE.findall(described) if zone_of(zone) is None]
        if zones or _UNREADABLE.search(described):
            yield _title(type_)
    elif is_any(type_, "timestamp"):
        if type_.tz and zone_of(type_.tz) is None:
            yield _title(type_)
    elif not is_any(type_, *_KNOWN):
        yield _title(type_)


_KNOWN = (
    *("null", "boolean", "integer", "floating", "decimal", "date", "time", "duration"),
    *_TEXT,
    *_BINARY,
)


_FIELD_NAME = re.compile(r'"(?:[^"\\]|\\.)*":')
_ZONE = re.compile(r'Timestamp\(\w+, "([^"]*)"\)')
_UNREADABLE = re.compile(r"Interval|Union|RunEndEncoded|ListView")


def _text(name: str, array: Array, wrong: Wrong) -> Values:
    values: Values = list(array.to_pylist())
    if "\0" in "".join(filter(None, values)):
        for index, value in enumerate(values):
            if value and "\0" in value:
                values[index] = clean(value)
                wrong(index, _NUL)
    return values


def _floats(name: str, array: Array, wrong: Wrong) -> Values:
    values: Values = list(array.to_pylist())
    for index, value in enumerate(values):
        if value is not None and not math.isfinite(value):
            values[index] = None
            wrong(index, no_number(_JSON_NAMES[str(value)], name))
    return values


_JSON_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _decimals(name: str, type_: DataType) -> Column:
    digits = [int(number) for number in re.findall(r"-?\d+", _title(type_).partition("(")[2])]
    precision, scale = digits if len(digits) == 2 else (99, 0)
    if precision <= _EXACT:
        as_number: Callable[[Any], Any] = int if scale <= 0 else float
        about = written(name, "It holds decimals.", "They are read as numbers.")
        read = as_number
    else:
        about = written(
            name,
            f"It holds decimals of up to {precision} digits, more than numbers in JSON keep.",
            "They are read as text.",
        )
        read = _plain
    return Column(
        name,
        lambda array, wrong: [None if v is None else read(v) for v in array.to_pylist()],
        (about,),
    )


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _binary(name: str, array: Array, wrong: Wrong) -> Values:
    values: Values = list(array.to_pylist())
    for index, value in enumerate(values):
        if value is None:
            continue
        values[index], problem = _decoded(name, value)
        if problem is not None:
            wrong(index, problem)
    return values


def _decoded(name: str, value: bytes) -> tuple[str, Problem | None]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return text, None
    return base64.b64encode(value).decode(), Problem(
        kind="bytes", column=name, what="It holds bytes that are no text.",
        done="They are written in Base64.",
    )  # fmt: skip


def _uuids(array: Array, wrong: Wrong) -> Values:
    return [None if value is None else str(uuid.UUID(bytes=value)) for value in array.to_pylist()]


def _json(name: str, array: Array, wrong: Wrong) -> Values:
    values: Values = list(array.to_pylist())
    decoder = Decoder()
    for index, text in enumerate(values):
        if text is None:
            continue
        try:
            value, _end, problems = decoder.value(text.strip())
        except (json.JSONDecodeError, RecursionError):
            what, done = "It should be JSON, and is not.", "It is read as text."
            problems = (Problem(kind="json", column=name, what=what, done=done),)
            value = text
        values[index] = clean(value)
        for problem in problems:
            if not problem.drops:
                wrong(index, problem)
    return values


def _nested(name: str, array: Array, wrong: Wrong) -> Values:
    """Lists, structs, maps and dictionaries."""
    try:
        values: Values = list(array.to_pylist())
    except (ValueError, OverflowError):  # a time that Python does not have
        values = []
        for index in range(len(array)):
            try:
                values.append(array.slice(index, 1).to_pylist()[0])
            except (ValueError, OverflowError):
                values.append(None)
                wrong(index, out_of_range(name))
    for index, value in enumerate(values):
        notes: dict[str, Problem] = {}
        values[index] = _plain_value(name, value, notes)
        for problem in notes.values():
            wrong(index, problem)
    return values


_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    Decimal: _plain,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
}


def _plain_value(name: str, value: Any, notes: dict[str, Problem]) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return clean(value) if "\0" in value else value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        notes["number"] = no_number(_JSON_NAMES[str(value)], name)
        return None
    if isinstance(value, dict):
        return {clean(str(k)) or "unnamed": _plain_value(name, v, notes) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain_value(name, item, notes) for item in value]
        return dict(items) if _is_map(value, items) else items
    if isinstance(value, bytes):
        text, problem = _decoded(name, value)
        if problem is not None:
            notes["bytes"] = problem
        return text
    return _WRITTEN[type(value)](value)


def _is_map(value: Any, items: list[Any]) -> bool:
    """Maps come as a list of pairs; with text as keys they are objects in JSON."""
    return (
        bool(items)
        and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value)
        and all(isinstance(pair[0], str) for pair in items)
        and len({pair[0] for pair in items}) == len(items)
    )
