"""What programs send and get about metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from studio.accounts.models import Project
from studio.lms.models import Connection
from studio.lms.services import get_connection
from studio.metrics.models import Metric, MetricVersion


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what nobody knows: a setting with a wrong name would be no setting."""

    def to_internal_value(self, data: Any) -> Any:
        """The values; raises `ValidationError` that names what is not known."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {unknown[0][:80]: [f"Not known here. Known are {known}."]}
                )
        return super().to_internal_value(data)


class MetricSettingsSerializer(StrictSerializer):
    """How a metric judges."""

    params = serializers.DictField(required=False, help_text="The parameters of its kind.")
    judge = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Short name of the language model that judges, for kinds that ask one.",
    )

    def validate_params(self, value: dict[str, Any]) -> dict[str, Any]:
        """Parameters that every database keeps."""
        if problem := unstorable(value):
            raise serializers.ValidationError(problem)
        return value


class CreateMetricSerializer(MetricSettingsSerializer):
    """A new metric."""

    name = serializers.CharField(max_length=80)
    kind = serializers.CharField(max_length=40, help_text="A name out of the list of kinds.")


class UpdateMetricSerializer(MetricSettingsSerializer):
    """A change; what is not said stays as it is."""

    name = serializers.CharField(max_length=80, required=False)
    message = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="What is changed."
    )
    base = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The version that was read: with it a change by others in the meantime is "
        "refused.",
    )


class MetricVersionSerializer(serializers.ModelSerializer[MetricVersion]):
    """A metric as it was after one change."""

    judge: serializers.SlugRelatedField[Connection] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)

    class Meta:
        model = MetricVersion
        fields = ("number", "kind", "params", "judge", "message", "created_by", "created_at")


class MetricSerializer(serializers.ModelSerializer[Metric]):
    """A metric as it is now."""

    judge: serializers.SlugRelatedField[Connection] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Metric
        fields = ("slug", "name", "kind", "params", "judge", "number", "created_at", "url")


class MetricKindSerializer(serializers.Serializer[Any]):
    """A kind of metric."""

    name = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())


def find_judge(project: Project, slug: str | None) -> Connection | None:
    """The language model of that short name; None for no name. Raises `NotFound`."""
    if not slug:
        return None
    return get_connection(project=project, slug=slug)


def unstorable(value: Any) -> str:
    """Why JSON cannot be kept, in a sentence; empty when it can."""
    if isinstance(value, str):
        if "\0" in value:
            return "It holds the character zero, which no database keeps."
        try:
            value.encode()
        except UnicodeEncodeError:
            return "It holds half of a character (a lone surrogate)."
        return ""
    inner = [*value, *value.values()] if isinstance(value, Mapping) else value
    if isinstance(inner, list | tuple):
        return next(filter(None, map(unstorable, inner)), "")
    return ""
