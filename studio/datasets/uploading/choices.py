"""What a person chooses for an upload, and what is chosen for them at first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from studio.datasets.models import Split
from studio.datasets.reading.sniffing import DELIMITERS, Header
from studio.engine.errors import ParseError
from studio.engine.fields import NAME
from studio.engine.signature import Signature

SPLIT_WORDS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "dev": Split.DEV,
    "development": Split.DEV,
    "val": Split.DEV,
    "valid": Split.DEV,
    "validation": Split.DEV,
    "test": Split.TEST,
    "testing": Split.TEST,
}
SPLIT_COLUMNS = ("split", "set", "subset", "partition", "fold")
LABEL_COLUMNS = ("label", "category", "class", "target", "intent", "topic", "sentiment", "answer")
ID_COLUMNS = {"id", "uuid", "guid", "index", "number", "rowid", "row"}
"""Columns that tell rows apart, and say nothing to a program."""
MAX_LABELS = 50
"""A column with more different values is no label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How an upload becomes a dataset."""

    name: str
    delimiter: str = ","
    header: Header = "names"
    """What the first row of a CSV file holds; empty until a person has said it."""
    sheet: str = ""
    """Which sheet of a workbook; empty: the first."""
    signature: str = ""
    """Slug of the project's signature that the columns fill; empty: the columns are the fields."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """`{field name: column name}`."""
    split_by: Literal["column", "random", "group"] = "random"
    split_column: str = ""
    train: int = 60
    """Percent; so are `dev` and `test`."""
    dev: int = 20
    test: int = 20
    seed: int = 0
    group: str = ""
    """Column whose rows with the same value stay together, when it is split by group."""
    balance: str = ""
    """Column whose values are spread evenly over the splits; empty: none."""
    id_column: str = ""
    """Column that names a row, for files that bring the same rows again; empty: none."""

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Choices.from_dict` reads it back."""
        return {**asdict(self), "mapping": dict(self.mapping)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Choices:
        """Read what `to_dict` wrote."""
        known = {field_.name for field_ in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})

    def with_signature(
        self, slug: str, signature: Signature | None, columns: Sequence[str]
    ) -> Choices:
        """The same choices for another signature, its fields mapped by name."""
        leave_out = self.split_column if self.split_by == "column" else ""
        if signature is None:
            mapping = columns_as_fields(columns, leave_out=leave_out)
            return replace(self, signature="", mapping=mapping)
        mapping = map_by_name([field_.name for field_ in signature.fields], columns)
        balance = label_column(signature, mapping) or self.balance
        return replace(self, signature=slug, mapping=mapping, balance=balance)


def normal(name: str) -> str:
    """`Order ID`, `order-id` and `order_id` are the same name."""
    return re.sub(r"[\W_]+", "", name).casefold()


def map_by_name(names: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """`{name: column}` for the names that a column has, whatever its case, blanks and dashes."""
    by_name = {normal(column): column for column in reversed(columns)}
    exact = set(columns)
    return {
        name: name if name in exact else by_name[normal(name)]
        for name in names
        if normal(name) in by_name
    }


def columns_as_fields(columns: Sequence[str], *, leave_out: str = "") -> dict[str, str]:
    """A mapping without a signature: every column is a field, under a name that fits one."""
    mapping: dict[str, str] = {}
    for column in columns:
        if column == leave_out:
            continue
        plain = unicodedata.normalize("NFKD", column.casefold()).encode("ascii", "ignore").decode()
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50]
        name = name if NAME.match(name) else f"field_{name}".rstrip("_")
        base, number = name, 2
        while name in mapping:
            name, number = f"{base}_{number}", number + 1
        mapping[name] = column
    return mapping


def find_split_column(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column that says train, dev or test in most rows; empty when there is none."""
    for column in columns:
        if column.strip().casefold() not in SPLIT_COLUMNS:
            continue
        hits = sum(read_split(row.get(column)) is not None for row in rows)
        if rows and hits * 2 > len(rows):
            return column
    return ""


def find_id_column(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column that is called as one that names rows, and does; empty when there is none."""
    for column in columns:
        if column.strip().casefold() in ID_COLUMNS:
            values = [row.get(column) for row in rows]
            plain = [v for v in values if isinstance(v, (str, int)) and v != ""]
            if rows and len(set(plain)) == len(rows):
                return column
    return ""


def read_split(value: Any) -> Split | None:
    """The split that a cell names, or None."""
    return SPLIT_WORDS.get(value.strip().casefold()) if isinstance(value, str) else None


def find_label_column(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, leave_out: str = ""
) -> str:
    """The column that looks like a label: few different short values, many times each."""
    found: list[str] = []
    for column in columns:
        values = [row.get(column) for row in rows]
        texts = {value for value in values if isinstance(value, (str, bool)) and value != ""}
        few = 2 <= len(texts) <= min(20, max(2, len(rows) // 3))
        if column != leave_out and few and all(len(str(text)) <= 60 for text in texts):
            found.append(column)
    named = [column for column in found if column.strip().casefold() in LABEL_COLUMNS]
    return (named or found[::-1] or [""])[0]


def label_column(signature: Signature | None, mapping: Mapping[str, str]) -> str:
    """The column of the signature's first enum (or bool) output; empty when it has none."""
    if signature is None:
        return ""
    for output in signature.outputs:
        if output.type.kind in ("enum", "bool") and output.name in mapping:
            return mapping[output.name]
    return ""


def suggest(
    *,
    name: str,
    delimiter: str,
    header: Header,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    signatures: Mapping[str, Signature],
) -> Choices:
    """What is chosen when nobody has said anything yet.

    Of the signatures whose fields all have a column of that name, the one is taken whose types fit
    the most rows; none when more than half of the rows do not fit.
    """
    split_column = find_split_column(columns, rows)
    slug = ""
    mapping = columns_as_fields(columns, leave_out=split_column)
    fewest = len(rows) // 2 + 1
    for candidate, signature in signatures.items():
        names = [field_.name for field_ in signature.fields]
        found = map_by_name(names, columns)
        if len(found) == len(names):
            misfits = sum(not _fits(signature, found, row) for row in rows)
            if misfits < fewest:
                slug, mapping, fewest = candidate, found, misfits
    balance = label_column(signatures.get(slug), mapping)
    return Choices(
        id_column=find_id_column(columns, rows),
        name=name,
        delimiter=delimiter,
        header=header,
        signature=slug,
        mapping=mapping,
        split_by="column" if split_column else "random",
        split_column=split_column,
        balance=balance or find_label_column(columns, rows, leave_out=split_column),
    )


def _fits(signature: Signature, mapping: Mapping[str, str], row: Mapping[str, Any]) -> bool:
    """Whether the row's values can be read as the fields' types."""
    try:
        for field_ in signature.fields:
            value = row.get(mapping[field_.name])
            if value is not None:
                field_.read(value)
            elif field_.required:
                return False
    except ParseError:
        return False
    return True


def wrong_cut(choices: Choices, about: Mapping[str, Any]) -> list[str]:
    """Why a file cannot be cut into columns like this; `about` is the format of its upload."""
    wrong: list[str] = []
    if choices.delimiter not in DELIMITERS:
        wrong.append("Choose a comma, semicolon, tab or vertical bar as delimiter.")
    if choices.header not in ("names", "data", ""):
        wrong.append("Say whether the first row holds column names or data.")
    sheets = about.get("sheets") or []
    if choices.sheet and choices.sheet not in sheets:
        wrong.append(f"The file has no sheet “{choices.sheet[:60]}”.")
    return wrong


def wrong_choices(choices: Choices, columns: Sequence[str]) -> list[str]:
    """What cannot be chosen, as sentences; empty when all is well."""
    wrong: list[str] = []
    if not choices.name.strip():
        wrong.append("Give the dataset a name.")
    if choices.split_by == "column" and choices.split_column not in columns:
        wrong.append("Choose the column that says train, dev or test.")
    shares = (choices.train, choices.dev, choices.test)
    if choices.split_by == "group" and choices.group not in columns:
        wrong.append("Choose the column whose equal values stay together in one split.")
    if choices.split_by != "column" and (min(shares) < 0 or sum(shares) != 100):
        wrong.append(f"Train, dev and test add up to {sum(shares)} %; make it 100 %.")
    if choices.id_column and choices.id_column not in columns:
        wrong.append(f"There is no column “{choices.id_column}” that could name the rows.")
    if choices.balance and choices.balance not in columns:
        wrong.append(f"There is no column “{choices.balance}” to balance by.")
    if bad := [name for name in choices.mapping if not NAME.match(name)]:
        wrong.append(
            f"“{bad[0][:60]}” is not a field name: small letters, digits and _, beginning with a "
            "letter."
        )
    unknown = [column for column in choices.mapping.values() if column not in columns]
    if unknown:
        wrong.append(f"There is no column “{unknown[0]}” to map.")
    return wrong
