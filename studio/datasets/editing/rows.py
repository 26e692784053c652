"""Single rows, changed by people and programs: cells, splits, new rows, rows that go."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from studio.datasets.blocks import text_of as block_text
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Block, Dataset, Split, Version
from studio.datasets.splits.sealing import may_see
from studio.datasets.table import Row, Table
from studio.datasets.uploading.judging import shorten, text_of
from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError, SignatureError
from studio.engine.signature import Field, Signature
from studio.errors import Conflict, Invalid, NotFound

MOST_ADDED = 1_000
"""New rows at once; more come as a file."""
MOST_BYTES = 2_000_000
"""Of the new rows together, as JSON."""
AT_ONCE = 64
"""Blocks that are looked through with one query."""
TEXT, JSON = "text", "json"
"""How a value is written down while it is edited."""


class Doubtful(Invalid):
    """A value does not fit its field. It may be kept after somebody has said so."""

    code = "doubtful"


class Sheet:
    """What is known of a dataset's columns while its rows are edited."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def fields(self) -> dict[str, Field]:
        """`{column: field}` of the signature that the columns were mapped to, if it is there."""
        choices = self.dataset.report.get("choices") or {}
        row = self.dataset.project.signatures.filter(slug=choices.get("signature") or "").first()
        if row is None:
            return {}
        try:
            signature = Signature.from_dict(row.spec)
        except SignatureError:
            return {}
        mapped = ((self.dataset.mapping.get(one.name), one) for one in signature.fields)
        return {column: one for column, one in mapped if column in self.dataset.columns}

    def labels(self, column: str) -> tuple[str, ...]:
        """The values to choose from; empty: anything."""
        field = self.fields.get(column)
        return field.type.bare.labels if field and field.type.bare.kind == "enum" else ()

    def doubts(self, cells: Mapping[str, Any]) -> list[dict[str, str]]:
        """`{"field": column, "message": …}` for each value that does not fit its field."""
        found = []
        for column, value in cells.items():
            field = self.fields.get(column)
            message = _doubt(field, value) if field else ""
            if message:
                found.append({"field": column, "message": message})
        return found

    def check(self, cells: Mapping[str, Any], *, sure: bool) -> None:
        """Raise `Doubtful` when a value does not fit its field, unless somebody is `sure`."""
        doubts = [] if sure else self.doubts(cells)
        if doubts:
            raise Doubtful(
                " ".join(one["message"] for one in doubts[:3]) + " Correct it, or keep it anyway.",
                problems=doubts,
            )


def edit_row(
    *,
    actor: Any,
    dataset: Dataset,
    number: int,
    cells: Mapping[str, Any],
    split: str = "",
    base: int | None = None,
    sure: bool = False,
) -> Version:
    """Give a row other values, another split, or both; needs the role author.

    `base` is the version that was seen: raises `Conflict` when the row is another by now. Raises
    `Doubtful` for values that do not fit the signature's fields, unless one is `sure`.
    """
    unknown = [name for name in cells if name not in dataset.columns]
    if unknown:
        raise Invalid(
            f"There is no column “{unknown[0][:60]}”. Its columns are "
            f"{', '.join(dataset.columns[:20])}; add one on the page of bulk edits."
        )
    Sheet(dataset).check(cells, sure=sure)
    what = ", ".join(f"“{name}”" for name in cells) if cells else "split"
    return change(
        actor=actor,
        dataset=dataset,
        changes=Changes(
            cells={number: cells} if cells else {}, splits={number: split} if split else {}
        ),
        message=shorten(f"Row {number}: {what}", 200),
        base=base,
    )


def add_rows(
    *,
    actor: Any,
    dataset: Dataset,
    rows: Sequence[tuple[Mapping[str, Any], str]],
    message: str = "",
    sure: bool = False,
) -> Version:
    """Put rows behind all others; needs the role author.

    Raises `Invalid` when there are none or too many of them, `Doubtful` for values that do not
    fit the signature's fields unless one is `sure`, and `Conflict` for a sealed test split.
    """
    if not rows:
        raise Invalid("There is no row to add. Fill in at least one value.")
    if len(rows) > MOST_ADDED:
        raise Invalid(
            f"These are {len(rows):,} rows; {MOST_ADDED:,} can be added at once. Upload a file "
            "for more."
        )
    _check_size(rows)
    sheet = Sheet(dataset)
    doubts = [
        {"field": f"rows.{index}.{one['field']}", "message": f"Row {index + 1}: {one['message']}"}
        for index, (values, _split) in enumerate(rows)
        for one in ([] if sure else sheet.doubts(values))
    ]
    if doubts:
        raise Doubtful(
            " ".join(one["message"] for one in doubts[:3]) + " Correct it, or keep it anyway.",
            problems=doubts[:100],
        )
    if not all(may_see(dataset, split) for _values, split in rows):
        raise Conflict("The test split is sealed: add the rows to train or dev.")
    noun = "row" if len(rows) == 1 else "rows"
    return change(
        actor=actor,
        dataset=dataset,
        changes=Changes(added=rows),
        kind=Version.Kind.ADD,
        message=message or f"{len(rows):,} {noun} added",
    )


def delete_rows(
    *, actor: Any, dataset: Dataset, numbers: Collection[int], base: int | None = None
) -> Version:
    """Take rows away; needs the role author. `base` as in `edit_row`."""
    if not numbers:
        raise Invalid("Tick the rows that are to go first.")
    noun = "row" if len(numbers) == 1 else "rows"
    named = f"Row {next(iter(numbers))} deleted" if len(numbers) == 1 else ""
    return change(
        actor=actor,
        dataset=dataset,
        changes=Changes(removed=numbers),
        message=named or f"{len(numbers):,} {noun} deleted",
        base=base,
    )


def get_row(dataset: Dataset, number: int, version: int | None = None) -> Row:
    """The row, if it is there and people may see it; raises `NotFound` and `Conflict`."""
    row = Table(dataset, version).get(number)
    if row is None:
        raise NotFound(f"There is no row {number} in “{dataset.name}” any more.")
    if not may_see(dataset, row.split):
        raise Conflict(f"Row {number} is a row of the sealed test split: nobody is shown it.")
    return row


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it stands in an editor."""

    text: str
    kind: str


def write(value: Any, field: Field | None = None) -> Written:
    """A value for an editor: texts as they are, everything else as JSON."""
    if isinstance(value, str):
        return Written(value, TEXT)
    if value is None:
        plain = field is None or field.type.bare.kind in _TEXTS
        return Written("", TEXT if plain else JSON)
    nested = isinstance(value, list | dict)
    text = json.dumps(value, ensure_ascii=False, indent=2) if nested else canonical_json(value)
    return Written(text, JSON)


def read(text: str, kind: str, *, name: str = "") -> Any:
    """What somebody wrote in an editor; None when it is empty. Raises `Invalid` for no JSON."""
    text = text.replace("\r\n", "\n")
    if kind != JSON:
        return text or None
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        why = f"{error.msg} in line {error.lineno}, character {error.colno}"
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:
        why = str(error).rstrip(".")
    what = f"“{shorten(text.strip(), 40)}”"
    where = f" for “{name}”" if name else ""
    raise Invalid(
        f"{what}{where} is no JSON: {why}. Write a number, true, false, a list or an object; or "
        "choose to keep it as text."
    )


def find_repeats(dataset: Dataset, inputs: Mapping[str, Any], *, most: int = 5) -> list[int]:
    """Numbers of rows that have these values already, of those that people may see.

    Looks for the longest value in the blocks, and reads only those that hold it.
    """
    wanted = {name: text_of(value) for name, value in inputs.items() if text_of(value)}
    if not wanted:
        return []
    longest = max(wanted.values(), key=len)
    needle = json.dumps(longest, ensure_ascii=False)[1:-1].encode("utf-8", "ignore")
    table, found = Table(dataset), list[int]()
    for at in range(0, len(table.spots), AT_ONCE):
        some = table.spots[at : at + AT_ONCE]
        data = Block.objects.filter(pk__in={spot.block for spot in some}).values_list("pk", "data")
        holding = {pk for pk, block in data if needle in block_text(block)}
        for piece in table.pieces([spot for spot in some if spot.block in holding]):
            for row in piece.rows():
                same = all(text_of(row.values.get(name)) == text for name, text in wanted.items())
                if same and may_see(dataset, row.split):
                    found.append(row.number)
        if len(found) >= most:
            break
    return found[:most]


def input_columns(dataset: Dataset, names: Iterable[str]) -> dict[str, str]:
    """`{field name: column}` for the fields that have a column, by mapping or by name."""
    pairs = ((name, dataset.mapping.get(name) or name) for name in names)
    return {name: column for name, column in pairs if column in dataset.columns}


def splits_for(dataset: Dataset) -> list[tuple[str, str]]:
    """The splits that rows may be put into, for a select."""
    return [(one.value, one.label) for one in Split if may_see(dataset, one.value)]


_TEXTS = frozenset({"str", "enum", "code", "date"})


def _doubt(field: Field, value: Any) -> str:
    if value is None:
        missing = field.required and field.role == "input"
        return f"{field.name}: an input has to have a value." if missing else ""
    try:
        field.read(value)
    except ParseError as error:
        if field.type.bare.kind == "enum":
            labels = ", ".join(field.type.bare.labels)
            return f"{field.name}: “{shorten(text_of(value), 60)}” is none of {labels}."
        return str(error)
    return ""


def _check_size(rows: Sequence[tuple[Mapping[str, Any], str]]) -> None:
    try:
        size = sum(len(canonical_json(dict(values)).encode()) for values, _split in rows)
    except (TypeError, ValueError, RecursionError):
        raise Invalid("A value cannot be stored: it is no JSON.") from None
    if size > MOST_BYTES:
        raise Invalid(
            f"The rows are {size:,} bytes long; {MOST_BYTES:,} can be added at once. Upload a "
            "file for more."
        )


def _refuse_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number
