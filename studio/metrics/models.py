"""Metrics that people chose and configured."""

from __future__ import annotations

from typing import ClassVar

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
