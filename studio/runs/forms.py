"""The compile form; the compilers' own parameters come from their Params dataclasses."""

from __future__ import annotations

import typing
from typing import Any

from django import forms

from studio.accounts.param_forms import ParamsForm, params_form
from studio.datasets.models import Dataset
from studio.engine.compilers import COMPILERS
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline
from studio.runs.services import MOST_CALLS, MOST_SEED

DEFAULT_COMPILER = "random-search"


class CompileForm(forms.Form):
    """Which data, metric, LM and compiler, and how many calls at most."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        empty_label=None,
        help_text="Learned from on train, chosen on dev, judged on test.",
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(), empty_label=None, help_text="What counts as a good answer."
    )
    connection = forms.ModelChoiceField(
        Connection.objects.none(), empty_label=None, label="Language model"
    )
    compiler = forms.ChoiceField(widget=forms.RadioSelect)
    max_calls = forms.IntegerField(
        label="Hard cap on LM calls",
        min_value=1,
        max_value=MOST_CALLS,
        initial=2000,
        help_text="The run never makes more; at the cap it ends with the best found so far.",
        error_messages={
            "min_value": "The run could never ask the LM: allow at least 1 call.",
        },
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=MOST_SEED,
        initial=0,
        help_text="The same seed makes the same choices.",
    )

    def __init__(self, *args: Any, pipeline: Pipeline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        project = pipeline.project
        choices: dict[str, Any] = {
            "dataset": project.datasets.all(),
            "metric": project.metrics.all(),
            "connection": project.connections.all(),
        }
        for name, rows in choices.items():
            field = typing.cast("forms.ModelChoiceField[Any]", self.fields[name])
            field.queryset = rows
            field.initial = rows.first()
        last = project.runs.filter(version__pipeline=pipeline, kind="compile").first()
        if last is not None:
            for name in choices:
                if getattr(last, name) is not None:
                    self.fields[name].initial = getattr(last, name)
        compiler = typing.cast(forms.ChoiceField, self.fields["compiler"])
        compiler.choices = [(kind.name, kind.title) for kind in COMPILERS.values()]
        compiler.initial = (
            DEFAULT_COMPILER if DEFAULT_COMPILER in COMPILERS else next(iter(COMPILERS))
        )
        self.params = {
            name: params_form(kind.params)(self.data or None, prefix=f"params-{name}")
            for name, kind in COMPILERS.items()
        }

    @property
    def chosen(self) -> str:
        """The compiler that is chosen in the form as it stands."""
        name = str(self["compiler"].value() or "")
        return name if name in COMPILERS else DEFAULT_COMPILER

    @property
    def chosen_params(self) -> ParamsForm:
        """The parameters of that compiler."""
        return self.params[self.chosen]

    @property
    def shown_params(self) -> list[tuple[str, str, ParamsForm]]:
        """Name and title of each compiler that has parameters, with their form."""
        return [
            (name, COMPILERS[name].title, form)
            for name, form in self.params.items()
            if form.fields
        ]

    def is_valid(self) -> bool:
        """Both the form and the chosen compiler's parameters."""
        return super().is_valid() and self.chosen_params.is_valid()
