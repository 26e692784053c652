"""What rows have to be like: a text in one of their cells, and conditions on columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.datasets.blocks import Content
from studio.datasets.browsing.facts import LONGEST_VALUE, as_number, is_empty
from studio.datasets.models import Split
from studio.datasets.table import SPLITS
from studio.datasets.uploading.judging import text_of
from studio.errors import Invalid

LONGEST_SEARCH = 200
MOST_CONDITIONS = 8
_MARKS = frozenset('"\\{}[],:')
"""What stands between cells in a block: a phrase with one of these may be part of several."""


@dataclass(frozen=True, slots=True)
class Operator:
    """How a cell is compared."""

    label: str
    """As it stands in the filter's form."""
    needs_value: bool
    test: Callable[[Any, str, float | None], bool]
    """Takes the cell, and what it is compared with as it was typed and as a number."""


def _equal(cell: Any, text: str, number: float | None) -> bool:
    if number is not None and (found := as_number(cell)) is not None:
        return found == number
    return text_of(cell) == text


def _less(cell: Any, text: str, number: float | None) -> bool:
    if is_empty(cell):
        return False
    found = as_number(cell)
    if number is not None or found is not None:
        return number is not None and found is not None and found < number
    return text_of(cell).casefold() < text.casefold()


def _more(cell: Any, text: str, number: float | None) -> bool:
    if is_empty(cell):
        return False
    found = as_number(cell)
    if number is not None or found is not None:
        return number is not None and found is not None and found > number
    return text_of(cell).casefold() > text.casefold()


OPERATORS: Mapping[str, Operator] = {
    "is": Operator("is", True, _equal),
    "not": Operator("is not", True, lambda cell, text, number: not _equal(cell, text, number)),
    "has": Operator(
        "contains", True, lambda cell, text, _n: text.casefold() in text_of(cell).casefold()
    ),
    "below": Operator("is less than", True, _less),
    "above": Operator("is more than", True, _more),
    "empty": Operator("is empty", False, lambda cell, _text, _number: is_empty(cell)),
    "filled": Operator("is not empty", False, lambda cell, _text, _number: not is_empty(cell)),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What the cells of a column have to be."""

    column: str
    operator: str
    value: str = ""

    @property
    def phrase(self) -> str:
        """What is part of every cell that fulfils it, in small letters; empty: nothing is."""
        if self.operator == "has" or (self.operator == "is" and as_number(self.value) is None):
            return self.value.casefold()
        return ""

    def holds(self, cells: Sequence[Any], indices: Iterable[int]) -> list[int]:
        """Those of the rows that fulfil it."""
        test, number = OPERATORS[self.operator].test, as_number(self.value)
        return [index for index in indices if test(cells[index], self.value, number)]

    def may_hold(self, facts: Mapping[str, Any] | None, everywhere: int) -> int:
        """The blocks of a group that may have such a row, a bit for each."""
        if facts is None:
            return everywhere
        number = as_number(self.value)
        if self.operator == "empty":
            return _where(count > 0 for count in facts["empty"])
        if self.operator == "filled":
            return _where(count > 0 for count in facts["filled"])
        if self.operator == "is" and (number is not None or self.value):
            values = facts.get("values")
            if values is not None and number is None and len(self.value) <= LONGEST_VALUE:
                return int(values.get(self.value, "0"), 16)
            if number is not None:
                return _between(facts, lambda low, high: low <= number <= high)
        elif self.operator == "below" and number is not None:
            return _between(facts, lambda low, _high: low < number)
        elif self.operator == "above" and number is not None:
            return _between(facts, lambda _low, high: high > number)
        elif self.operator == "has" and facts.get("values") is not None:
            found, wanted = 0, self.value.casefold()
            for text, mask in facts["values"].items():
                if wanted in text.casefold():
                    found |= int(mask, 16)
            return found if wanted.strip() else everywhere
        return everywhere


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    text: str = ""
    """As it was typed; it has to be part of one cell, in small or capital letters."""
    splits: tuple[str, ...] = tuple(Split.values)
    conditions: tuple[Condition, ...] = ()
    phrase: str = field(init=False)
    """The text in small letters."""
    codes: bytes = field(init=False)
    """The bytes of `Place.splits` of the rows that are looked at."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "phrase", self.text.casefold())
        codes = bytes(SPLITS.index(Split(split)) for split in self.splits)
        object.__setattr__(self, "codes", codes)

    @property
    def reads_values(self) -> bool:
        """Whether one has to look at cells; splits are known without."""
        return bool(self.phrase or self.conditions)

    def cannot_be_in(self, text: bytes) -> bool:
        """Whether the JSON of a block shows that the phrase is in none of its cells."""
        phrase = self.phrase
        if not phrase or not phrase.isprintable() or _MARKS.intersection(phrase):
            return False
        if text.isascii():
            return phrase.encode() not in text.lower()
        return phrase not in text.decode().casefold()

    def matches(
        self, content: Content, splits: bytes, only: Collection[int] | None = None
    ) -> list[int]:
        """The indices of the rows of a block that fit, of all or of only some."""
        codes = self.codes
        asked = range(len(splits)) if only is None else sorted(only)
        left = [index for index in asked if splits[index] in codes]
        for condition in self.conditions:
            left = condition.holds(content.column(condition.column), left)
        if self.phrase and left:
            left = self._with_phrase(content, left)
        return left

    def _with_phrase(self, content: Content, indices: list[int]) -> list[int]:
        phrase, found = self.phrase, set[int]()
        for cells in content.cells:
            for index in indices:
                cell = cells[index]
                if cell is not None and index not in found:
                    text = cell if isinstance(cell, str) else text_of(cell)
                    if phrase in text.casefold():
                        found.add(index)
        return sorted(found)


def read_conditions(
    columns: Sequence[str], where: Sequence[str], how: Sequence[str], what: Sequence[str]
) -> tuple[Condition, ...]:
    """The conditions of a form whose lines say column, operator and value.

    Lines without a column are not filled in. Raises `Invalid` for what cannot be compared.
    """
    found: list[Condition] = []
    for at, column in enumerate(where):
        if not column:
            continue
        operator = how[at] if at < len(how) else "is"
        value = (what[at] if at < len(what) else "").replace("\0", "")[:LONGEST_SEARCH]
        if column not in columns:
            raise Invalid(f"There is no column “{column[:60]}” to filter by.")
        if operator not in OPERATORS:
            raise Invalid(
                f"“{operator[:20]}” compares nothing: say one of {', '.join(OPERATORS)}."
            )
        if OPERATORS[operator].needs_value and not value and operator not in ("is", "not"):
            raise Invalid(f"Say what “{column[:60]}” is compared with.")
        condition = Condition(column, operator, value)
        if condition not in found:
            found.append(condition)
    if len(found) > MOST_CONDITIONS:
        raise Invalid(f"{MOST_CONDITIONS} filters at once are the most.")
    return tuple(found)


def _where(holds: Iterable[bool]) -> int:
    return sum(1 << place for place, one in enumerate(holds) if one)


def _between(facts: Mapping[str, Any], fits: Callable[[float, float], bool]) -> int:
    pairs = zip(facts["low"], facts["high"], strict=True)
    return _where(low is not None and fits(low, high) for low, high in pairs)
