"""Values that are one short text: texts, numbers, yes or no, days, labels."""

from __future__ import annotations

import json
import math
import re
import reprlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from studio.engine.errors import ParseError
from studio.engine.fields.brackets import shorten
from studio.engine.fields.jsontext import is_json

if TYPE_CHECKING:
    from studio.engine.fields.types import FieldType

_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
_MARKS = " \t\r\n\"'`*"
"""What models put around a short value."""
_INT = re.compile(r"[+-]?(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})(?:\.0+)?\Z")
_FLOAT = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z"
)
_LARGEST_INT = 10**30
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
to_json = json.JSONEncoder(ensure_ascii=False).encode


def expected(type_: FieldType, value: Any, field: str, why: str = "") -> ParseError:
    """The error that names the field, what was expected and what came."""
    try:
        shown = _SHORT.repr(value[:200] if isinstance(value, str) else value)
    except ValueError:
        shown = f"a very large {type(value).__name__}"
    reason = f": {why}" if why else ""
    return ParseError(
        f"{field}: expected {shorten(str(type_), 120)}, got {shown}{reason}.",
        field=field,
        text=value if isinstance(value, str) else shown,
    )


def read_str(type_: FieldType, value: Any, field: str) -> str:
    """A text; a number or yes or no as its text."""
    if isinstance(value, str):
        return value
    if value is None or not isinstance(value, (int, float)) or not is_json(value):
        raise expected(type_, value, field)
    return plain_text(type_, value)


def read_int(type_: FieldType, value: Any, field: str) -> int:
    """A whole number of at most 30 digits."""
    if isinstance(value, str):
        if value.isdecimal() and len(value) <= 30:
            return int(value)
        text = value.strip(_MARKS)
        if not _INT.match(text):
            raise expected(type_, value, field)
        value = int(text.partition(".")[0].replace(",", ""))
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST_INT:
        raise expected(type_, value, field)
    return value


def read_float(type_: FieldType, value: Any, field: str) -> float:
    """A finite number."""
    if isinstance(value, str):
        text = value.strip(_MARKS)
        if not _FLOAT.match(text):
            raise expected(type_, value, field)
        number = float(text.replace(",", ""))
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise expected(type_, value, field)
    else:
        try:
            number = float(value)
        except OverflowError:
            raise expected(type_, value, field) from None
    if not math.isfinite(number):
        raise expected(type_, value, field)
    return number


def read_bool(type_: FieldType, value: Any, field: str) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    if type(value) is int and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        text = value.strip(_MARKS + ".").lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
    raise expected(type_, value, field)


def read_enum(type_: FieldType, value: Any, field: str) -> str:
    """A label, whatever its capitals, if it can only be one."""
    if not isinstance(value, str):
        if not isinstance(value, (bool, int, float)) or not is_json(value):
            raise expected(type_, value, field)
        value = plain_text(type_, value)
    if value in type_.labels:
        return str(value)
    text = value.strip(_MARKS + ".").casefold()
    same = [label for label in type_.labels if label.strip(_MARKS + ".").casefold() == text]
    found = same if text else []
    if len(found) != 1:
        found = [label for label in same if label == value.strip()]
    if len(found) != 1:
        raise expected(type_, value, field)
    return found[0]


def read_date(type_: FieldType, value: Any, field: str) -> str:
    """A day in ISO form; of a date with a time its day, as written."""
    if isinstance(value, date):
        return str(value)[:10]
    if isinstance(value, str) and len(value) < 100:
        text = value.strip(_MARKS + ".")
        for kind in (date, datetime):
            try:
                return kind.fromisoformat(text).isoformat()[:10]
            except ValueError:
                continue
    raise expected(type_, value, field, "a date is written as 2024-02-29")


def plain_text(type_: FieldType, value: Any) -> str:
    """The text of a value that is read back from it; of any other, JSON or what Python says."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return to_json(value) if isinstance(value, (list, tuple, dict)) else str(value)
