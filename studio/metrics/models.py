"""Metrics that people chose and configured."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from studio.accounts.models import Project
from studio.lms.models import Connection


class Metric(models.Model):
    """A metric of the engine with its parameters."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="metrics")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60)
    kind = models.CharField(max_length=40)
    """A name in `studio.engine.metrics.METRICS`."""
    params = models.JSONField(default=dict)
    judge = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="judging"
    )
    """The language model that a kind asks which needs one."""
    number = models.PositiveIntegerField(default=1)
    """Which of its versions is the newest; kind, parameters and judge are that one's."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_metric_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("metrics:metric", args=[self.project.slug, self.slug])


class MetricVersion(models.Model):
    """A metric as it was after one change; a run names the one that it used. Never changed."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    """From 1, without gaps."""
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    judge = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    message = models.CharField(max_length=200, blank=True)
    """What was changed, in the words of who did it."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["metric", "number"], name="one_version_a_metric"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} v{self.number}"


class HumanScore(models.Model):
    """What a person says of one answer; judges are compared with it, in all their versions."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="human_scores")
    key = models.CharField(max_length=64)
    """Content hash of the example's values and the answer."""
    value = models.FloatField()
    """From 0 to 1."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["metric", "key"], name="one_human_score_an_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.value:g} for {self.key[:8]}"


class Agreement(models.Model):
    """A version of a metric held against people's verdicts; its row is the truth about the work.

    What it reads is copied into its rows when it is asked for: a dataset may change or go.
    """

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="agreements")
    version = models.ForeignKey(MetricVersion, on_delete=models.CASCADE, related_name="+")
    data = models.CharField(max_length=120)
    """The dataset and its version, in words."""
    answers = models.CharField(max_length=300)
    """Where the judged answers come from, in words."""
    verdicts = models.CharField(max_length=300)
    """Where the people's verdicts come from, in words."""
    scale = models.CharField(max_length=10)
    """A name in `scales.SCALES`: what both answer with."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    progress = models.PositiveSmallIntegerField(default=0)
    """Percent."""
    max_calls = models.PositiveIntegerField(default=0)
    """The most calls of the judge's language model."""
    calls = models.PositiveIntegerField(default=0)
    """Those that were made."""
    result = models.JSONField(default=dict)
    """`engine.agreement.Agreement.to_dict()`, and how many rows have no score."""
    error = models.TextField(blank=True)
    owner = models.CharField(max_length=32, blank=True)
    """The worker that has claimed it."""
    heartbeat_at = models.DateTimeField(null=True)
    kicked_at = models.DateTimeField(null=True)
    """When a worker was last told of it."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.version} and people on {self.data}"


class AgreementRow(models.Model):
    """One answer with the verdict of a person, and what the metric says of it."""

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    """Its place among them, from 1."""
    row = models.PositiveIntegerField(null=True)
    """The number of the dataset's row."""
    values = models.JSONField(default=dict)
    """The example, by field."""
    prediction = models.JSONField(default=dict)
    human = models.FloatField()
    judged = models.FloatField(null=True)
    """None: not asked yet, or unscored."""
    reason = models.TextField(blank=True)
    """Empty: not asked yet."""

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["agreement", "number"], name="one_agreement_row"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.agreement_id}"
