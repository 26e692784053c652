"""What a value must satisfy beyond its type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from studio.engine.errors import ParseError, SignatureError
from studio.engine.fields.brackets import shorten
from studio.engine.fields.patterns import compile_pattern, found_in

if TYPE_CHECKING:
    from studio.engine.fields.types import FieldType


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Bounds that reading a value enforces and a prompt tells; None: no bound.

    Raises `SignatureError` when a bound is no number, no length or no pattern, or when two of
    them leave nothing.
    """

    min: float | None = None
    """The smallest number."""
    max: float | None = None
    """The largest number."""
    multiple_of: float | None = None
    """Exact in decimals: 0.3 is a multiple of 0.1."""
    min_length: int | None = None
    """Of a text in characters, of a list, dict or history in items."""
    max_length: int | None = None
    pattern: str | None = None
    """A regular expression (of the package `regex`) that is found in the text."""

    def __post_init__(self) -> None:
        for name in ("min", "max", "multiple_of"):
            bound = getattr(self, name)
            if bound is not None and not (is_number(bound) and math.isfinite(bound)):
                raise SignatureError(f"{name}: expected a number, got {shorten(repr(bound))}.")
        for name in ("min_length", "max_length"):
            bound = getattr(self, name)
            if bound is not None and (type(bound) is not int or bound < 0):
                raise SignatureError(
                    f"{name}: expected a whole number, 0 or more, got {shorten(repr(bound))}."
                )
        if self.multiple_of is not None and self.multiple_of <= 0:
            raise SignatureError(f"multiple_of: {self.multiple_of} is not above 0.")
        for low, high in (("min", "max"), ("min_length", "max_length")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise SignatureError(f"{low} {_figure(least)} is above {high} {_figure(most)}.")
        if self.pattern is not None:
            if not isinstance(self.pattern, str):
                raise SignatureError("pattern: expected a regular expression as a text.")
            compile_pattern(self.pattern)

    def __bool__(self) -> bool:
        """Whether there is any bound."""
        return self is not NO_CONSTRAINTS and self != NO_CONSTRAINTS

    def to_dict(self) -> dict[str, Any]:
        """JSON of the bounds that are set; `Constraints.from_dict` reads it back."""
        return {name: bound for name in _NAMES if (bound := getattr(self, name)) is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Constraints:
        """Read what `to_dict` wrote, or raise `SignatureError`."""
        if not isinstance(data, Mapping):
            raise SignatureError('Constraints are an object: write {"min": 1, "max": 5}.')
        unknown = sorted(set(data) - set(_NAMES))
        if unknown:
            raise SignatureError(
                f"There is no constraint “{shorten(unknown[0])}”. Known are {', '.join(_NAMES)}."
            )
        return cls(**data) if data else NO_CONSTRAINTS

    def describe(self, type_: FieldType | None = None) -> str:
        """The bounds in plain words for a prompt, such as `between 1 and 5`; empty without any.

        The type says what a length counts; without it, characters.
        """
        parts = [_between(self.min, self.max)]
        if self.multiple_of is not None:
            parts.append(f"a multiple of {_figure(self.multiple_of)}")
        if length := _between(self.min_length, self.max_length):
            last = self.min_length if self.max_length is None else self.max_length
            units = _UNITS.get(type_.bare.kind if type_ else "str", _CHARACTERS)
            parts.append(f"{length} {units[last != 1]}")
        if self.pattern is not None:
            parts.append(f"matching the regular expression `{self.pattern}`")
        return ", ".join(part for part in parts if part)


_NAMES = tuple(field.name for field in dataclass_fields(Constraints))
NO_CONSTRAINTS = Constraints()

_CHARACTERS = ("character", "characters")
_UNITS = {
    "str": _CHARACTERS,
    "code": _CHARACTERS,
    "list": ("item", "items"),
    "dict": ("entry", "entries"),
    "history": ("turn", "turns"),
}
_KINDS = {
    **dict.fromkeys(("min", "max", "multiple_of"), ("int", "float")),
    **dict.fromkeys(("min_length", "max_length"), tuple(_UNITS)),
    "pattern": ("str", "code"),
}
"""The kinds of values that a constraint says something about."""


def check_applies(constraints: Constraints, type_: FieldType, *, field: str) -> None:
    """Raise `SignatureError` when one of the constraints says nothing about `type_`."""
    for name in constraints.to_dict():
        if type_.bare.kind not in _KINDS[name]:
            raise SignatureError(
                f"{field}: “{name}” says nothing about {shorten(str(type_))}. "
                f"It is for {', '.join(_KINDS[name])}."
            )


def check_constraints(constraints: Constraints, value: Any, *, field: str) -> None:
    """Raise `ParseError` naming the first bound that `value` breaks; None breaks none."""
    if value is None:
        return
    for name, bound in constraints.to_dict().items():
        if broken := _BROKEN[name](value, bound, field):
            raise ParseError(
                f"{field}: {broken}.",
                field=field,
                text=value if isinstance(value, str) else shorten(repr(value)),
            )


def is_number(value: Any) -> bool:
    """Whether it is an int or a float; a bool is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_multiple(value: float, step: float) -> bool:
    """Whether the decimals that people read are multiples: 0.3 of 0.1."""
    return (Fraction(repr(value)) / Fraction(repr(step))).denominator == 1


def _figure(number: float) -> str:
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e16
    return str(int(number) if whole else number)


def _between(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        if least == most:
            return f"exactly {_figure(least)}"
        return f"between {_figure(least)} and {_figure(most)}"
    if least is not None:
        return f"at least {_figure(least)}"
    return f"at most {_figure(most)}" if most is not None else ""


def _below(value: Any, bound: float, field: str) -> str:
    if not is_number(value) or value >= bound:
        return ""
    return f"expected {_figure(bound)} or more, got {_figure(value)}"


def _above(value: Any, bound: float, field: str) -> str:
    if not is_number(value) or value <= bound:
        return ""
    return f"expected {_figure(bound)} or less, got {_figure(value)}"


def _no_multiple(value: Any, bound: float, field: str) -> str:
    if not is_number(value) or is_multiple(value, bound):
        return ""
    return f"expected a multiple of {_figure(bound)}, got {_figure(value)}"


def _too_short(value: Any, bound: int, field: str) -> str:
    if not isinstance(value, (str, list, dict)) or len(value) >= bound:
        return ""
    return f"expected a length of at least {bound}, got {len(value)}"


def _too_long(value: Any, bound: int, field: str) -> str:
    if not isinstance(value, (str, list, dict)) or len(value) <= bound:
        return ""
    return f"expected a length of at most {bound}, got {len(value)}"


def _no_match(value: Any, bound: str, field: str) -> str:
    if not isinstance(value, str) or found_in(bound, value, field=field):
        return ""
    return f"expected a text matching {shorten(bound)}, got {shorten(repr(value))}"


_BROKEN: dict[str, Callable[[Any, Any, str], str]] = {
    "min": _below,
    "max": _above,
    "multiple_of": _no_multiple,
    "min_length": _too_short,
    "max_length": _too_long,
    "pattern": _no_match,
}
