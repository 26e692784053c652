"""JSON equality: the answer is the expected object, whatever the order of its keys."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, field_param, find_pair, shown
from studio.engine.trace import Prediction

_SHOWN = 3
"""Differences that the reason names."""
_DEEPEST = 100


@dataclass(frozen=True, kw_only=True)
class JsonEqualityParams:
    """What people may set."""

    field: str = field_param("The output that is compared: an object, a list, or JSON as text.")
    ignore: tuple[str, ...] = param(
        default=(),
        metadata={
            "label": "Ignore keys",
            "help": "Keys that are not compared, at any depth, such as id or created_at.",
            "widget": "names",
        },
    )
    any_order: bool = param(
        default=False,
        metadata={
            "label": "Lists in any order",
            "help": "Lists are equal when they have the same items.",
        },
    )
    partial: bool = param(
        default=False,
        metadata={
            "label": "Partial credit",
            "help": "The share of keys and items that are right, instead of all or nothing.",
        },
    )


@dataclass(frozen=True)
class JsonEquality:
    """1 when the values are equal as JSON, else 0 or the share of keys that are."""

    params: JsonEqualityParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"JSON of {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = (_parse(value) for value in pair)
        differences: list[str] = []
        try:
            value = self._compare(gold, got, "", differences, 0)
        except _TooDeep:
            return Score.unscored(f"the values are nested more than {_DEEPEST} deep")
        if not differences:
            return Score(1.0, "every value is as expected")
        more = len(differences) - _SHOWN
        reason = "; ".join(differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return Score(min(value, 1 - 1e-9) if self.params.partial else 0.0, reason)

    def _compare(self, gold: Any, got: Any, where: str, found: list[str], depth: int) -> float:
        """The share of `gold` and `got` that is equal; differences go into `found`."""
        if depth > _DEEPEST:
            raise _TooDeep
        if isinstance(gold, dict) and isinstance(got, dict):
            keys = [key for key in gold | got if key not in self.params.ignore]
            shares = [
                self._compare_key(gold, got, key, f"{where}.{key}" if where else key, found, depth)
                for key in keys
            ]
        elif isinstance(gold, list) and isinstance(got, list):
            if self.params.any_order:
                return self._compare_sets(gold, got, where, found)
            shares = [
                self._compare(one, other, f"{where}[{at}]", found, depth + 1)
                for at, (one, other) in enumerate(zip(gold, got, strict=False))
            ]
            shares += [0.0] * abs(len(gold) - len(got))
            if len(gold) != len(got):
                found.append(f"{_at(where)}expected {len(gold)} items, got {len(got)}")
        elif _equal(gold, got):
            return 1.0
        else:
            found.append(f"{_at(where)}expected {shown(gold)}, got {shown(got)}")
            return 0.0
        return sum(shares) / len(shares) if shares else 1.0

    def _compare_key(
        self,
        gold: dict[str, Any],
        got: dict[str, Any],
        key: str,
        where: str,
        found: list[str],
        depth: int,
    ) -> float:
        where = where if len(where) <= 60 else f"…{where[-59:]}"
        if key not in got:
            found.append(f"{_at(where)}expected {shown(gold[key])}, and it is missing")
            return 0.0
        if key not in gold:
            found.append(f"{_at(where)}{shown(got[key])} is not expected")
            return 0.0
        return self._compare(gold[key], got[key], where, found, depth + 1)

    def _compare_sets(
        self, gold: list[Any], got: list[Any], where: str, found: list[str]
    ) -> float:
        wanted, given = (
            Counter(canonical_json(self._essence(item, 0)) for item in items)
            for items in (gold, got)
        )
        missing, extra = wanted - given, given - wanted
        found += [f"{_at(where)}{shown(json.loads(item))} is missing" for item in missing]
        found += [f"{_at(where)}{shown(json.loads(item))} is not expected" for item in extra]
        most = max(len(gold), len(got))
        return (wanted & given).total() / most if most else 1.0

    def _essence(self, value: Any, depth: int) -> Any:
        """What `_compare` looks at, so that equal values have one text."""
        if depth > _DEEPEST:
            raise _TooDeep
        if isinstance(value, dict):
            ignored = self.params.ignore
            return {k: self._essence(v, depth + 1) for k, v in value.items() if k not in ignored}
        if isinstance(value, list):
            items = [self._essence(item, depth + 1) for item in value]
            return sorted(items, key=canonical_json)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value


class _TooDeep(Exception):
    """Nested deeper than is compared."""


def _parse(value: Any) -> Any:
    """JSON in a text, also between Markdown fences, as what it means; other values as they are."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.partition("\n")[2].removesuffix("```")
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return value


def _equal(one: Any, other: Any) -> bool:
    """As JSON: 1 is 1.0, and neither is true."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _at(where: str) -> str:
    return f"{where}: " if where else ""


JSON_EQUALITY = MetricKind(
    name="json_equality",
    title="JSON equality",
    sentence="The answer is the expected object, or the share of its keys that are right.",
    params=JsonEqualityParams,
    make=lambda params, runtime: JsonEquality(params),
)
