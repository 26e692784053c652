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
    number = models.PositiveIntegerField(default=1)
    """Its newest version, whose columns, mapping, fingerprint and count stand here."""
    id_column = models.CharField(max_length=200, blank=True)
    """The column that names a row, for files that bring the same rows again; empty: none."""
    label_column = models.CharField(max_length=200, blank=True)
    """The column whose values are counted and balanced; empty: none."""
    sealed = models.BooleanField(default=False)
    """Its test split is shown to nobody, and each run that reads it is counted."""
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


class Version(models.Model):
    """A dataset as it was after one change. Versions are numbered from 1, without gaps."""

    class Kind(models.TextChoices):
        """What made it."""

        IMPORT = "import", "Imported"
        EDIT = "edit", "Edited"
        ADD = "add", "Rows added"
        UPSERT = "upsert", "Updated from a file"
        SPLIT = "split", "Split anew"
        RESTORE = "restore", "Restored"

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    fingerprint = models.CharField(max_length=64)
    """Content hash of columns, mapping, rows and splits."""
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    splits = models.JSONField(default=dict)
    """Rows for each split."""
    message = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)
    """`{"added", "changed", "removed", "moved"}`: rows that differ from the version before."""
    restored_from = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["dataset", "number"], name="one_dataset_version"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class Block(models.Model):
    """The values of a few hundred rows that stand together; never changed. See `blocks`."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="blocks")
    hash = models.CharField(max_length=64)
    """SHA-256 of its content."""
    data = models.BinaryField()
    """The content, JSON, compressed with Zstandard."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["dataset", "hash"], name="one_block_a_hash"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]


class Place(models.Model):
    """Where a block stands in a dataset, in which versions, and what its rows are for.

    The row at index `i` of the block has the number `start + i`, in all versions.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="places")
    block = models.ForeignKey(Block, on_delete=models.CASCADE, related_name="places")
    start = models.PositiveIntegerField()
    splits = models.BinaryField()
    """A byte for each row: its place in `splitting.SPLITS`, or `blocks.ABSENT`."""
    first = models.PositiveIntegerField()
    """The first version that it is part of."""
    last = models.PositiveIntegerField(null=True)
    """The last one; None: it is part of the newest."""

    class Meta:
        ordering: ClassVar[list[str]] = ["start"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["dataset", "start"],
                condition=models.Q(last=None),
                name="one_newest_place_a_start",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["dataset", "first"], name="place_by_first"),
            models.Index(fields=["dataset", "last"], name="place_by_last"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} from {self.start}"


class BlockIndex(models.Model):
    """What is known of some blocks without reading them, so that most need not be read.

    One row for a group of blocks, under the first of them. See `words` and `facts`.
    """

    block = models.OneToOneField(
        Block, on_delete=models.CASCADE, primary_key=True, related_name="index"
    )
    words = models.BinaryField()
    """Their different words in small letters, and for each the blocks that hold it."""
    columns = models.JSONField(default=dict)
    """Which blocks they are, and what is known of each column."""

    def __str__(self) -> str:
        return f"index of {self.block_id}"


class Order(models.Model):
    """The rows of a version in the order of one column's values."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="orders")
    number = models.PositiveIntegerField()
    """Of the version."""
    column = models.CharField(max_length=200)
    data = models.BinaryField()
    """How many rows have a value, then row numbers, smallest value first: 32 bits each,
    compressed with Zstandard."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["dataset", "number", "column"], name="one_order_a_column"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} v{self.number} by {self.column}"


class Chore(models.Model):
    """Something long that a worker does for one version of a dataset. The row is the truth."""

    class Kind(models.TextChoices):
        """What is done."""

        INDEX = "index", "Make the search fast"
        ORDER = "order", "Sort by a column"
        SCAN = "scan", "Look for leaks, repetitions and problems"

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="chores")
    number = models.PositiveIntegerField()
    """Of the version."""
    kind = models.CharField(max_length=10, choices=Kind.choices)
    about = models.CharField(max_length=200, blank=True)
    """Such as the column to sort by."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    progress = models.PositiveSmallIntegerField(default=0)
    """Percent."""
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    owner = models.CharField(max_length=32, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    kicked_at = models.DateTimeField(null=True)
    """When a worker was last told of it."""
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["dataset", "number", "kind", "about"], name="one_chore_a_purpose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.dataset_id} v{self.number}"


class Waiver(models.Model):
    """Somebody's word that a finding of the scan may stay, and why."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="waivers")
    kind = models.CharField(max_length=40)
    """The kind of finding, such as `leak`."""
    key = models.CharField(max_length=64)
    """Names the finding by its content, so that it is the same one in later versions."""
    reason = models.CharField(max_length=400)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["dataset", "kind", "key"], name="one_waiver_a_finding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key[:12]}"


class Opening(models.Model):
    """A run that read the sealed test split, or somebody who unsealed it."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="openings")
    number = models.PositiveIntegerField()
    """Of the version."""
    purpose = models.CharField(max_length=200)
    run = models.UUIDField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.dataset_id} opened: {self.purpose}"


class Upload(models.Model):
    """A file that has arrived, on its way to a dataset. Its state is the truth about it."""

    class State(models.TextChoices):
        """`arriving` → `received` → `ready` (checked, waits for a person) → `importing` →
        `imported`.

        New choices lead from `ready` back to `received`, a failed import from `importing` back to
        `ready`. `refused`: nothing can be made of the file.
        """

        ARRIVING = "arriving", "Arriving"
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
    arrived = models.BigIntegerField(default=0)
    """Bytes that are here, while it is sent in pieces."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    format = models.JSONField(default=dict)
    """Kind and encoding, and what was detected: delimiter, header, problems of the whole file."""
    choices = models.JSONField(default=dict)
    """`choices.Choices.to_dict()`: name, mapping, split."""
    report = models.JSONField(default=dict)
    """What the dataset would be under the choices: columns, first rows, counts, problems."""
    staged = models.CharField(max_length=64, blank=True)
    """Names the way of cutting the file into rows that its staged blocks come from."""
    splits = models.BinaryField(default=bytes)
    """A byte for each row of the file as in `Place.splits`, compressed with Zstandard."""
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
    """Where its rows are staged, invisible until it is kept."""
    target = models.ForeignKey(
        Dataset, null=True, on_delete=models.SET_NULL, related_name="updates"
    )
    """The dataset that the file's rows are put into, by its id column; None: a new one."""
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
