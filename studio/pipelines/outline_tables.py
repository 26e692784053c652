"""The tables of a step's form: its fields and its pinned demos, as flat texts and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import EngineError, GraphError, ParseError, SignatureError
from studio.engine.fields import Constraints, FieldType, check_applies, parse_type, write_value
from studio.engine.graph import edits
from studio.engine.signature import Field

Values = dict[str, str]

MOST_ROWS = 200
LIMITS = {
    "min": "At least",
    "max": "At most",
    "multiple_of": "Multiple of",
    "min_length": "Length at least",
    "max_length": "Length at most",
    "pattern": "Matches the pattern",
}
_PROBES: dict[str, Any] = {**dict.fromkeys(LIMITS, 1), "pattern": "a"}
_COLUMNS = ("name", "role", "type", "description", "default", *LIMITS)


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound of a field's values."""

    key: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One line of the table of fields."""

    number: int
    name: str
    role: str
    type: str
    description: str
    default: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One pinned demo: for each field its name, its side, its type and its value as text."""

    number: int
    cells: tuple[tuple[str, str, str, str], ...]


def field_rows(values: Values) -> tuple[FieldRow, ...]:
    rows = []
    for number in range(MOST_ROWS):
        if f"field.{number}.name" not in values:
            break
        cell = {key: values.get(f"field.{number}.{key}", "") for key in _COLUMNS}
        limits = tuple(
            Limit(key, label, cell[key])
            for key, label in LIMITS.items()
            if cell[key] or _applies(key, cell["type"])
        )
        texts = {key: cell[key] for key in ("name", "role", "type", "description", "default")}
        rows.append(FieldRow(number=number, limits=limits, **texts))
    return tuple(rows)


def _applies(key: str, type_: str) -> bool:
    """Whether a bound says anything about values of a type."""
    try:
        check_applies(Constraints(**{key: _PROBES[key]}), parse_type(type_), field="")
    except SignatureError:
        return False
    return True


def read_fields(node: Mapping[str, Any], before: Values, new: Values) -> list[dict[str, Any]]:
    """The fields as the table says; what was not touched in it stays to the letter."""
    table = []
    for number, old in enumerate(edits.table_of(dict(node))):
        keys = {key: f"field.{number}.{key}" for key in _COLUMNS}
        cell = {key: new.get(name, before[name]).strip() for key, name in keys.items()}
        touched = {key for key, name in keys.items() if cell[key] != before[name].strip()}
        one = {**old, **{key: cell[key] for key in touched & {"name", "role", "description"}}}
        if "type" in touched:
            one["type"] = str(parse_type(cell["type"] or "str"))
        if touched & set(LIMITS):
            one["constraints"] = {key: _bound(key, cell[key]) for key in LIMITS if cell[key]}
        if "default" in touched:
            one.pop("default", None)
            if cell["default"]:
                plain = {key: value for key, value in one.items() if key != "default"}
                one["default"] = Field.from_dict({**plain, "role": "input"}).read(cell["default"])
        table.append(one)
    return table


def _bound(key: str, text: str) -> Any:
    if key == "pattern":
        return text
    try:
        number = json.loads(text)
    except (ValueError, RecursionError):
        number = None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise SignatureError(f"{LIMITS[key]}: expected a number, got “{text[:40]}”.")
    return number


def write_field(one: Mapping[str, Any]) -> Values:
    """A field as the table writes it."""
    limits = one.get("constraints")
    limits = limits if isinstance(limits, dict) else {}
    texts = {key: _text(limits[key]) if key in limits else "" for key in LIMITS}
    return {
        "name": one["name"],
        "role": "output" if one.get("role") == "output" else "input",
        "type": _text(one.get("type", "str")),
        "description": _text(one.get("description", "")),
        "default": _default(one),
        **texts,
    }


def _default(one: Mapping[str, Any]) -> str:
    if "default" not in one:
        return ""
    try:
        return write_value(parse_type(_text(one.get("type", "str"))), one["default"])
    except (EngineError, AttributeError, KeyError, TypeError, ValueError):
        return _text(one["default"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_demos(node: Mapping[str, Any], before: Values, new: Values) -> list[dict[str, Any]]:
    """The pinned demos as they were typed; an empty cell is no value."""
    demos = []
    for number, old in enumerate(node.get("demos", [])):
        demo = dict(old)
        for name, type_ in demo_fields(node):
            key = f"demo.{number}.{name}"
            text = new.get(key, before[key])
            if text.strip() == before[key].strip():
                continue
            demo.pop(name, None)
            if text.strip():
                demo[name] = _read_cell(type_, text, f"Demo {number + 1}, {name}")
        demos.append(demo)
    return demos


def demo_fields(node: Mapping[str, Any]) -> list[tuple[str, FieldType | None]]:
    """The fields that a demo may have."""
    return [(row.name, row.type) for row in edits.rows_of(node)]


def side_of(node: Mapping[str, Any], name: str) -> str:
    return next((row.role for row in edits.rows_of(node) if row.name == name), "input")


def write_cell(type_: FieldType | None, demo: Mapping[str, Any], name: str) -> str:
    if name not in demo:
        return ""
    try:
        return write_value(type_, demo[name]) if type_ else _text(demo[name])
    except (EngineError, AttributeError, KeyError, TypeError, ValueError):
        return _text(demo[name])


def _read_cell(type_: FieldType | None, text: str, where: str) -> Any:
    if type_ is None:
        raise GraphError(f"{where}: the type of the field cannot be read yet.")
    one = Field(name="value", role="input", type=type_)
    try:
        return one.read(text)
    except ParseError as error:
        raise GraphError(f"{where}: {str(error).removeprefix('value: ')}") from None
