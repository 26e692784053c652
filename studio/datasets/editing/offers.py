"""A row that comes from elsewhere, such as a try or a served call: looked at, corrected, added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.datasets.editing import rows as editing
from studio.datasets.models import Dataset, Version
from studio.datasets.uploading.choices import normal
from studio.engine.codec import canonical_json
from studio.errors import Conflict, Invalid


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Values by field name."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    """What should have been answered, as far as one knows: people correct it."""
    answered: Mapping[str, Any]
    """What was answered."""
    message: str
    """Where it comes from, for the list of versions."""


class Repeated(Conflict):
    """The dataset has a row with these inputs already."""

    code = "repeated"


def columns_for(dataset: Dataset, names: list[str]) -> dict[str, str]:
    """`{field: column}` by the mapping, then by name; a field without a column becomes one."""
    by_name = {normal(column): column for column in reversed(dataset.columns)}
    return {name: dataset.mapping.get(name) or by_name.get(normal(name)) or name for name in names}


def add_offer(
    *,
    actor: Any,
    dataset: Dataset,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    split: str,
    message: str = "",
    again: bool = False,
    sure: bool = False,
) -> Version:
    """Put a row behind all others; needs the role author.

    Raises `Repeated` when a row has these inputs already, unless it is to be there `again`;
    otherwise as `editing.add_rows`.
    """
    columns = columns_for(dataset, [*inputs, *outputs])
    repeats = editing.find_repeats(
        dataset, {columns[name]: value for name, value in inputs.items()}
    )
    if repeats and not again:
        rows = ", ".join(map(str, repeats))
        raise Repeated(
            f"Row {rows} of “{dataset.name}” has the same inputs already. Correct that one, or "
            "add this one as well.",
            rows=repeats,
        )
    values = {columns[name]: value for name, value in {**inputs, **outputs}.items()}
    there = {name: value for name, value in values.items() if value is not None}
    try:
        canonical_json(there)
    except (TypeError, ValueError, RecursionError):
        raise Invalid("A value of it cannot be stored: it is no JSON.") from None
    return editing.add_rows(
        actor=actor, dataset=dataset, rows=[(there, split)], message=message, sure=sure
    )
