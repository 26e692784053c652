"""Forms out of the engine's `Params` dataclasses, for metrics, modules and compilers alike."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from django import forms

LONGEST_TEXT = 2_000
LONGEST_CODE = 100_000


class NamesField(forms.CharField):
    """Several names, one a line or with commas between, as a tuple."""

    def prepare_value(self, value: Any) -> Any:
        """As it stands in the box."""
        return "\n".join(value) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> Any:
        """The names, without empty ones."""
        parts = str(value or "").replace(",", "\n").splitlines()
        return [part.strip() for part in parts if part.strip()]


class ParamsForm(forms.Form):
    """A form whose fields are the parameters of a dataclass."""

    def params(self) -> dict[str, Any]:
        """The values as JSON for `engine.params.read_params`; what was left empty is left out."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if value not in (None, []) and (value != "" or self.fields[name].required)
        }


def params_form(params: type[Any]) -> type[ParamsForm]:
    """The form class of a dataclass.

    The metadata of a field gives `label`, `help`, `min`, `max`, `choices` and `required`; a field
    with a default may be left empty.
    """
    hints = typing.get_type_hints(params)
    fields = {
        field.name: _form_field(field, hints[field.name]) for field in dataclasses.fields(params)
    }
    return type(f"{params.__name__}Form", (ParamsForm,), fields)


def _form_field(field: dataclasses.Field[Any], hint: Any) -> forms.Field:
    about = field.metadata
    kind, optional = _scalar(hint)
    default = None if field.default is dataclasses.MISSING else field.default
    common: dict[str, Any] = {
        "label": about.get("label", field.name.replace("_", " ").capitalize()),
        "help_text": about.get("help", ""),
        "initial": default,
        "required": field.default is dataclasses.MISSING or bool(about.get("required")),
    }
    if typing.get_origin(kind) is tuple:
        common["help_text"] = f"{common['help_text']} One a line.".strip()
        return NamesField(
            max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}), **common
        )
    if about.get("choices"):
        choices = [(choice, str(choice) or "(as usual)") for choice in about["choices"]]
        return forms.TypedChoiceField(
            choices=choices, coerce=lambda text: kind(text), empty_value=None, **common
        )
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    common["required"] = not optional and (common["required"] or kind is not str)
    bounds: dict[str, Any] = {"min_value": about.get("min"), "max_value": about.get("max")}
    if kind is int:
        return forms.IntegerField(**bounds, **common)
    if kind is float:
        return forms.FloatField(**bounds, **common)
    if about.get("widget") in ("code", "text"):
        mono = {"class": "mono", "spellcheck": "false"} if about["widget"] == "code" else {}
        return forms.CharField(
            max_length=LONGEST_CODE,
            strip=False,
            widget=forms.Textarea(attrs={"rows": 8, **mono}),
            **common,
        )
    return forms.CharField(max_length=LONGEST_TEXT, **common)


def _scalar(hint: Any) -> tuple[type, bool]:
    """`int` of `int | None`, and whether None is allowed."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        return parts[0], True
    return hint, False
