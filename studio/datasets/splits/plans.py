"""What would come of splitting a dataset anew, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.datasets.splits.choices import Choice, describe
from studio.datasets.splits.sealing import ONLY_SEALED
from studio.datasets.splits.splitting import OTHERS
from studio.datasets.uploading.choices import MAX_LABELS

FEW_ROWS = 20
"""A split with fewer rows says little."""
_SHOWN = 5
_USES = {
    "train": "compilers learn on it",
    "dev": "compilers choose on it",
    "test": "the result is judged on it",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A large group."""

    name: str
    rows: int
    splits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a column, and where they are."""

    column: str
    count: int
    across_before: int
    across: int
    """Groups with rows in more than one split."""
    without: int
    """Rows that are in no group, because their cell is empty."""
    largest: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would come of a choice."""

    choice: Choice
    number: int
    """The version that it was made for."""
    before: dict[str, int]
    after: dict[str, int]
    moved: int
    label: str
    """The column whose values are counted; empty: none."""
    labels_before: dict[str, dict[str, int]]
    labels: dict[str, dict[str, int]]
    duplicates_before: dict[str, Any]
    duplicates: dict[str, Any]
    groups: Groups | None
    off: float
    """By how many points of percent a split is away from what was asked, at the most."""
    warnings: tuple[str, ...]
    codes: Mapping[int, bytes]
    told: Mapping[str, Any]

    @property
    def message(self) -> str:
        """What was done, for the list of versions."""
        return describe(self.choice)

    def to_dict(self) -> dict[str, Any]:
        """JSON, without the rows."""
        return {
            "choice": self.choice.to_dict(),
            "checked": self.choice.hash,
            "version": self.number,
            "before": self.before,
            "after": self.after,
            "moved": self.moved,
            "labels": {"column": self.label, "before": self.labels_before, "after": self.labels},
            "repeated_inputs": {"before": self.duplicates_before, "after": self.duplicates},
            "groups": asdict(self.groups) if self.groups else None,
            "off_by_points": self.off,
            "warnings": list(self.warnings),
        }


def warnings_of(plan: Plan) -> list[str]:
    """What a person should know before it is done."""
    found = []
    for split, count in plan.after.items():
        if not count:
            found.append(f"No row would be in {split}: {_USES[split]}.")
        elif count < FEW_ROWS:
            found.append(
                f"Only {count} row{'s' if count > 1 else ''} would be in {split}: {_USES[split]}, "
                f"and fewer than {FEW_ROWS} say little."
            )
    missing = [
        f"“{label or '(empty)'}” in {split}"
        for label, counts in plan.labels.items()
        for split, count in counts.items()
        if not count and plan.after[split] and label not in (OTHERS, ONLY_SEALED)
    ]
    if missing and len(plan.labels) <= MAX_LABELS:
        more = len(missing) - _SHOWN
        shown = ", ".join(missing[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
        found.append(f"No row with {shown}.")
    if across := plan.duplicates["across"]:
        why = (
            f", because {' and '.join(plan.choice.keep)} stays untouched"
            if plan.choice.keep and (plan.choice.way != "column" or plan.choice.together)
            else ""
        )
        rows = "1 row repeats an input" if across == 1 else f"{across:,} rows repeat inputs"
        found.append(
            f"{rows} of another split{why}. What is learned on one is judged on the other."
        )
    if plan.groups is not None and plan.groups.across:
        many = plan.groups.across
        groups = "1 group would be" if many == 1 else f"{many:,} groups would be"
        found.append(f"By “{plan.groups.column}”, {groups} in more than one split.")
    if plan.off >= 1:
        found.append(
            f"Rows that belong together stay together, so a split is {plan.off:g} points of "
            "percent away from what you asked for; no nearer one was found."
        )
    return found
