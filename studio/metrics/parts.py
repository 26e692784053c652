"""The form of a composite: its parts one below another, or all of them as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from studio.accounts.param_forms import ParamsForm
from studio.engine.errors import EngineError
from studio.engine.metrics import METRICS
from studio.engine.metrics.composite import COMPOSITE, EXAMPLE_PARTS, MOST_PARTS, read_parts
from studio.metrics.forms import example_of, make_params_form

ROWS, JSON = "form", "json"
"""The two ways to write the parts; `parts_as` says which one a post holds."""
STEPS = ("parts_add", "parts_remove", "parts_switch")
"""Names of buttons that change the form and store nothing."""


def part_kinds() -> list[tuple[str, str]]:
    """What a part may be, by name and title."""
    return [(kind.name, kind.title) for kind in METRICS.values() if kind is not COMPOSITE]


class WeightForm(forms.Form):
    """How much a part counts, and what it must reach."""

    weight = forms.FloatField(
        label="Weight",
        min_value=0,
        initial=1,
        help_text="Twice the weight counts twice; 0: only the gate counts.",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    gate = forms.FloatField(
        label="Gate",
        required=False,
        min_value=0,
        max_value=1,
        help_text="The least score; below it the whole is 0.",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )


class TextForm(forms.Form):
    """All parts as JSON."""

    parts = forms.CharField(
        label="Parts as JSON",
        max_length=100_000,
        strip=False,
        help_text="A list of objects with kind, params, weight (1 if left out) and maybe gate.",
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "false"}),
    )


@dataclass
class PartRow:
    """One part in the form."""

    index: int
    kind: str
    params: ParamsForm
    weight: WeightForm

    @property
    def number(self) -> int:
        """As people count."""
        return self.index + 1

    @property
    def title(self) -> str:
        """The kind in words."""
        return METRICS[self.kind].title if self.kind in METRICS else self.kind

    @property
    def sentence(self) -> str:
        """What the kind does."""
        return METRICS[self.kind].sentence if self.kind in METRICS else ""

    def is_valid(self) -> bool:
        """Whether it can be a part as it stands."""
        return all([self.params.is_valid(), self.weight.is_valid()])

    def to_dict(self) -> dict[str, Any]:
        """The part as `read_parts` reads it."""
        cleaned = self.weight.cleaned_data
        gate = {} if cleaned["gate"] is None else {"gate": cleaned["gate"]}
        return {
            "kind": self.kind,
            "params": self.params.params(),
            "weight": cleaned["weight"],
            **gate,
        }


class PartsForm:
    """What a `ParamsForm` is for other kinds, for the composite.

    Bound to what was posted, it does what the pressed button asks for: one part more, one less,
    or the other way of writing; `is_step` says that nothing is to be stored.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        answer: str = "",
    ) -> None:
        self.is_bound = data is not None
        self.is_step = data is not None and any(name in data for name in STEPS)
        self.error = ""
        self.rows: list[PartRow] = []
        example = example_of(EXAMPLE_PARTS, answer)
        self.text = TextForm(initial={"parts": example})
        self.way = ROWS
        self._answer = answer
        if data is None:
            self._show(str((initial or {}).get("parts", example)))
        else:
            self._read(data)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What can be added."""
        return part_kinds()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another part."""
        return len(self.rows) >= MOST_PARTS

    @property
    def fields(self) -> dict[str, forms.Field]:
        """By name, for those who list what is wrong with a form."""
        return {"parts": self.text.fields["parts"]}

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong with the parts, by field, in sentences that name the part."""
        told = [self.error] if self.error else []
        if self.is_bound and not self.is_step:
            if self.way == JSON:
                told += [str(error) for errors in self.text.errors.values() for error in errors]
            for row in self.rows:
                for form in (row.params, row.weight):
                    for name, errors in form.errors.items():
                        label = form.fields[name].label if name in form.fields else ""
                        told += [f"Part {row.number} {label}: {error}" for error in errors]
        return {"parts": told} if told else {}

    def is_valid(self) -> bool:
        """Whether the parts make a composite; what is wrong stands in `errors`."""
        if not self.is_bound or self.is_step or self.errors:
            return False
        try:
            read_parts(self.params()["parts"])
        except EngineError as error:
            self.error = str(error)
        return not self.error

    def params(self) -> dict[str, Any]:
        """The parameters of the composite."""
        if self.way == JSON:
            return {"parts": self.text.cleaned_data["parts"]}
        parts = [row.to_dict() for row in self.rows]
        return {"parts": json.dumps(parts, ensure_ascii=False, indent=1)}

    def _read(self, data: Mapping[str, Any]) -> None:
        if data.get("parts_as", JSON if "parts" in data else ROWS) == JSON:
            self.way, self.text = JSON, TextForm(data)
            if data.get("parts_switch") == ROWS and self.text.is_valid():
                self._show(self.text.cleaned_data["parts"])
            return
        self.rows = [_row(number, kind, data) for number, kind in _posted(data)]
        if "parts_remove" in data:
            left = [row for row in self.rows if str(row.index) != data["parts_remove"]]
            self.rows = _renumbered(left)
        elif data.get("parts_add") and not self.is_full:
            kind = str(data.get("parts_kind", ""))
            if kind in METRICS:
                self.rows = _renumbered(self.rows)
                self.rows.append(_row(len(self.rows), kind, answer=self._answer))
        elif data.get("parts_switch") == JSON:
            unfinished = [row for row in self.rows if not row.is_valid()]
            if not unfinished:
                self.way, self.text = JSON, TextForm(initial=self.params())
                self.rows = []
            else:
                self.error = "Complete the parts first: what is missing is marked."

    def _show(self, text: str) -> None:
        """The parts of a text as rows; as the text itself where they cannot be read."""
        try:
            parts = read_parts(text)
        except EngineError as error:
            self.way, self.text, self.error = JSON, TextForm(initial={"parts": text}), str(error)
            return
        self.way = ROWS
        self.rows = [
            _row(
                number,
                part.kind,
                initial=part.params,
                weights={"weight": part.weight, "gate": part.gate},
            )
            for number, part in enumerate(parts)
        ]


def _posted(data: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The numbers and kinds of the parts that a post holds."""
    found = [(number, str(data.get(f"part-{number}-kind", ""))) for number in range(MOST_PARTS)]
    return [(number, kind) for number, kind in found if kind in METRICS]


def _renumbered(rows: list[PartRow]) -> list[PartRow]:
    """The same rows without gaps, each still with what was written in it."""
    made = []
    for number, row in enumerate(rows):
        params, weights = _written(row.params), _written(row.weight)
        made.append(_row(number, row.kind, initial=params, weights=weights))
    return made


def _written(form: forms.Form) -> dict[str, Any]:
    """What stands in the boxes, whether it is right or not."""
    return {
        name: field.initial
        if not form.is_bound and name not in form.initial
        else form[name].value()
        for name, field in form.fields.items()
    }


def _row(
    index: int,
    kind: str,
    data: Mapping[str, Any] | None = None,
    *,
    initial: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    answer: str = "",
) -> PartRow:
    prefix = f"part-{index}"
    given = dict(initial or {})
    params = make_params_form(kind, data, initial=given, prefix=prefix, answer=answer)
    weight = WeightForm(data, initial=dict(weights or {}), prefix=prefix)
    return PartRow(index, kind, params, weight)


def settings_form(
    kind: str,
    data: Mapping[str, Any] | None = None,
    *,
    initial: Mapping[str, Any] | None = None,
    answer: str = "",
) -> ParamsForm | PartsForm:
    """The form for the parameters of a kind; its examples speak of the output `answer`."""
    if kind == COMPOSITE.name:
        return PartsForm(data, initial=initial, answer=answer)
    return make_params_form(kind, data, initial=dict(initial or {}), answer=answer)
