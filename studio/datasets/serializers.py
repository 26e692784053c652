"""What programs send and get."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rest_framework import serializers

from studio.datasets.choices import Choices
from studio.datasets.models import Dataset, Upload
from studio.datasets.services import split_counts
from studio.datasets.sniffing import DELIMITERS
from studio.engine.signature import Signature


class JSONText(serializers.JSONField):
    """JSON, also as text: a multipart form holds nothing else."""

    def to_internal_value(self, data: Any) -> Any:
        """The value; raises `ValidationError` for text that is no JSON."""
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except ValueError:
                self.fail("invalid")
        return super().to_internal_value(data)


class ChoicesSerializer(serializers.Serializer[Any]):
    """How a file becomes a dataset; what is not said is chosen as on the page."""

    name = serializers.CharField(max_length=80, required=False)
    header = serializers.ChoiceField(choices=["names", "data"], required=False)
    delimiter = serializers.ChoiceField(choices=list(DELIMITERS), required=False)
    signature = serializers.CharField(required=False, allow_blank=True)
    mapping = JSONText(required=False)
    split_by = serializers.ChoiceField(choices=["column", "random"], required=False)
    split_column = serializers.CharField(required=False, allow_blank=True)
    train = serializers.IntegerField(min_value=0, max_value=100, required=False)
    dev = serializers.IntegerField(min_value=0, max_value=100, required=False)
    test = serializers.IntegerField(min_value=0, max_value=100, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    balance = serializers.CharField(required=False, allow_blank=True)
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
        said = {name: value for name, value in self.validated_data.items() if name != "leave_out"}
        signatures: Mapping[str, Signature] = self.context["signatures"]
        split = {name: said[name] for name in ("split_by", "split_column") if name in said}
        if "split_column" in said and "split_by" not in said:
            split["split_by"] = "column"
        old = replace(old, **split)
        slug = said.get("signature", old.signature)
        if slug != old.signature or not slug:
            old = old.with_signature(slug, signatures.get(slug), columns)
        return replace(old, **{**said, **split})


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset without its rows."""

    splits = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Dataset
        fields = (
            "slug", "name", "columns", "mapping", "row_count", "splits", "fingerprint",
            "created_at", "url",
        )  # fmt: skip

    def get_splits(self, dataset: Dataset) -> dict[str, int]:
        """Rows for each split."""
        return split_counts(dataset)


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An upload on its way to a dataset."""

    dataset: serializers.SlugRelatedField[Dataset] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )

    class Meta:
        model = Upload
        fields = (
            "token", "filename", "size", "state", "progress", "error", "choices", "report",
            "dataset",
        )  # fmt: skip
