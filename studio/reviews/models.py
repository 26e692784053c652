"""Reviews of artifacts, the decisions in them, and the releases that they allow."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from studio.accounts.models import Project
from studio.pipelines.models import Pipeline
from studio.reviews.states import State
from studio.runs.models import Artifact, Run


class Review(models.Model):
    """People judging one artifact. A vote is for the artifact's hash and nothing else."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reviews")
    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, related_name="review")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    rescore = models.ForeignKey(
        Run, null=True, on_delete=models.SET_NULL, related_name="rescored_reviews"
    )
    """The run that scores what the reviewer's decisions leave."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"Review of {self.artifact}"

    def get_absolute_url(self) -> str:
        return reverse("reviews:review", args=[self.project.slug, self.pk])


class Decision(models.Model):
    """One judgement of one demo."""

    class Verdict(models.TextChoices):
        """A demo without a decision is undecided."""

        ACCEPT = "accept", "Accept"
        REJECT = "reject", "Reject"

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="decisions")
    path = models.CharField(max_length=120)
    """The predictor's path."""
    demo = models.CharField(max_length=64)
    """Content hash of the demo."""
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["review", "path", "demo"], name="one_decision_a_demo"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.path}"


class Release(models.Model):
    """A label that points to an approved artifact. The newest row of a label is in force."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases")
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="releases")
    label = models.SlugField(max_length=40, default="production")
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="releases")
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    released_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-released_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.pipeline} {self.label}"
