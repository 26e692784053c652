"""Trying a metric on rows, for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.services import get_project
from studio.datasets.models import Split
from studio.errors import Invalid, NotFound
from studio.metrics.serializers import StrictSerializer, find_judge, unstorable
from studio.metrics.services import get_metric
from studio.pipelines.requests import user_of
from studio.runs.metric_rows import ROWS, choose, read_rows
from studio.runs.metric_tries import Tried, judge_rows


class TryMetricSerializer(StrictSerializer):
    """Which metric on which rows: a stored one, or settings that are nowhere stored."""

    metric = serializers.CharField(required=False, help_text="Short name of a stored metric.")
    kind = serializers.CharField(required=False, help_text="Without a stored metric: its kind.")
    params = serializers.DictField(required=False, help_text="In the place of the stored ones.")
    judge = serializers.CharField(
        required=False, allow_null=True, help_text="The language model that judges."
    )
    dataset = serializers.CharField(help_text="Its short name.")
    split = serializers.ChoiceField(
        choices=Split.values,
        allow_blank=True,
        default="",
        help_text="Train and dev without it; test only while it is not sealed.",
    )
    answers = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="`gold`, `column:<name>` or `run:<id>`; without it those of the last run.",
    )
    skip = serializers.IntegerField(default=0, min_value=0, max_value=10_000_000)
    ask = serializers.BooleanField(
        default=False, help_text="Whether a metric that needs a language model may ask it."
    )

    def validate_params(self, value: dict[str, Any]) -> dict[str, Any]:
        """Parameters without what no text holds."""
        if problem := unstorable(value):
            raise serializers.ValidationError(problem)
        return value


@extend_schema(request=TryMetricSerializer, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def try_metric(request: Request, project: str) -> Response:
    """What a metric says of ten rows: score, reason, milliseconds, and the line that failed.

    Without `ask` a metric that needs a language model only says how many calls it would make.
    """
    found = get_project(user=request.user, slug=project)
    asked = TryMetricSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    said = asked.validated_data
    stored = get_metric(project=found, slug=said["metric"]) if said.get("metric") else None
    kind = stored.kind if stored else said.get("kind")
    if not kind:
        raise Invalid("Say which metric: the short name of one, or a kind and its params.")
    params = said.get("params", stored.params if stored else {})
    judge = stored.judge if stored else None
    if "judge" in said:
        judge = find_judge(found, said["judge"])
    named = {name: said[name] for name in ("dataset", "split")}
    chosen = choose(found, **named, source=said["answers"])
    if chosen is None or chosen.dataset.slug != said["dataset"]:
        raise NotFound(f"There is no dataset “{said['dataset'][:80]}” in {found.name}.")
    if (said["split"], said["answers"] or chosen.source) != (chosen.split, chosen.source):
        raise Invalid("This dataset has no such answers, or its test split is sealed.")
    rows = read_rows(
        chosen, metric_field=str(params.get("field") or ""), skip=said["skip"], limit=ROWS
    )
    verdict = judge_rows(
        actor=user_of(request),
        project=found,
        kind=kind,
        params=params,
        judge=judge,
        rows=rows,
        ask=said["ask"],
    )
    trial = verdict.trial
    return Response(
        {
            "answers": chosen.source,
            "calls": verdict.calls,
            "most_calls": verdict.cap,
            "mean": trial.mean if trial else None,
            "rows": [_told(one) for one in (trial.tried if trial else map(Tried, rows))],
        }
    )


def _told(tried: Tried) -> dict[str, Any]:
    row = tried.row
    return {
        "number": row.number,
        "split": row.split,
        "inputs": row.inputs,
        "gold": row.gold,
        "prediction": dict(row.prediction),
        "score": tried.score.value if tried.score else None,
        "reason": tried.score.reason if tried.score else "",
        "problem": tried.problem,
        "line": tried.line,
        "milliseconds": None if tried.seconds is None else round(1000 * tried.seconds, 1),
        "parts": [
            {
                "kind": one.part.kind,
                "weight": one.part.weight,
                "gate": one.part.gate,
                "score": one.score.value if one.score else None,
                "reason": one.score.reason if one.score else one.problem,
            }
            for one in tried.parts
        ],
    }
