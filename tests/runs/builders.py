"""What tests of runs need: a project that can be compiled, and an LM that can be watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from studio.accounts.models import Project, User
from studio.datasets.models import Dataset
from studio.engine.lm.base import LM
from studio.engine.lm.compose import compose
from studio.engine.lm.metered import Budget
from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline
from studio.runs import services
from studio.runs.execute import execute
from studio.runs.forms import CompileForm
from studio.runs.models import Run
from tests import builders

THINGS = ("kettle", "lamp", "radio", "heater", "camera", "router", "speaker", "toaster")
SAYINGS = (
    ("The invoice for the {} is too high.", "billing"),
    ("The parcel with the {} is lost.", "shipping"),
    ("Somebody took money twice for one {}.", "billing"),
    ("The courier left the {} in the rain.", "shipping"),
    ("My bank shows a fee that the {} never had.", "billing"),
    ("When does the van with my {} come?", "shipping"),
)


def make_rows(count: int = 48) -> list[dict[str, str]]:
    """Messages of two categories, all different."""
    return [
        {
            "message": f"{SAYINGS[n % 6][0].format(THINGS[(n // 6) % 8])} Order {n}.",
            "category": SAYINGS[n % 6][1],
        }
        for n in range(count)
    ]


@dataclass(frozen=True)
class Kit:
    """Everything that a compile needs."""

    project: Project
    actor: User
    pipeline: Pipeline
    dataset: Dataset
    metric: Metric
    connection: Connection

    def start(self, **options: Any) -> Run:
        """Queue a compile, kicking nobody."""
        return services.start_compile(
            **{
                "actor": self.actor,
                "pipeline": self.pipeline,
                "dataset": self.dataset,
                "metric": self.metric,
                "connection": self.connection,
                "compiler": "random-search",
                "params": {"candidates": 2, "max_labeled": 4, "max_bootstrapped": 2},
                "seed": 1,
                "max_calls": 1000,
                # Two compiles of one test have nothing from each other unless it says so.
                "reuse": False,
                "kick": False,
                **options,
            }
        )

    def start_try(self, **options: Any) -> Run:
        """Queue a try, kicking nobody."""
        return services.start_try(
            **{
                "actor": self.actor,
                "pipeline": self.pipeline,
                "connection": self.connection,
                "inputs": {"message": "x"},
                "kick": False,
                **options,
            }
        )

    def form(self, **values: Any) -> dict[str, Any]:
        """The compile form, filled in as a browser would send it."""
        form = CompileForm(pipeline=self.pipeline)
        prefix = "params-random-search-"
        params = form.settings.form.initial.items()
        return {
            "dataset": self.dataset.pk,
            "metric": self.metric.pk,
            "connection": self.connection.pk,
            "compiler": "random-search",
            "max_calls": 900,
            "seed": 1,
            **{prefix + name: value for name, value in params if value is not None},
            prefix + "candidates": 2,
            prefix + "max_labeled": 4,
            prefix + "max_bootstrapped": 2,
            **values,
        }

    def compile(self, **options: Any) -> Run:
        """Start a compile and execute it here."""
        run = self.start(**options)
        execute(run.pk)
        run.refresh_from_db()
        return run


def make_kit(project: Project, actor: User, *, rows: int = 48, **pipeline: Any) -> Kit:
    """A pipeline with data, a metric and the scripted LM."""
    return Kit(
        project=project,
        actor=actor,
        pipeline=builders.make_pipeline(project, **pipeline),
        dataset=builders.make_dataset(project, rows=make_rows(rows)),
        metric=builders.make_metric(project, params={"field": "category"}),
        connection=builders.make_connection(project, model="support-triage", concurrency=8),
    )


class Lab:
    """Stands in for `open_lm`: scripted LMs under the run's budget, without a cache."""

    def __init__(self) -> None:
        self.lms: list[ScriptedLM] = []
        self.make: Callable[[], ScriptedLM] = lambda: builtin_scripted("support-triage")
        self.makers: dict[str, Callable[[], ScriptedLM]] = {}
        """For a connection's slug another way to make its LM."""
        self.of: dict[str, list[ScriptedLM]] = {}
        """The LMs by their connection's slug."""
        self.attempts = 1

    def open(
        self,
        connection: Connection,
        *,
        budget: Budget | None = None,
        concurrency: int | None = None,
    ) -> LM:
        """See `studio.lms.services.open_lm`."""
        lm = self.makers.get(connection.slug, self.make)()
        self.lms.append(lm)
        self.of.setdefault(connection.slug, []).append(lm)
        return compose(lm, budget=budget, concurrency=concurrency or 8, attempts=self.attempts)

    @property
    def calls(self) -> int:
        """Calls that reached an LM."""
        return count_calls(self.lms)

    def calls_of(self, connection: Connection) -> int:
        """Calls that reached the LM of one connection."""
        return count_calls(self.of.get(connection.slug, []))


def count_calls(lms: Iterable[ScriptedLM]) -> int:
    """Calls that these LMs got."""
    return sum(len(lm.requests) + len(lm.label_requests) for lm in lms)
