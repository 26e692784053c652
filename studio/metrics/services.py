"""Metrics of a project: keep them, open them, try them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.accounts.slugs import free_slug
from studio.engine.errors import EngineError
from studio.engine.example import Example
from studio.engine.lm.metered import Budget
from studio.engine.lm.nobody import Nobody
from studio.engine.metrics import Metric as EngineMetric
from studio.engine.metrics import Score, check_metric, make_metric
from studio.engine.metrics import judge as judge_one
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction
from studio.errors import Conflict, Invalid, NotFound
from studio.lms.models import Connection
from studio.lms.services import open_embedder, open_lm
from studio.metrics.models import Metric, MetricVersion
from studio.sandboxes import shared_sandbox

TRY_CALLS = 20


def get_metric(*, project: Project, slug: str) -> Metric:
    """The metric of the project, or `NotFound`."""
    found = project.metrics.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no metric “{slug}” in {project.name}.")
    return found


def open_metric(
    metric: Metric, *, version: MetricVersion | None = None, budget: Budget | None = None
) -> EngineMetric:
    """The engine's metric behind a row, of a version or the newest.

    What its judge is asked counts in `budget`. Raises `Invalid` when it cannot be made any more.
    """
    used = version or metric
    try:
        return make(used.kind, used.params, used.judge, budget)
    except EngineError as error:
        raise Invalid(f"The metric “{metric.name}” cannot be used: {error}") from None


def make(
    kind: str, params: Mapping[str, Any], judge: Connection | None, budget: Budget | None = None
) -> EngineMetric:
    """The engine's metric of these settings, stored or not. Raises `EngineError`."""
    needs = check_metric(kind, params)
    if needs & {"lm", "embedder"} and judge is None:
        raise EngineError("Choose the language model that judges.")
    runtime = Runtime(
        lm=open_lm(judge, budget=budget) if judge and "lm" in needs else Nobody(),
        embedder=open_embedder(judge) if judge and "embedder" in needs else None,
        sandbox=shared_sandbox() if "sandbox" in needs else None,
    )
    return make_metric(kind, params, runtime)


def newest_version(metric: Metric) -> MetricVersion:
    """The metric as it is now."""
    return metric.versions.get(number=metric.number)


def keep_version(metric: Metric, actor: User | None, message: str = "") -> None:
    """Write down what the metric is now, as its newest version."""
    MetricVersion.objects.create(
        metric=metric,
        number=metric.number,
        kind=metric.kind,
        params=metric.params,
        judge=metric.judge,
        message=" ".join(message.split())[:200],
        created_by=actor,
    )


@transaction.atomic
def create_metric(
    *,
    actor: User,
    project: Project,
    name: str,
    kind: str,
    params: Mapping[str, Any],
    judge: Connection | None = None,
) -> Metric:
    """A new metric of a kind. Raises `Invalid` that names the parameter that is wrong."""
    require(user=actor, project=project, role=Role.AUTHOR)
    metric = Metric(project=project, kind=kind)
    fill(metric, name, params, judge)
    # The lock keeps two people from taking one slug at the same time.
    Project.objects.select_for_update().get(pk=project.pk)
    metric.slug = free_slug(project.metrics.all(), metric.name, fallback="metric")
    metric.save()
    keep_version(metric, actor)
    record(
        project=project,
        actor=actor,
        action="metric.create",
        subject=metric.name,
        kind=kind,
        params=metric.params,
    )
    return metric


@transaction.atomic
def update_metric(
    *,
    actor: User,
    metric: Metric,
    name: str,
    params: Mapping[str, Any],
    judge: Connection | None = None,
    message: str = "",
    base: int | None = None,
) -> Metric:
    """Other parameters: a new version. Runs go on with the version that they were made with.

    `base` is the version that was changed: raises `Conflict` when there is a newer one.
    """
    require(user=actor, project=metric.project, role=Role.AUTHOR)
    metric = lock(metric)
    if base is not None and base != metric.number:
        raise Conflict(
            f"Somebody has saved version {metric.number} of {metric.name} since this page was "
            f"shown, which held version {base}. Look at what changed, then save yours again.",
            version=metric.number,
        )
    before, before_judge = metric.params, metric.judge_id
    fill(metric, name, params, judge)
    if (metric.params, metric.judge_id) != (before, before_judge):
        metric.number += 1
        keep_version(metric, actor, message)
    metric.save()
    record(
        project=metric.project,
        actor=actor,
        action="metric.change",
        subject=metric.name,
        before=before,
        after=metric.params,
    )
    return metric


@transaction.atomic
def delete_metric(*, actor: User, metric: Metric) -> None:
    """Remove a metric. Raises `Conflict` while a run needs it."""
    require(user=actor, project=metric.project, role=Role.AUTHOR)
    if metric.runs.filter(state__in=("queued", "running", "paused")).exists():
        raise Conflict(
            f"{metric.name} is used by a run that has not ended. Cancel it or wait, then delete."
        )
    record(project=metric.project, actor=actor, action="metric.delete", subject=metric.name)
    metric.delete()


def try_metric(
    *,
    kind: str,
    params: Mapping[str, Any],
    expected: str,
    answered: str,
    judge: Connection | None = None,
) -> Score:
    """What a metric says of one answer; a judge is asked at most `TRY_CALLS` times.

    For a metric of one field the two texts are that field's values; for others, JSON objects.
    Raises `Invalid` when a parameter or a text cannot be read, `MetricError` when it breaks,
    `LMError` or `BudgetSpent` when the judge does not answer.
    """
    try:
        metric = make(kind, params, judge, Budget(TRY_CALLS))
    except EngineError as error:
        raise Invalid(str(error)) from None
    field = str(params.get("field", ""))
    gold, got = (_values(text, field) for text in (expected, answered))
    return asyncio.run(judge_one(metric, Example(gold), Prediction(got)))


def field_names(project: Project) -> list[str]:
    """Outputs that the project's signatures and pipelines have: what may be compared."""
    fields = [
        field
        for spec in project.signatures.values_list("spec", flat=True)
        for field in spec.get("fields", ())
        if field.get("role") == "output"
    ]
    fields += [
        field
        for spec in project.pipelines.values_list("spec", flat=True)
        for node in spec.get("nodes", ())
        if node.get("kind") == "output"
        for field in node.get("fields") or ()
    ]
    return sorted({str(field["name"]) for field in fields if field.get("name")})


def lock(metric: Metric) -> Metric:
    """The metric as it is now; nobody else changes it before the transaction ends."""
    found = Metric.objects.select_for_update().filter(pk=metric.pk).first()
    if found is None:
        raise NotFound(f"“{metric.name}” has been deleted.")
    return found


def fill(metric: Metric, name: str, params: Mapping[str, Any], judge: Connection | None) -> None:
    """Give the metric these settings; raises `Invalid` that names what is wrong with them."""
    metric.name = " ".join(name.split())
    if not metric.name:
        raise Invalid("A metric needs a name.")
    if judge is not None and judge.project_id != metric.project_id:
        raise NotFound("There is no such connection in this project.")
    try:
        make(metric.kind, params, judge)
    except EngineError as error:
        raise Invalid(str(error)) from None
    metric.params, metric.judge = dict(params), judge


def _values(text: str, field: str) -> dict[str, Any]:
    if field:
        return {field: text}
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Invalid('Write the fields as JSON, such as {"category": "billing"}.')
    return values
