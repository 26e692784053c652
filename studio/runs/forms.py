"""The compile form; the compilers' own parameters come from their Params dataclasses."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from studio.datasets.models import Dataset
from studio.engine.compilers import COMPILERS, CompilerKind
from studio.errors import Invalid
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline
from studio.runs.checks import MOST_CALLS, MOST_COST, MOST_SECONDS, MOST_SEED, MOST_TOKENS
from studio.runs.choosing import PRESET_WORDS, presets_of, teaches
from studio.runs.compiler_settings import Settings
from studio.runs.models import Artifact

DEFAULT_CALLS = 2_000
_OFFERED = 30
"""Artifacts that the form offers, newest first."""


class CompileForm(forms.Form):
    """Which data, metric, LMs and compiler, from where to start, and how much at most.

    A preset fills the compiler's parameters. `filled` says which compiler and preset the
    parameters on the page are of: when the preset is still the same but they are not, somebody
    has changed them by hand, and the preset is `custom`.
    """

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        empty_label=None,
        help_text="Learned from on train, chosen on dev, judged on test.",
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(), empty_label=None, help_text="What counts as a good answer."
    )
    connection = forms.ModelChoiceField(
        Connection.objects.none(),
        empty_label=None,
        label="Language model",
        help_text="The student: the program is compiled for this one.",
    )
    also = forms.ModelMultipleChoiceField(
        Connection.objects.none(),
        required=False,
        label="Compile it for these as well",
        widget=forms.CheckboxSelectMultiple,
        help_text="One run each; their scores, costs and latencies come in one table.",
    )
    compiler = forms.ChoiceField(widget=forms.RadioSelect)
    preset = forms.CharField(required=False)
    teacher = forms.ChoiceField(
        required=False,
        help_text="Whose answers become demos: a stronger model, or a program compiled before.",
    )
    proposer = forms.ModelChoiceField(
        Connection.objects.none(),
        required=False,
        empty_label="The student itself",
        help_text="Who is asked for new instructions: a model that writes well.",
    )
    start = forms.ChoiceField(
        required=False,
        label="Improve",
        help_text="What the search sets out from.",
    )
    max_calls = forms.IntegerField(
        required=False,
        label="LM calls at most",
        min_value=1,
        max_value=MOST_CALLS,
        initial=DEFAULT_CALLS,
        help_text=f"At the cap the run ends with the best found so far. Empty: {DEFAULT_CALLS:,}.",
        error_messages={
            "min_value": "The run could never ask the LM: allow at least 1 call.",
            "max_value": f"The most is {MOST_CALLS:,} calls.",
            "invalid": "Enter a whole number of calls, such as 2000.",
        },
    )
    max_tokens = forms.IntegerField(
        required=False,
        label="Tokens at most",
        min_value=1,
        max_value=MOST_TOKENS,
        help_text="Of prompts and answers together. Empty: no cap.",
        error_messages={
            "min_value": "The run could never ask the LM: allow at least 1 token, or leave it "
            "empty for no cap.",
            "max_value": "That is as good as no cap: leave it empty.",
            "invalid": "Enter a whole number of tokens, such as 500000, or leave it empty.",
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
    max_minutes = forms.FloatField(
        required=False,
        label="Minutes at most",
        min_value=0.1,
        max_value=MOST_SECONDS / 60,
        help_text="Of work; waiting for a worker does not count. Empty: no cap.",
        error_messages={
            "min_value": "Allow at least 0.1 minutes, or leave it empty for no cap.",
            "max_value": "That is longer than a month: leave it empty for no cap.",
            "invalid": "Enter a number of minutes, such as 30, or leave it empty.",
        },
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=MOST_SEED,
        initial=0,
        help_text="The same seed makes the same choices.",
        error_messages={
            "required": "Enter a seed, such as 0.",
            "min_value": "Enter a seed of 0 or more.",
            "max_value": f"The greatest seed is {MOST_SEED:,}.",
            "invalid": "Enter a whole number, such as 0.",
        },
    )

    afresh = forms.BooleanField(
        required=False,
        label="Run everything anew",
        help_text="Otherwise scores and answers of earlier runs are taken over where they still "
        "hold, and cost nothing.",
    )

    def __init__(self, data: Any = None, *, pipeline: Pipeline) -> None:
        super().__init__(data)
        self.pipeline = pipeline
        project = pipeline.project
        self._models("dataset", project.datasets.all())
        self._models("metric", project.metrics.all())
        connections = project.connections.all()
        for name in ("connection", "also", "proposer"):
            self._models(name, connections)
        self.artifacts = _artifacts(pipeline, str(self.data.get("start") or ""))
        known = [(artifact.hash, _artifact_label(artifact)) for artifact in self.artifacts]
        self._choices("start", [("", "The pipeline as it is drawn"), *known])
        self._choices(
            "teacher",
            [
                ("", "The student itself"),
                ("Language models", [(f"lm:{one.slug}", one.name) for one in connections]),
                *([("Programs compiled before", [("a:" + h, t) for h, t in known])] * bool(known)),
            ],
        )
        self._choices("compiler", [(kind.name, kind.title) for kind in COMPILERS.values()])
        wrong = "Choose one of those that the list offers; this one is not there any more."
        for name, field in self.fields.items():
            field.error_messages["invalid_choice"] = wrong
            if name != "seed":
                field.error_messages["required"] = "Choose one from the list."
        self.settings = Settings.read(self.data)

    # ---- what is chosen, also while the form is not complete

    @property
    def kind(self) -> CompilerKind:
        """The compiler that is chosen in the form as it stands."""
        return self.settings.kind

    @property
    def presets(self) -> list[tuple[str, str, str, bool]]:
        """Value, title, sentence, and whether it is chosen."""
        return [
            (name, *PRESET_WORDS[name], name == self.settings.preset)
            for name in presets_of(self.kind)
        ]

    @property
    def asks(self) -> bool:
        """Whether a proposer is asked."""
        return self.kind.asks

    @property
    def teaches(self) -> bool:
        """Whether a teacher makes demos."""
        return teaches(self.kind)

    @property
    def several(self) -> int:
        """How many language models it is going to be compiled for."""
        return len(self.students()) if self.is_valid() else 1

    def is_valid(self) -> bool:
        """Both the form and the compiler's parameters."""
        valid = super().is_valid()
        return valid and not self.settings.problem and self.settings.form_is_valid

    def clean_teacher(self) -> Connection | Artifact | None:
        """The language model or the artifact behind the choice."""
        kind, _, name = str(self.cleaned_data["teacher"]).partition(":")
        if kind == "lm":
            return self.pipeline.project.connections.get(slug=name)
        return self._artifact(name) if kind == "a" else None

    def clean_start(self) -> Artifact | None:
        """The artifact behind the choice."""
        return self._artifact(str(self.cleaned_data["start"]))

    def clean_max_calls(self) -> int:
        """Never without a cap."""
        return int(self.cleaned_data["max_calls"] or DEFAULT_CALLS)

    # ---- what services take

    def params(self) -> dict[str, Any]:
        """The compiler's parameters."""
        return self.settings.values()

    def students(self) -> list[Connection]:
        """The language models to compile for, the first one first."""
        first = self.cleaned_data["connection"]
        return [first, *(one for one in self.cleaned_data["also"] if one != first)]

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `services.start_compile`, but for the student."""
        cleaned = self.cleaned_data
        teacher = cleaned["teacher"] if self.teaches else None
        minutes = cleaned["max_minutes"]
        return {
            "dataset": cleaned["dataset"],
            "metric": cleaned["metric"],
            "compiler": self.kind.name,
            "params": self.params(),
            "seed": cleaned["seed"],
            "max_calls": cleaned["max_calls"],
            "max_tokens": cleaned["max_tokens"],
            "max_cost": cleaned["max_cost"],
            "max_seconds": None if minutes is None else max(1, round(60 * minutes)),
            "teacher": teacher if isinstance(teacher, Connection) else None,
            "teacher_artifact": teacher if isinstance(teacher, Artifact) else None,
            "proposer": cleaned["proposer"] if self.asks else None,
            "start_artifact": cleaned["start"],
            "reuse": not cleaned["afresh"],
        }

    # ---- what went wrong

    def refuse(self, error: Invalid) -> None:
        """Show what a service refused, at the field that it names."""
        named = [one.get("field") for one in error.problems if isinstance(one, dict)]
        field = next((_SERVICE_NAMES.get(name, name) for name in named if name), None)
        self.add_error(field if field in self.fields else None, str(error))

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """Everything that is wrong: the field's name, what to do, and its place on the page."""
        found = [
            ("" if name == "__all__" else self._label(name), str(error), self._place(name))
            for name, errors in self.errors.items()
            for error in errors
        ]
        if self.settings.problem:
            found.append(("Settings", self.settings.problem, "preset"))
        for bound in self.settings.form:
            found += [(str(bound.label), str(error), bound.auto_id) for error in bound.errors]
        return found

    def _label(self, name: str) -> str:
        return str(self[name].label)

    def _place(self, name: str) -> str:
        if name == "__all__":
            return ""
        bound: BoundField = self[name]
        return name if name in ("compiler", "preset", "also") else bound.auto_id

    def _artifact(self, hash_: str) -> Artifact | None:
        return next((one for one in self.artifacts if one.hash == hash_), None)

    def _models(self, name: str, rows: Any) -> None:
        field = typing.cast("forms.ModelChoiceField[Any]", self.fields[name])
        field.queryset = rows

    def _choices(self, name: str, choices: Iterable[Any]) -> None:
        typing.cast(forms.ChoiceField, self.fields[name]).choices = list(choices)


_SERVICE_NAMES = {
    "max_seconds": "max_minutes",
    "teacher_artifact": "teacher",
    "start_artifact": "start",
    "connections": "also",
}


def _artifacts(pipeline: Pipeline, wanted: str) -> list[Artifact]:
    rows = Artifact.objects.filter(version__pipeline=pipeline).select_related("version", "run")
    rows = rows.defer("content", "run__report", "run__params", "version__spec")
    found = list(rows[:_OFFERED])
    if wanted and all(one.hash != wanted for one in found):
        found += rows.filter(hash=wanted)
    return found


def _artifact_label(artifact: Artifact) -> str:
    score = artifact.report.get("compiled")
    figures = "no scores" if score is None else f"{score:.3f} on held-out"
    made = artifact.created_at.strftime("%-d %b")
    by = artifact.run.compiler if artifact.run and artifact.run.compiler else "edited"
    return f"{artifact}: {by}, {figures}, version {artifact.version.number}, {made}"
