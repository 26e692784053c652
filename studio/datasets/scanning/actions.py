"""What can be done about findings, one click each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from studio.datasets.models import Split
from studio.datasets.scanning.encoding import repair
from studio.datasets.table import Row


@dataclass
class Plan:
    """What is going to be different; see `changes.Changes`."""

    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    splits: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody said besides the action."""

    column: str = ""
    """Of the finding, or of the label."""
    label: Any = None
    row: int | None = None


Do = Callable[[Plan, Sequence[Row], Choice], None]
"""Puts into the plan what is done about a finding with these rows."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done about a finding."""

    name: str
    title: str
    do: Do
    touches: frozenset[str] = frozenset()
    """Splits whose rows it changes, or that it moves rows into; empty: that of any row."""


def _delete(plan: Plan, rows: Sequence[Row], _choice: Choice) -> None:
    plan.removed.update(row.number for row in rows)


def _delete_one(plan: Plan, rows: Sequence[Row], choice: Choice) -> None:
    plan.removed.update(row.number for row in rows if row.number == choice.row)


def _delete_of(splits: Collection[str], plan: Plan, rows: Sequence[Row], _choice: Choice) -> None:
    plan.removed.update(row.number for row in rows if row.split in splits)


def _keep_first(plan: Plan, rows: Sequence[Row], _choice: Choice) -> None:
    plan.removed.update(sorted(row.number for row in rows)[1:])


def _move(split: str, plan: Plan, rows: Sequence[Row], _choice: Choice) -> None:
    plan.splits.update({row.number: split for row in rows if row.split != split})


def _label(plan: Plan, rows: Sequence[Row], choice: Choice) -> None:
    for row in rows:
        if row.values.get(choice.column) != choice.label:
            plan.cells.setdefault(row.number, {})[choice.column] = choice.label


def _repair(plan: Plan, rows: Sequence[Row], choice: Choice) -> None:
    for row in rows:
        text = row.values.get(choice.column)
        if isinstance(text, str) and repair(text) != text:
            plan.cells.setdefault(row.number, {})[choice.column] = repair(text)


_LEARNED = (Split.TRAIN.value, Split.DEV.value)

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("delete", "Delete all of them", _delete),
        Action("delete-row", "Delete this row", _delete_one),
        Action("keep-first", "Keep the first, delete the others", _keep_first),
        Action(
            "delete-learned",
            "Delete them from train and dev",
            partial(_delete_of, _LEARNED),
            frozenset(_LEARNED),
        ),
        *(
            Action(
                f"delete-{split.value}",
                f"Delete the {split.value} rows",
                partial(_delete_of, (split.value,)),
                frozenset({split.value}),
            )
            for split in Split
        ),
        *(
            Action(
                f"move-{split.value}", f"Move all to {split.value}", partial(_move, split.value)
            )
            for split in Split
        ),
        Action("label", "Give all of them the label", _label),
        Action("repair", "Repair the letters", _repair),
    )
}
