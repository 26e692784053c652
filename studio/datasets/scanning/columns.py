"""What the columns of a dataset are to its scan: inputs, label, groups, fields of a signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.datasets.editing.rows import Sheet
from studio.datasets.models import Dataset
from studio.datasets.table import Table
from studio.datasets.uploading.choices import (
    ID_COLUMNS,
    SPLIT_COLUMNS,
    find_label_column,
    normal,
    read_split,
)
from studio.engine.signature import Field

SAMPLE = 1_000
"""From so many rows it is guessed what a column holds."""
GROUPS = frozenset(
    {
        "account", "author", "case", "client", "company", "conversation", "customer", "dialog",
        "dialogue", "document", "email", "group", "order", "patient", "person", "sender",
        "session", "speaker", "thread", "ticket", "user",
    }
)  # fmt: skip
"""A column that is called like this, or like this and “id”, says whose a row is."""
FEWEST_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns are."""

    inputs: tuple[str, ...]
    """What a program is given; the one that tells the rows apart best comes first."""
    label: str = ""
    """Empty: there is none."""
    groups: tuple[str, ...] = ()
    id: str = ""
    texts: tuple[str, ...] = ()
    """In which people write; looked through for what should not be there."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """By column, of the signature."""
    typed: frozenset[str] = frozenset()
    """Inputs that are no texts: they have to be equal."""


def columns_of(dataset: Dataset, table: Table, about: Sequence[str] = ()) -> Columns:
    """What is known of the columns; `about` are the inputs, when somebody has chosen them."""
    rows = [row.values for row in table.page(0, SAMPLE)]
    fields = {name: one for name, one in Sheet(dataset).fields.items() if name in table.columns}
    report = dataset.report.get("choices") or {}
    chosen = str(report.get("split_column") or "")
    id_ = dataset.id_column if dataset.id_column in table.columns else ""
    skipped = {id_, chosen, *(name for name in table.columns if _is_split(name, rows))}
    label = _label(dataset, table, fields, rows, skipped)
    rest = [name for name in table.columns if name not in skipped and name != label]
    texts = [name for name in rest if _is_text(name, rows)]
    inputs = [name for name, one in fields.items() if one.role == "input"]
    typed = frozenset(
        name for name, one in fields.items() if one.role == "input" and _is_typed(one)
    )
    plain = [name for name in texts if normal(name) not in ID_COLUMNS]
    given = [name for name in about if name in table.columns]
    wanted = given or inputs or plain or rest or table.columns[:1]
    return Columns(
        inputs=tuple(_by_difference(wanted, rows, typed)),
        label="" if label in wanted else label,
        groups=tuple(_groups(table.columns, str(report.get("group") or ""), rows)),
        id=id_,
        texts=tuple(dict.fromkeys([*wanted, *texts])),
        fields=fields,
        typed=typed,
    )


def _label(
    dataset: Dataset,
    table: Table,
    fields: Mapping[str, Field],
    rows: Sequence[Mapping[str, Any]],
    skipped: set[str],
) -> str:
    outputs = [
        name
        for name, one in fields.items()
        if one.role == "output" and one.type.bare.kind in ("enum", "bool")
    ]
    known = [dataset.label_column, *outputs]
    known.append(str((dataset.report.get("labels") or {}).get("column") or ""))
    found = next((name for name in known if name in table.columns), "")
    rest = [name for name in table.columns if name not in skipped]
    return found or find_label_column(rest, rows)


def _groups(columns: Sequence[str], chosen: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [chosen] if chosen in columns else []
    for name in columns:
        plain = normal(name)
        if name != chosen and (plain in GROUPS or plain.removesuffix("id") in GROUPS):
            values = [row[name] for row in rows if row.get(name) not in (None, "")]
            different = len({str(value) for value in values})
            if FEWEST_GROUPS <= different < len(values):
                found.append(name)
    return found


def _by_difference(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]], typed: frozenset[str]
) -> list[str]:
    different = {name: len({str(row.get(name)) for row in rows}) for name in names}
    return sorted(names, key=lambda name: (name in typed, -different[name]))


def _is_text(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    texts = [one for one in values if isinstance(one, str) and any(map(str.isalpha, one))]
    return bool(values) and 2 * len(texts) > len(values)


def _is_split(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    if name.strip().casefold() not in SPLIT_COLUMNS:
        return False
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    return bool(values) and 2 * sum(read_split(one) is not None for one in values) > len(values)


def _is_typed(one: Field) -> bool:
    return one.type.bare.kind != "str"
