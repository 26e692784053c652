"""Datasets, their rows, and the uploads that they come from."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from studio.accounts.models import Project


class Split(models.TextChoices):
    """What an example is for: compilers learn on train, choose on dev, and are judged on test."""

    TRAIN = "train", "Train"
    DEV = "dev", "Dev"
    TEST = "test", "Test"


class PlainJSON(json.JSONEncoder):
    """Writes letters as they are, so that SQLite can look for `é` in a value."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class ReadyDatasets(models.Manager["Dataset"]):
    """The datasets that people see: not those whose rows are still being written."""

    def get_queryset(self) -> models.QuerySet[Dataset]:
        return super().get_queryset().filter(ready=True)


class Dataset(models.Model):
    """A table of examples."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60)
    columns = models.JSONField(default=list)
    """Column names, in the order of the file."""
    mapping = models.JSONField(default=dict)
    """`{field name: column name}`: which column fills which field of a signature."""
    fingerprint = models.CharField(max_length=64, blank=True)
    """Content hash of columns, mapping, rows and splits."""
    row_count = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    """What was found when it was kept: rows by split, labels, repeated inputs, problems."""
    ready = models.BooleanField(default=True)
    """False while its rows are being written, in many small transactions."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReadyDatasets()
    everything: ClassVar[models.Manager[Dataset]] = models.Manager()
    """Also those that are not ready."""

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_dataset_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("datasets:dataset", args=[self.project.slug, self.slug])


class Row(models.Model):
    """One example as it stood in the file: values by column name."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    """Its place in the file, from 1."""
    values = models.JSONField(encoder=PlainJSON)
    split = models.CharField(max_length=5, choices=Split.choices, default=Split.TRAIN)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["dataset", "number"], name="one_row_a_number"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["dataset", "split"], name="row_by_split"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.number}"


class Upload(models.Model):
    """A file that has arrived, on its way to a dataset. Its state is the truth about it."""

    class State(models.TextChoices):
        """`received` → `ready` (checked, waits for a person) → `importing` → `imported`.

        New choices lead from `ready` back to `received`, a failed import from `importing` back to
        `ready`. `refused`: nothing can be made of the file.
        """

        RECEIVED = "received", "Being checked"
        READY = "ready", "Checked"
        IMPORTING = "importing", "Being imported"
        IMPORTED = "imported", "Imported"
        REFUSED = "refused", "Refused"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    token = models.CharField(max_length=32, unique=True)
    """Names the file on disk and in the URL."""
    filename = models.CharField(max_length=200)
    size = models.BigIntegerField()
    """Bytes."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    format = models.JSONField(default=dict)
    """Kind and encoding, and what was detected: delimiter, header, problems of the whole file."""
    choices = models.JSONField(default=dict)
    """`choices.Choices.to_dict()`: name, mapping, split."""
    report = models.JSONField(default=dict)
    """What the dataset would be under the choices: columns, first rows, counts, problems."""
    error = models.TextField(blank=True)
    """Why it was refused, or why the last import did not end; and what to do."""
    progress = models.PositiveSmallIntegerField(default=0)
    """Percent of the step at hand."""
    owner = models.CharField(max_length=32, blank=True)
    """Who checks or imports it now."""
    heartbeat_at = models.DateTimeField(null=True)
    kicked_at = models.DateTimeField(null=True)
    """When a worker was last told of it."""
    dataset = models.ForeignKey(
        Dataset, null=True, on_delete=models.SET_NULL, related_name="uploads"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("datasets:map-upload", args=[self.project.slug, self.token])

    @property
    def waits_for_work(self) -> bool:
        """Something is being done, or will be, that nobody has to press a button for."""
        return self.state in (self.State.RECEIVED, self.State.IMPORTING)
