"""Forms for metrics; the parameters' own form is made of the kind's dataclass."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from studio.accounts.models import Project
from studio.accounts.param_forms import ParamsForm, params_form
from studio.engine.metrics import METRICS
from studio.engine.metrics.composite import COMPOSITE, EXAMPLE_PARTS
from studio.engine.metrics.python import EXAMPLE_CODE
from studio.lms.models import Connection
from studio.metrics.models import Metric


class JudgeForm(forms.Form):
    """Which language model judges; the box is there for kinds that ask one."""

    judge = forms.ModelChoiceField(
        Connection.objects.none(),
        label="Judge",
        help_text="The language model that is asked. Its calls count in a run's budget.",
        empty_label="Choose one",
    )

    def __init__(self, *args: Any, project: Project, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        needed = bool(METRICS[kind].needs & {"lm", "embedder"})
        if needed or kind == COMPOSITE.name:
            field = self.fields["judge"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = project.connections.all()
            field.required = needed
        else:
            del self.fields["judge"]


class MetricForm(JudgeForm, forms.ModelForm[Metric]):
    """What every metric has."""

    class Meta:
        model = Metric
        fields = ("name", "judge")
        labels = {"name": "Name"}  # noqa: RUF012
        help_texts = {"name": "How it is called in this project."}  # noqa: RUF012


class ChangeForm(MetricForm):
    """A change of a metric: what is changed, and which version was looked at."""

    message = forms.CharField(
        required=False,
        max_length=200,
        label="What you changed",
        help_text="Stands in the list of versions.",
    )
    base = forms.IntegerField(required=False, widget=forms.HiddenInput)


class TryForm(forms.Form):
    """One answer to judge."""

    expected = forms.CharField(
        required=False,
        max_length=20_000,
        strip=False,
        label="Expected",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    answered = forms.CharField(
        required=False,
        max_length=20_000,
        strip=False,
        label="Answered",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


NAMES_A_FIELD = {"field", "gold", "reference", "question", "context"}
CODE = "python"
"""What the editor is told of a box that holds code."""
EXAMPLES = {"code": EXAMPLE_CODE, "parts": EXAMPLE_PARTS}
"""What stands in a box at first, for people to change."""


def make_params_form(kind: str, *args: Any, answer: str = "", **kwargs: Any) -> ParamsForm:
    """The form for the parameters of a kind; a box for a field's name suggests names.

    `answer` is the output that examples of code speak of.
    """
    form = params_form(METRICS[kind].params)(*args, **kwargs)
    if "normalisation" in form.fields:
        # The older of two parameters for one thing; stored metrics still have it.
        form.fields.pop("normalise", None)
    for name in NAMES_A_FIELD & set(form.fields):
        form.fields[name].widget.attrs |= {
            "list": "field-names",
            "autocomplete": "off",
            "class": "mono",
        }
    if "code" in form.fields:
        form.fields["code"].widget.attrs |= {"rows": 14, "data-editor": CODE, "wrap": "off"}
    for name, example in EXAMPLES.items():
        if name in form.fields and not form.is_bound:
            form.initial.setdefault(name, example_of(example, answer))
    return form


def example_of(text: str, answer: str) -> str:
    """An example of code or parts that speaks of a field that is there."""
    return text.replace('"answer"', json.dumps(answer, ensure_ascii=False)) if answer else text
