"""Signatures, modules and pipelines: what people describe and draw."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from studio.accounts.models import Project


class Signature(models.Model):
    """A named signature of the project, for use in many modules."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="signatures")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60)
    spec = models.JSONField()
    """`engine.signature.Signature.to_dict()`."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_signature_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pipelines:signature", args=[self.project.slug, self.slug])


class Module(models.Model):
    """A configured, reusable step: a kind, a signature, parameters. The palette offers it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="modules")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60)
    kind = models.CharField(max_length=40)
    """A name in `studio.engine.graph.spec.NODE_KINDS` that calls an LM."""
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="modules")
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_module_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class Pipeline(models.Model):
    """A drawing: the spec that is being edited, under a revision that every save names."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="pipelines")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60)
    spec = models.JSONField(default=dict)
    """See `engine.graph.spec`."""
    revision = models.PositiveIntegerField(default=1)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who has saved last."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_pipeline_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pipelines:canvas", args=[self.project.slug, self.slug])


class Revision(models.Model):
    """A drawing as it was saved once. The last hundred or so of a pipeline are kept.

    What was saved over can be seen and brought back, and two people's edits can be told apart.
    """

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    """`Pipeline.revision` when it was saved."""
    spec = models.JSONField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="one_revision_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} r{self.number}"


class PipelineVersion(models.Model):
    """A saved state of a pipeline that runs refer to and people name; never changed."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    hash = models.CharField(max_length=64, db_index=True)
    """Content hash of the spec without positions: equal programs have equal hashes."""
    message = models.CharField(max_length=200, blank=True)
    """What the person said who saved it; empty when a run made it."""
    restored_from = models.PositiveIntegerField(null=True)
    """The number of the version that was restored by it."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="one_version_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} v{self.number}"
