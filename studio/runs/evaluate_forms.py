"""The form of an evaluation: what, on which rows, judged by what, and how much at most."""

from __future__ import annotations

import typing
from typing import Any

from django import forms

from studio.datasets.models import Dataset
from studio.errors import Invalid, StudioError
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline
from studio.runs.checks import MOST_CALLS, MOST_COST, MOST_SEED
from studio.runs.evaluations.asked import MOST_REPEATS, MOST_ROWS, ROWS, SPLITS, Asked
from studio.runs.evaluations.subjects import (
    NOW,
    Subject,
    find_subject,
    name_of_run,
    offered,
)
from studio.runs.models import Run

DEFAULT_CALLS = 2_000
_WHOLE = "Enter a whole number, such as {}."


class EvaluateForm(forms.Form):
    """Every choice of `start_evaluation`."""

    subject = forms.ChoiceField(
        label="Program",
        help_text="A version as it is drawn, a compiled artifact, or what a release points to.",
    )
    dataset = forms.ModelChoiceField(Dataset.objects.none(), empty_label=None)
    number = forms.IntegerField(
        required=False,
        min_value=1,
        label="Version of the dataset",
        help_text="Empty: the newest.",
        error_messages={
            "min_value": "Versions are numbered from 1.",
            "invalid": _WHOLE.format(3),
        },
    )
    split = forms.ChoiceField(choices=SPLITS, initial="test")
    metric = forms.ModelChoiceField(
        Metric.objects.none(), empty_label=None, help_text="What counts as a good answer."
    )
    connection = forms.ModelChoiceField(
        Connection.objects.none(),
        required=False,
        empty_label="The one that the artifact was compiled for",
        label="Language model",
        help_text="Who answers.",
    )
    repeats = forms.IntegerField(
        min_value=1,
        max_value=MOST_REPEATS,
        initial=1,
        label="Answers per row",
        help_text="More than one shows how much a program varies from answer to answer.",
        error_messages={
            "required": "Say how often each row is answered, such as 1.",
            "min_value": "Each row is answered at least once.",
            "max_value": f"Each row is answered at most {MOST_REPEATS} times.",
            "invalid": _WHOLE.format(1),
        },
    )
    rows = forms.ChoiceField(choices=ROWS, initial="all", label="Which rows")
    count = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_ROWS,
        label="How many rows",
        help_text="Where not all of them are taken.",
        error_messages={
            "min_value": "Take at least one row.",
            "max_value": f"At most {MOST_ROWS:,} rows, or all of them.",
            "invalid": _WHOLE.format(100),
        },
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_SEED,
        initial=0,
        help_text="The same seed draws the same rows, for every program.",
        error_messages={
            "min_value": "Enter a seed of 0 or more.",
            "max_value": f"The greatest seed is {MOST_SEED:,}.",
            "invalid": _WHOLE.format(0),
        },
    )
    max_calls = forms.IntegerField(
        required=False,
        label="LM calls at most",
        min_value=1,
        max_value=MOST_CALLS,
        initial=DEFAULT_CALLS,
        help_text=f"There it pauses, and can go on. Empty: {DEFAULT_CALLS:,}.",
        error_messages={
            "min_value": "The run could never ask the LM: allow at least 1 call.",
            "max_value": f"The most is {MOST_CALLS:,} calls.",
            "invalid": "Enter a whole number of calls, such as 2000.",
        },
    )
    max_cost = forms.FloatField(
        required=False,
        label="US dollars at most",
        min_value=0.0001,
        max_value=MOST_COST,
        help_text="Counted where the language model has a price. Empty: no cap.",
        error_messages={
            "min_value": "Allow at least $0.0001, or leave it empty for no cap.",
            "max_value": "That is as good as no cap: leave it empty.",
            "invalid": "Enter an amount in US dollars, such as 2.50, or leave it empty.",
        },
    )
    afresh = forms.BooleanField(
        required=False,
        label="Ask everything anew",
        help_text="Otherwise answers of earlier runs are taken over where they still hold, and "
        "cost nothing.",
    )

    def __init__(self, data: Any = None, *, pipeline: Pipeline) -> None:
        super().__init__(data)
        self.pipeline = pipeline
        project = pipeline.project
        self._models("dataset", project.datasets.all())
        self._models("metric", project.metrics.all())
        self._models("connection", project.connections.all())
        groups = offered(pipeline)
        wanted = str(self.data.get("subject") or "")
        known = {name for _title, choices in groups for name, _label in choices}
        if wanted and wanted not in known and self._finds(wanted):
            groups.append(("Chosen", [(wanted, wanted.replace(":", " "))]))
        typing.cast(forms.ChoiceField, self.fields["subject"]).choices = groups
        wrong = "Choose one of those that the list offers; this one is not there any more."
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = wrong
            field.error_messages.setdefault("required", "Choose one from the list.")

    def _finds(self, name: str) -> bool:
        try:
            find_subject(self.pipeline, name)
        except StudioError:
            return False
        return True

    def clean_max_calls(self) -> int:
        """Never without a cap."""
        return int(self.cleaned_data["max_calls"] or DEFAULT_CALLS)

    def clean_number(self) -> int | None:
        """A version that is there."""
        number: int | None = self.cleaned_data["number"]
        dataset: Dataset | None = self.cleaned_data.get("dataset")
        if number is not None and dataset is not None and number > dataset.number:
            raise forms.ValidationError(
                f"“{dataset.name}” has no version {number}: its newest is {dataset.number}."
            )
        return number

    def clean(self) -> dict[str, Any]:
        """What depends on several fields."""
        cleaned = super().clean() or {}
        some = cleaned.get("rows") in ("first", "random")
        if some and not cleaned.get("count") and "count" not in self.errors:
            self.add_error("count", "Say how many rows, or take all of them.")
        if {"subject", "connection"} <= set(cleaned) and self.answers() is None:
            self.add_error("connection", "Choose the language model that answers.")
        return cleaned

    def chosen(self) -> Subject:
        """What is evaluated."""
        return find_subject(self.pipeline, self.cleaned_data["subject"])

    def answers(self) -> Connection | None:
        """The language model: the chosen one, or the one that the artifact was compiled for."""
        chosen: Connection | None = self.cleaned_data["connection"]
        return chosen or self.chosen().connection

    def asked(self) -> Asked:
        """Which rows, how often."""
        cleaned = self.cleaned_data
        return Asked(
            split=cleaned["split"],
            repeats=cleaned["repeats"],
            rows=cleaned["rows"],
            count=0 if cleaned["rows"] == "all" else cleaned["count"],
        )

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `start_evaluation`."""
        cleaned = self.cleaned_data
        return {
            "pipeline": self.pipeline,
            "subject": self.chosen(),
            "dataset": cleaned["dataset"],
            "number": cleaned["number"],
            "metric": cleaned["metric"],
            "connection": self.answers(),
            "asked": self.asked(),
            "seed": cleaned["seed"] or 0,
            "max_calls": cleaned["max_calls"],
            "max_cost": cleaned["max_cost"],
            "reuse": not cleaned["afresh"],
        }

    def refuse(self, error: Invalid) -> None:
        """Show what a service refused, at the field that it names."""
        named = [one.get("field") for one in error.problems if isinstance(one, dict)]
        field = next((name for name in named if name in self.fields), None)
        self.add_error(field, str(error))

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """Everything that is wrong: the field's name, what to do, and its place on the page."""
        return [
            ("", str(error), "")
            if name == "__all__"
            else (str(self[name].label), str(error), self[name].auto_id)
            for name, errors in self.errors.items()
            for error in errors
        ]

    def _models(self, name: str, rows: Any) -> None:
        field = typing.cast("forms.ModelChoiceField[Any]", self.fields[name])
        field.queryset = rows


class CapsForm(forms.Form):
    """Higher caps for an evaluation that waits for them."""

    max_calls = EvaluateForm.base_fields["max_calls"]
    max_cost = EvaluateForm.base_fields["max_cost"]


def initial_data(
    pipeline: Pipeline, *, run: Run | None = None, subject: str = "", dataset: str = ""
) -> dict[str, Any]:
    """What the form holds when it is opened: as in `run`, else as in the last evaluation."""
    project = pipeline.project
    past = project.runs.filter(version__pipeline=pipeline, dataset__isnull=False)
    last = run or past.exclude(kind=Run.Kind.TRY).first()

    def row(name: str) -> Any:
        chosen = getattr(last, name) if last is not None else None
        return chosen or getattr(project, f"{name}s").first()

    data: dict[str, Any] = {
        name: found.pk
        for name in ("dataset", "metric", "connection")
        if (found := row(name)) is not None
    }
    if dataset:
        chosen = project.datasets.filter(slug=dataset).first()
        data["dataset"] = chosen.pk if chosen else data.get("dataset")
    data |= {"subject": subject or NOW, "split": "dev", "repeats": 1, "rows": "all", "seed": 0}
    data["max_calls"] = DEFAULT_CALLS
    if subject.startswith(("artifact:", "release:")):
        data["connection"] = ""
    asked = Asked.of(run) if run is not None else None
    if run is not None and asked is not None:
        data |= {
            "subject": subject or name_of_run(run),
            "split": asked.split,
            "repeats": asked.repeats,
            "rows": asked.rows,
            "count": asked.count or "",
            "seed": run.seed,
            "max_calls": run.max_calls,
            "max_cost": run.max_cost or "",
            "afresh": "" if run.reuse else "on",
        }
    return data
