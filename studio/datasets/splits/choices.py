"""How a dataset may be split anew: what a person chooses, and what cannot be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from studio.datasets.models import Dataset, Split
from studio.datasets.table import SPLITS
from studio.datasets.uploading.choices import ID_COLUMNS
from studio.datasets.uploading.looking import signatures_of
from studio.engine.codec import content_hash
from studio.errors import Invalid

MOST_VALUES = 50
"""Different values of a column that each name a split."""
MOST_SEED = 2**31 - 1

WAYS = {
    "random": "At random, by shares",
    "stratified": "At random, a column’s values spread evenly",
    "group": "By group: no group in two splits",
    "column": "As a column’s values say",
}
NEEDS = {"stratified": "column", "column": "column", "group": "group"}
"""The choice that a way cannot do without."""
UNITS = {"percent": "percent", "rows": "rows"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a dataset is split anew."""

    way: str = "random"
    """One of `WAYS`."""
    column: str = ""
    """Whose values are spread evenly, or name splits."""
    group: str = ""
    """The column that says which rows belong together."""
    unit: str = "percent"
    """What `shares` are: `percent` or `rows`."""
    shares: tuple[int | None, int | None, int | None] = (60, 20, 20)
    """For train, dev and test; one may be None: the rest."""
    seed: int = 0
    keep: tuple[str, ...] = ()
    """Splits that stay as they are."""
    inputs: tuple[str, ...] = ()
    """Rows that are equal in these columns go together."""
    values: Mapping[str, str] = field(default_factory=dict)
    """`{value: split}` for the way `column`; rows with another value stay where they are."""
    together: bool = True
    """Whether equal inputs go together also where a column names their splits."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        found = asdict(self)
        return {**found, **{name: list(found[name]) for name in ("shares", "keep", "inputs")}}

    @property
    def hash(self) -> str:
        """Names the choice: what is done is what was looked at."""
        return content_hash(self.to_dict())


def input_columns(dataset: Dataset) -> tuple[str, ...]:
    """The columns that a program is given, as far as the dataset tells."""
    columns, mapping = set(dataset.columns), dict(dataset.mapping)
    chosen = dataset.report.get("choices") or {}
    signature = signatures_of(dataset.project).get(str(chosen.get("signature") or ""))
    if signature is not None:
        found = [mapping.get(field_.name, "") for field_ in signature.inputs]
        if kept := tuple(name for name in found if name in columns):
            return kept
    known = {label_column(dataset), dataset.id_column, str(chosen.get("split_column") or "")}
    found = [name for name in dict.fromkeys(mapping.values()) if name in columns]
    plain = [n for n in found if n not in known and n.strip().casefold() not in ID_COLUMNS]
    return tuple(plain or found or dataset.columns[:1])


def label_column(dataset: Dataset) -> str:
    """The column whose values are counted; empty: none."""
    told = (dataset.report.get("labels") or {}).get("column")
    name = str(dataset.label_column or told or "")
    return name if name in dataset.columns else ""


def describe(choice: Choice) -> str:
    """The choice in a few words."""
    ways = {
        "random": "At random",
        "stratified": f"At random, “{choice.column[:40]}” spread evenly",
        "group": f"By group “{choice.group[:40]}”",
        "column": f"As “{choice.column[:40]}” says",
    }
    words = [ways[choice.way]]
    if choice.way != "column":
        sign = " %" if choice.unit == "percent" else ""
        shares = [
            f"{split.value} {'the rest' if share is None else f'{share:,}{sign}'}"
            for split, share in zip(SPLITS, choice.shares, strict=True)
            if split.value not in choice.keep
        ]
        words += [", ".join(shares), f"seed {choice.seed}"]
    if choice.keep:
        words.append(f"{' and '.join(choice.keep)} untouched")
    return "; ".join(words)


def complete(dataset: Dataset, choice: Choice) -> Choice:
    """The choice with what goes without saying: a sealed test split is left untouched."""
    keep = {*choice.keep} | ({Split.TEST.value} if dataset.sealed else set())
    unknown = sorted(keep - set(Split.values))
    return replace(
        choice,
        keep=(*(split for split in Split.values if split in keep), *unknown),
        inputs=choice.inputs or input_columns(dataset),
    )


def check(dataset: Dataset, choice: Choice) -> None:
    """Raise `Invalid` for a choice that cannot be carried out whatever the rows are."""
    if choice.way not in WAYS:
        raise invalid("way", f"There is no way “{choice.way}”: say {', '.join(WAYS)}.")
    if choice.unit not in UNITS:
        raise invalid("unit", f"Shares are in {' or '.join(UNITS)}, not in “{choice.unit}”.")
    if (name := NEEDS.get(choice.way)) and not getattr(choice, name):
        raise invalid(name, "Choose the column.")
    for name in ("column", "group"):
        column = getattr(choice, name)
        if column and column not in dataset.columns:
            raise invalid(name, f"There is no column “{column[:60]}”.")
    for column in choice.inputs:
        if column not in dataset.columns:
            raise invalid("inputs", f"There is no column “{column[:60]}”.")
    for split in (*choice.keep, *choice.values.values()):
        if split not in Split.values:
            raise invalid("keep", f"“{split[:60]}” is not a split: say train, dev or test.")
    if choice.way == "column":
        _check_values(choice)
    else:
        _check_shares(choice)


def invalid(name: str, message: str) -> Invalid:
    """The refusal of one field."""
    return Invalid(message, problems=[{"field": name, "message": message}])


def _check_values(choice: Choice) -> None:
    named = set(choice.values.values())
    if not named:
        raise invalid("values", "Choose a split for at least one of the column’s values.")
    if kept := sorted(named & set(choice.keep)):
        raise invalid(
            "values", f"{kept[0].capitalize()} is left untouched, so no value can go there."
        )


def _check_shares(choice: Choice) -> None:
    if not 0 <= choice.seed <= MOST_SEED:
        raise invalid("seed", f"The seed is a whole number between 0 and {MOST_SEED:,}.")
    given = _given(choice)
    if not given:
        raise invalid("keep", "Every split is left untouched, so there is nothing to split.")
    known = [share for share in given.values() if share is not None]
    if len(known) < len(given) - 1:
        raise invalid("train", "Leave at most one share empty: it takes the rest.")
    if min(known, default=0) < 0:
        raise invalid("train", "A share is 0 or more.")
    total = sum(known)
    if choice.unit == "percent":
        whole = len(known) == len(given)
        if total > 100 or (whole and total != 100 and len(given) == len(SPLITS)):
            raise invalid("train", f"The shares add up to {total:,} %; make it 100 %.")
        if whole and not total:
            raise invalid("train", "Give a share to one split at least.")


def _given(choice: Choice) -> dict[str, int | None]:
    """The shares of the splits that are drawn."""
    pairs = zip(SPLITS, choice.shares, strict=True)
    return {split.value: share for split, share in pairs if split.value not in choice.keep}


def targets_of(choice: Choice, rows: int) -> list[float]:
    """How many of the rows each split should get; raises `Invalid` when they do not add up."""
    given = _given(choice)
    known = sum(share for share in given.values() if share is not None)
    whole = None not in given.values()
    if choice.unit == "rows":
        if known > rows or (whole and known != rows):
            raise invalid(
                "train",
                f"The shares add up to {known:,} rows, and there are {rows:,} to split. Leave one "
                "of them empty: it takes the rest.",
            )
        total = float(rows)
    else:
        # With a split left untouched the others share the rest in their proportion.
        total = float(known if whole else 100)
    shares = {
        split: float(total - known if share is None else share) for split, share in given.items()
    }
    return [rows * shares.get(split.value, 0.0) / total for split in SPLITS]
