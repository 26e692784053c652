"""What can be done to many rows at once, each with what it needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import thread_time
from typing import Any

import regex

from studio.datasets.editing.values import check_values
from studio.datasets.models import Dataset, Split
from studio.datasets.reading.sniffing import MAX_CELL
from studio.datasets.splits.sealing import may_see
from studio.datasets.uploading.judging import text_of
from studio.errors import Conflict, Invalid

REPLACE_SECONDS = 1.0
"""For one cell; a pattern that takes longer is refused."""
REPLACE_ALL_SECONDS = 30.0
"""Of the processor's time, for all cells together."""
Cell = Callable[[Any], Any]
"""The new value of a cell; the same one when it does not change."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What is done. Only the values that its entry in `OPERATIONS` needs are looked at."""

    kind: str
    column: str = ""
    value: Any = None
    find: str = ""
    replacement: str = ""
    is_regex: bool = False
    any_case: bool = False
    case: str = "lower"
    split: str = ""
    name: str = ""
    """Of a new column, or the new name of one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation."""

    title: str
    sentence: str
    needs: tuple[str, ...]
    """Names of `Operation`'s values."""
    of_columns: bool = False
    """It is about all rows, whatever is ticked or searched for."""


OPERATIONS: Mapping[str, Kind] = {
    "set": Kind("Set a column", "All cells get one value.", ("column", "value")),
    "replace": Kind(
        "Find and replace",
        "A text, or what a pattern finds, becomes another one.",
        ("column", "find", "replacement", "is_regex", "any_case"),
    ),
    "trim": Kind(
        "Tidy blanks",
        "Blanks at both ends go, several in a row become one; line breaks stay.",
        ("column",),
    ),
    "case": Kind("Change case", "Small or capital letters.", ("column", "case")),
    "split": Kind("Move to a split", "The rows are for something else.", ("split",)),
    "delete": Kind("Delete rows", "The rows go; older versions keep them.", ()),
    "rename": Kind("Rename a column", "In all rows.", ("column", "name"), of_columns=True),
    "drop": Kind(
        "Drop a column", "In all rows; older versions keep it.", ("column",), of_columns=True
    ),
    "add": Kind(
        "Add a column", "Empty, or with one value in all rows.", ("name", "value"), of_columns=True
    ),
}
CASES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "lower": ("all small", str.lower),
    "upper": ("ALL CAPITALS", str.upper),
    "title": ("Every Word With A Capital", str.title),
    "sentence": ("First letter a capital", lambda text: text[:1].upper() + text[1:].lower()),
}
_BLANKS = regex.compile(r"[^\S\r\n]+")
_AROUND_BREAKS = regex.compile(r"[^\S\r\n]*(\r\n|\r|\n)[^\S\r\n]*")


def check(dataset: Dataset, operation: Operation) -> Operation:
    """The operation, made ready; raises `Invalid` that says what is missing."""
    kind = OPERATIONS.get(operation.kind)
    if kind is None:
        raise Invalid(f"Say what is to be done: one of {', '.join(OPERATIONS)}.")
    if "column" in kind.needs and operation.column not in dataset.columns:
        named = f"There is no column “{operation.column[:60]}”. " if operation.column else ""
        raise Invalid(f"{named}Choose a column.")
    if "split" in kind.needs:
        if operation.split not in Split.values:
            raise Invalid("Choose a split: train, dev or test.")
        if not may_see(dataset, operation.split):
            raise Conflict("The test split is sealed, so no row can be moved into it.")
    if operation.kind == "replace":
        _finder(operation)
    if operation.kind == "case" and operation.case not in CASES:
        raise Invalid(f"Choose a case: {', '.join(CASES)}.")
    if "name" in kind.needs:
        name = " ".join(operation.name.split())
        check_values({name: None})
        if name in dataset.columns:
            raise Invalid(f"There is a column “{name}” already. Choose another name.")
        operation = replace(operation, name=name)
    if "value" in kind.needs:
        check_values({operation.column or operation.name: operation.value})
    if operation.kind == "drop" and len(dataset.columns) == 1:
        raise Invalid("The last column stays: rows without one could not be told apart.")
    return operation


def describe(operation: Operation) -> str:
    """A sentence for the list of versions."""
    column = f"“{operation.column[:60]}”"
    texts = {
        "set": f"{column} set to “{text_of(operation.value)[:60]}”",
        "replace": f"“{operation.find[:40]}” replaced by “{operation.replacement[:40]}” in "
        f"{column}",
        "trim": f"Blanks tidied in {column}",
        "case": f"{column} in other letters: {CASES.get(operation.case, ('',))[0]}",
        "split": f"Rows moved to {operation.split}",
        "delete": "Rows deleted",
        "rename": f"{column} is called “{operation.name[:60]}”",
        "drop": f"{column} dropped",
        "add": f"“{operation.name[:60]}” added",
    }
    return texts.get(operation.kind, "")[:200]


def cell_changer(operation: Operation) -> Cell:
    if operation.kind == "set":
        return lambda _old: operation.value
    if operation.kind == "case":
        turn = CASES[operation.case][1]
    elif operation.kind == "replace":
        turn = _finder(operation)
    else:
        turn = _tidy
    return lambda old: (turn(old) or None) if isinstance(old, str) else old


def _tidy(text: str) -> str:
    return str(_BLANKS.sub(" ", _AROUND_BREAKS.sub(r"\1", text))).strip()


def _finder(operation: Operation) -> Callable[[str], str]:
    """What replaces; raises `Invalid` for a pattern that is none."""
    if not operation.find:
        raise Invalid("Say what is to be found.")
    flags = regex.IGNORECASE if operation.any_case else 0
    pattern = operation.find if operation.is_regex else regex.escape(operation.find)
    new = operation.replacement
    try:
        compiled = regex.compile(pattern, flags)
        if operation.is_regex:
            # Finds something for sure, and so says whether the replacement names missing groups.
            regex.compile(f"(?:{pattern})?", flags).sub(new, "", timeout=REPLACE_SECONDS)
    except (regex.error, IndexError, TimeoutError, RecursionError) as error:
        raise Invalid(f"“{operation.find[:60]}” is not a pattern: {error}.") from None

    spent = 0.0

    def turn(text: str) -> str:
        nonlocal spent
        began = thread_time()
        try:
            made = compiled.sub(
                new if operation.is_regex else lambda _found: new, text, timeout=REPLACE_SECONDS
            )
        except TimeoutError:
            raise Invalid(
                f"The pattern “{operation.find[:60]}” takes longer than {REPLACE_SECONDS:.0f} s "
                "for one cell. Write a simpler one."
            ) from None
        except (regex.error, IndexError) as error:
            raise Invalid(f"The replacement does not fit the pattern: {error}.") from None
        spent += thread_time() - began
        if spent > REPLACE_ALL_SECONDS:
            raise Invalid(
                f"The pattern “{operation.find[:60]}” takes longer than "
                f"{REPLACE_ALL_SECONDS:.0f} s for all cells. Write a simpler one, or search for "
                "fewer rows."
            )
        if len(made) > MAX_CELL:
            raise Invalid(f"A cell would have more than {MAX_CELL:,} characters.")
        return str(made)

    return turn
