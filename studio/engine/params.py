"""Parameters: frozen dataclasses whose metadata make the form, the validation and the API."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from studio.engine.errors import EngineError

T = TypeVar("T")

_WORDS = {int: "a whole number", float: "a number", bool: "yes or no", str: "a text"}


def read_params(kind: type[T], values: Mapping[str, Any]) -> T:
    """`values` (JSON) as an instance of the dataclass `kind`; absent ones take their defaults.

    Raises `EngineError` that names the parameter and what it expects. Metadata `min`, `max` and
    `choices` are enforced.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        known = ", ".join(fields) or "none"
        raise EngineError(f"There is no parameter “{unknown[0]}”. Known parameters are {known}.")
    hints = typing.get_type_hints(kind)
    read = {name: _read(fields[name], hints[name], value) for name, value in values.items()}
    missing = [
        field.name
        for field in fields.values()
        if field.name not in read
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        first = fields[missing[0]].metadata
        told = f" {first['help']}" if first.get("help") else ""
        label = first.get("label", missing[0])
        raise EngineError(f"The parameter “{missing[0]}” is missing: fill in {label}.{told}")
    return kind(**read)


def _read(field: dataclasses.Field[Any], hint: Any, value: Any) -> Any:
    label = field.metadata.get("label", field.name)
    if typing.get_origin(hint) is tuple:
        return _read_names(label, value)
    wanted = _scalar(hint)
    if value is None and type(None) in typing.get_args(hint):
        return None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise EngineError(f"{label}: expected {_WORDS[wanted]}, got {value!r}.")
    low, high = field.metadata.get("min"), field.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        raise EngineError(f"{label}: {value} is not between {low} and {high}.")
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise EngineError(f"{label}: {value!r} is none of {', '.join(map(str, choices))}.")
    if field.metadata.get("required") and not str(value).strip():
        raise EngineError(f"{label}: it is empty.")
    return value


def _read_names(label: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise EngineError(f"{label}: expected a list of texts, got {value!r}.")
    if twice := next((item for item in value if list(value).count(item) > 1), ""):
        raise EngineError(f"{label}: “{twice}” stands twice.")
    return tuple(value)


def _scalar(hint: Any) -> type:
    """`int` of `int | None`."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.cast(type, hint)
