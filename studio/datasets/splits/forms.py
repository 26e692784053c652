"""What people fill in to split a dataset anew, and to unseal its test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from studio.datasets.models import Dataset, Split
from studio.datasets.splits.choices import (
    MOST_SEED,
    MOST_VALUES,
    NEEDS,
    UNITS,
    WAYS,
    Choice,
    input_columns,
)
from studio.datasets.splits.columns import read_names, standing
from studio.datasets.splits.sealing import SHORTEST_REASON, visible_splits
from studio.datasets.table import SPLITS, Table
from studio.datasets.uploading.choices import read_split
from studio.errors import Invalid

VALUE = "value-"
"""Before the number of a column's value in the name of its select."""
MOST_COLUMNS = 200
"""So many columns can be chosen from."""
MOST_COUNT = 20_000_000
_LIVE = ("way", "column", "group", "unit", "keep")
"""A change of these is looked at once; see `forms.LIVE`."""


class SplitForm(forms.Form):
    """How to split; which fields there are depends on the way."""

    way = forms.ChoiceField(
        label="How", choices=list(WAYS.items()), widget=forms.RadioSelect, required=False
    )
    column = forms.ChoiceField(label="Column", required=False)
    group = forms.ChoiceField(label="Group column", required=False)
    unit = forms.ChoiceField(label="Shares in", choices=list(UNITS.items()), required=False)
    train = forms.IntegerField(label="Train", min_value=0, max_value=MOST_COUNT, required=False)
    dev = forms.IntegerField(label="Dev", min_value=0, max_value=MOST_COUNT, required=False)
    test = forms.IntegerField(label="Test", min_value=0, max_value=MOST_COUNT, required=False)
    seed = forms.IntegerField(
        label="Seed",
        min_value=0,
        max_value=MOST_SEED,
        help_text="The same seed gives the same splits.",
    )
    keep = forms.MultipleChoiceField(
        label="Leave untouched",
        choices=[(split.value, split.label) for split in SPLITS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="No row leaves these splits, and none comes in.",
    )
    inputs = forms.MultipleChoiceField(
        label="Equal inputs are equal in",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Case and blanks aside. Rows with equal inputs go to the same split.",
    )
    values_of = forms.CharField(widget=forms.HiddenInput, required=False)
    together = forms.BooleanField(
        label="Keep equal inputs together",
        required=False,
        help_text="They go where most of their rows say, or the first of them.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, dataset: Dataset) -> None:
        self.dataset = dataset
        self.table = Table(dataset)
        self.values: list[tuple[str, str]] = []
        """(field name, value) of the column whose values name splits."""
        start = Choice(
            keep=("test",) if dataset.sealed else (), inputs=input_columns(dataset)
        ).to_dict()
        shares = dict(zip(Split.values, start.pop("shares"), strict=True))
        initial = {**start, **shares}
        super().__init__(_filled(data, initial), initial=initial)
        columns = [(name, name) for name in dataset.columns[:MOST_COLUMNS]]
        for name in ("column", "group"):
            self._choices(name, [("", "—"), *columns])
        self._choices("inputs", columns)
        for name in _LIVE:
            self.fields[name].widget.attrs["data-live"] = "yes"
        said = str(self["way"].value())
        self.chosen_way = said if said in WAYS else "random"
        if dataset.sealed:
            self.fields["keep"].help_text = "The test split is sealed, so it always is."
        self._leave_out()
        if self.chosen_way == "column":
            self._add_values(str(self["column"].value() or ""))

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _leave_out(self) -> None:
        """Fields that say nothing for the way."""
        if self.chosen_way == "column":
            for name in ("unit", "train", "dev", "test", "seed"):
                del self.fields[name]
        else:
            del self.fields["together"], self.fields["values_of"]
        if self.chosen_way == "group":
            self.fields["group"].label = "Group column"
            self.fields["group"].help_text = "Rows with the same value are a group."
        else:
            self.fields["group"].label = "Count groups of"
            self.fields["group"].help_text = "Says which of its values are in several splits."
        if self.chosen_way in ("random", "group"):
            del self.fields["column"]
        else:
            self.fields["column"].label = {
                "stratified": "Spread evenly",
                "column": "The column that says",
            }[self.chosen_way]

    def _add_values(self, column: str) -> None:
        if column not in self.dataset.columns:
            return
        named = read_names(self.table, column)
        rows = standing(self.table)
        open_ = [SPLITS.index(Split(one)) for one in visible_splits(self.dataset)]
        seen = {
            int(one)
            for code in open_
            for one in set(named.ids[rows.splits == code].tolist() if named.names else ())
        }
        if len(seen) > MOST_VALUES:
            return  # the plan says so
        fresh = self.is_bound and self.data.get("values_of") != column
        if fresh:  # the column was chosen just now: its values say what they are called
            posted: Any = self.data
            said = posted.copy()
            self.data = said
            said["values_of"] = column
        options = [("", "stays where it is"), *((split.value, split.label) for split in SPLITS)]
        for at in sorted(seen):
            value, name = named.names[at], f"{VALUE}{at}"
            says = read_split(value) or ""
            if fresh:
                said[name] = str(says)
            self.fields[name] = forms.ChoiceField(
                label=value or "(empty)",
                choices=options,
                required=False,
                initial=says,
            )
            self.values.append((name, value))

    @property
    def waits(self) -> bool:
        """The way was chosen, and its column not yet: there is nothing to look at so far."""
        name = NEEDS.get(self.chosen_way)
        return name is not None and not self[name].value()

    def value_fields(self) -> list[forms.BoundField]:
        """The selects of the column's values."""
        return [self[name] for name, _value in self.values]

    def clean(self) -> dict[str, Any]:
        """Reads the choice."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        found = {value: cleaned[name] for name, value in self.values}
        shares = tuple(cleaned.get(split) for split in Split.values)
        self.choice = Choice(
            way=cleaned["way"] or "random",
            column=cleaned.get("column", ""),
            group=cleaned["group"],
            unit=cleaned.get("unit") or "percent",
            shares=(shares[0], shares[1], shares[2]),
            seed=cleaned.get("seed") or 0,
            keep=tuple(cleaned["keep"]),
            inputs=tuple(cleaned["inputs"]),
            values={value: split for value, split in found.items() if split},
            together=cleaned.get("together", True),
        )
        return cleaned

    def refuse(self, error: Invalid) -> None:
        """Show a refusal at the field that it is about."""
        for problem in error.problems or [{"field": "", "message": str(error)}]:
            name = problem["field"]
            self.add_error(name if name in self.fields else None, problem["message"])


def _filled(data: Mapping[str, Any] | None, initial: Mapping[str, Any]) -> Any:
    """What was sent, with what the way before had no fields for."""
    if data is None:
        return None
    posted: Any = data
    filled = posted.copy()
    if "seed" not in filled:
        for name in ("unit", "train", "dev", "test", "seed"):
            filled[name] = str(initial[name])
    if "values_of" not in filled:
        filled["together"] = "on"
    return filled


class UnsealForm(forms.Form):
    """Why the test split is unsealed."""

    reason = forms.CharField(
        label="Reason",
        min_length=SHORTEST_REASON,
        max_length=180,
        help_text="It stands in the log for good.",
    )
