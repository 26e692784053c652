"""What programs send and get."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rest_framework import serializers

from studio.datasets.browsing.indexing import is_indexed
from studio.datasets.chores import AT_ONCE_ROWS
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading.sniffing import DELIMITERS
from studio.datasets.services import split_counts
from studio.datasets.uploading.choices import Choices
from studio.engine.signature import Signature


class JSONText(serializers.JSONField):
    """JSON, also as text: a multipart form holds nothing else."""

    def to_internal_value(self, data: Any) -> Any:
        """The value; raises `ValidationError` for text that is no JSON."""
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                self.fail("invalid")
        return super().to_internal_value(data)


class ChoicesSerializer(serializers.Serializer[Any]):
    """How a file becomes a dataset; what is not said is chosen as on the page."""

    name = serializers.CharField(max_length=80, required=False)
    header = serializers.ChoiceField(choices=["names", "data"], required=False)
    delimiter = serializers.ChoiceField(choices=list(DELIMITERS), required=False)
    sheet = serializers.CharField(max_length=200, required=False)
    signature = serializers.CharField(required=False, allow_blank=True)
    mapping = JSONText(required=False)
    split_by = serializers.ChoiceField(choices=["column", "random", "group"], required=False)
    split_column = serializers.CharField(required=False, allow_blank=True)
    train = serializers.IntegerField(min_value=0, max_value=100, required=False)
    dev = serializers.IntegerField(min_value=0, max_value=100, required=False)
    test = serializers.IntegerField(min_value=0, max_value=100, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    group = serializers.CharField(required=False, allow_blank=True)
    balance = serializers.CharField(required=False, allow_blank=True)
    id_column = serializers.CharField(required=False, allow_blank=True)
    into = serializers.CharField(required=False, allow_blank=True)
    """Slug of a dataset that the rows are put into, by its id column; empty: a new one."""
    leave_out = serializers.BooleanField(default=False)
    """Rows with problems are left out; without it a file that has some is not kept."""

    def validate_mapping(self, value: Any) -> dict[str, str]:
        """`{field: column}`, texts both."""
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise serializers.ValidationError("Say {field: column}, both as texts.")
        return value

    def validate_signature(self, value: str) -> str:
        """The slug of a signature of the project."""
        if value and value not in self.context["signatures"]:
            raise serializers.ValidationError(f"There is no signature “{value}”.")
        return value

    def choices(self, old: Choices, columns: Sequence[str]) -> Choices:
        """`old` with what was said."""
        said = {
            name: value
            for name, value in self.validated_data.items()
            if name not in ("leave_out", "into")
        }
        signatures: Mapping[str, Signature] = self.context["signatures"]
        split = {name: said[name] for name in ("split_by", "split_column") if name in said}
        for name, way in (("split_column", "column"), ("group", "group")):
            if said.get(name) and "split_by" not in said:
                split["split_by"] = way
        old = replace(old, **split)
        slug = said.get("signature", old.signature)
        if slug != old.signature or not slug:
            old = old.with_signature(slug, signatures.get(slug), columns)
        return replace(old, **{**said, **split})


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset without its rows."""

    version = serializers.IntegerField(source="number", read_only=True)
    splits = serializers.SerializerMethodField()
    indexed = serializers.SerializerMethodField(
        help_text="Whether a search of a large dataset is as fast as it will be."
    )
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Dataset
        fields = (
            "slug", "name", "columns", "mapping", "row_count", "version", "splits", "fingerprint",
            "sealed", "indexed", "created_at", "url",
        )  # fmt: skip

    def get_indexed(self, dataset: Dataset) -> bool:
        """Small ones need no index."""
        return dataset.row_count <= AT_ONCE_ROWS or is_indexed(dataset)

    def get_splits(self, dataset: Dataset) -> dict[str, int]:
        """Rows for each split."""
        return split_counts(dataset)


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An upload on its way to a dataset."""

    dataset = serializers.SerializerMethodField()
    target: serializers.SlugRelatedField[Dataset] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Upload
        fields = (
            "token", "filename", "size", "arrived", "state", "progress", "error", "choices",
            "report", "dataset", "target", "url",
        )  # fmt: skip

    def get_dataset(self, upload: Upload) -> str | None:
        """The slug of what became of it; rows that are only staged are no dataset yet."""
        return upload.dataset.slug if upload.dataset and upload.dataset.ready else None


class AnnouncementSerializer(serializers.Serializer[Any]):
    """A file that will arrive in pieces."""

    filename = serializers.CharField(max_length=500)
    size = serializers.IntegerField(min_value=0, max_value=2**50)
    """Bytes."""
    into = serializers.CharField(required=False, allow_blank=True)
    """Slug of a dataset that the rows are put into, by its id column; empty: a new one."""


class ProblemSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with a file or a row."""

    kind = serializers.CharField()
    what = serializers.CharField()
    done = serializers.CharField()
    drops = serializers.BooleanField()
    row = serializers.IntegerField()
    line = serializers.IntegerField()
    column = serializers.CharField()


class ProblemPageSerializer(serializers.Serializer[Any]):
    """Some of the problems, and how many there are."""

    total = serializers.IntegerField()
    problems = ProblemSerializer(many=True)


class RowSerializer(serializers.Serializer[Any]):
    """One row: values by column, without those it does not have."""

    number = serializers.IntegerField()
    split = serializers.CharField()
    values = serializers.DictField()


class FoundRowsSerializer(serializers.Serializer[Any]):
    """A page of rows."""

    rows = RowSerializer(many=True)
    next = serializers.IntegerField(allow_null=True)
    """The cursor of what comes next; null: there is nothing more."""
    looked = serializers.IntegerField()
    """Rows that were looked through."""
    of = serializers.IntegerField()
    """Rows that there are to look through."""
