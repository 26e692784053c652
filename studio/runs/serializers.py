"""What programs send to start a compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from studio.engine.compilers import PRESETS
from studio.runs.checks import MOST_CALLS, MOST_COST, MOST_SECONDS, MOST_SEED, MOST_TOKENS
from studio.runs.services import MOST_LMS


class CompileRequest(serializers.Serializer[Any]):
    """A compile of a pipeline as it was saved last, for one LM or for several."""

    dataset = serializers.CharField(help_text="Its short name.")
    metric = serializers.CharField(help_text="Its short name.")
    connections = serializers.ListField(
        child=serializers.CharField(),
        min_length=1,
        max_length=MOST_LMS,
        help_text="Short names of language models: the pipeline is compiled for each.",
    )
    compiler = serializers.CharField(default="random-search")
    preset = serializers.ChoiceField(choices=list(PRESETS), required=False, default="")
    params = serializers.JSONField(
        default=dict, help_text="The compiler's parameters, over those of the preset."
    )
    seed = serializers.IntegerField(min_value=0, max_value=MOST_SEED, default=0)
    max_calls = serializers.IntegerField(min_value=1, max_value=MOST_CALLS, default=2000)
    max_tokens = serializers.IntegerField(
        min_value=1, max_value=MOST_TOKENS, allow_null=True, default=None
    )
    max_cost = serializers.FloatField(
        max_value=MOST_COST, allow_null=True, default=None, help_text="US dollars."
    )
    max_seconds = serializers.IntegerField(
        min_value=1, max_value=MOST_SECONDS, allow_null=True, default=None
    )
    teacher = serializers.CharField(
        default="", allow_blank=True, help_text="The language model whose answers become demos."
    )
    proposer = serializers.CharField(
        default="", allow_blank=True, help_text="The one that is asked for instructions."
    )
    teacher_artifact = serializers.CharField(
        default="", allow_blank=True, help_text="Hash of a compiled program that teaches."
    )
    start_artifact = serializers.CharField(
        default="", allow_blank=True, help_text="Hash of an artifact that is to be improved."
    )
    reuse = serializers.BooleanField(
        default=True, help_text="Take over results of earlier runs that still hold."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Also refuse what nobody knows: a cap with a wrong name would be no cap."""
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {str(unknown[0])[:80]: [f"Not known here. Known are {known}."]}
                )
        return super().to_internal_value(data)

    def validate_params(self, value: Any) -> dict[str, Any]:
        """`{name: value}`."""
        if not isinstance(value, dict):
            raise serializers.ValidationError("Say {name: value}.")
        return value
