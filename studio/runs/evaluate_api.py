"""The doors for programs: evaluate a pipeline, read what came out, compare."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project
from studio.datasets.services import get_dataset
from studio.engine.statistics import Interval
from studio.errors import Invalid, NotFound
from studio.lms.services import get_connection
from studio.metrics.services import get_metric
from studio.numerals import read_whole
from studio.pipelines.requests import user_of
from studio.pipelines.services import get_pipeline
from studio.runs.api import as_json
from studio.runs.checks import MOST_CALLS, MOST_COST, MOST_SECONDS, MOST_SEED, MOST_TOKENS
from studio.runs.evaluations.asked import MOST_REPEATS, MOST_ROWS, ROWS, SPLIT_NAMES, Asked
from studio.runs.evaluations.finding import Wish, find, in_full
from studio.runs.evaluations.paired import MOST, Comparison, compare_runs
from studio.runs.evaluations.results import read_results
from studio.runs.evaluations.slices import Slices, columns_of_run, read_slices
from studio.runs.evaluations.starting import go_on, start_evaluation
from studio.runs.evaluations.subjects import NOW, find_subject
from studio.runs.evaluations.summary import summarise
from studio.runs.models import Run

AT_ONCE = 100
"""Rows of one answer."""


class StrictRequest(serializers.Serializer[Any]):
    """Refuses what nobody knows: a cap with a wrong name would be no cap."""

    def to_internal_value(self, data: Any) -> Any:
        """See `Serializer.to_internal_value`."""
        unknown = sorted(set(data) - set(self.fields)) if hasattr(data, "keys") else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {str(unknown[0])[:80]: [f"Not known here. Known are {known}."]}
            )
        return super().to_internal_value(data)


class EvaluateRequest(StrictRequest):
    """An evaluation of one program of a pipeline."""

    subject = serializers.CharField(
        default=NOW,
        help_text="now, version:3, artifact:<hash> or release:<label>.",
    )
    dataset = serializers.CharField(help_text="Its short name.")
    number = serializers.IntegerField(
        min_value=1, allow_null=True, default=None, help_text="Its version; null: the newest."
    )
    split = serializers.ChoiceField(choices=SPLIT_NAMES, default="test")
    metric = serializers.CharField(help_text="Its short name.")
    connection = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="The language model; empty: the one that the artifact was compiled for.",
    )
    repeats = serializers.IntegerField(min_value=1, max_value=MOST_REPEATS, default=1)
    rows = serializers.ChoiceField(choices=[name for name, _ in ROWS], default="all")
    count = serializers.IntegerField(
        min_value=0, max_value=MOST_ROWS, default=0, help_text="How many rows, unless all."
    )
    seed = serializers.IntegerField(min_value=0, max_value=MOST_SEED, default=0)
    max_calls = serializers.IntegerField(min_value=1, max_value=MOST_CALLS, default=2000)
    max_tokens = serializers.IntegerField(
        min_value=1, max_value=MOST_TOKENS, allow_null=True, default=None
    )
    max_cost = serializers.FloatField(max_value=MOST_COST, allow_null=True, default=None)
    max_seconds = serializers.IntegerField(
        min_value=1, max_value=MOST_SECONDS, allow_null=True, default=None
    )
    reuse = serializers.BooleanField(default=True)


class CapsRequest(StrictRequest):
    """Higher caps; one that is not named stays."""

    max_calls = serializers.IntegerField(min_value=1, max_value=MOST_CALLS, required=False)
    max_tokens = serializers.IntegerField(
        min_value=1, max_value=MOST_TOKENS, allow_null=True, required=False
    )
    max_cost = serializers.FloatField(max_value=MOST_COST, allow_null=True, required=False)
    max_seconds = serializers.IntegerField(
        min_value=1, max_value=MOST_SECONDS, allow_null=True, required=False
    )


@extend_schema(request=EvaluateRequest, responses={202: OpenApiTypes.OBJECT})
@api_view(["POST"])
def evaluate(request: Request, project: str, pipeline: str) -> Response:
    """Score a version, an artifact or a release on rows of a dataset."""
    user = user_of(request)
    found = get_pipeline(user=user, project=project, slug=pipeline, role=Role.AUTHOR)
    read = EvaluateRequest(data=request.data)
    read.is_valid(raise_exception=True)
    told = dict(read.validated_data)
    own = {name: told.pop(name) for name in ("split", "repeats", "rows", "count")}
    names = {name: told.pop(name) for name in ("subject", "dataset", "metric", "connection")}
    home: Project = found.project
    run = start_evaluation(
        actor=user,
        pipeline=found,
        subject=find_subject(found, names["subject"]),
        dataset=get_dataset(project=home, slug=names["dataset"]),
        metric=get_metric(project=home, slug=names["metric"]),
        connection=get_connection(project=home, slug=names["connection"])
        if names["connection"]
        else None,
        asked=Asked(**own),
        **told,
    )
    return Response(as_json(run), status=202)


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def evaluations(request: Request, project: str, pipeline: str) -> Response:
    """The newest evaluations of a pipeline with their scores, at most a hundred."""
    found = get_pipeline(user=user_of(request), project=project, slug=pipeline)
    runs = found.project.runs.filter(kind=Run.Kind.EVALUATE, version__pipeline=found)
    lines = [
        summarise(run)
        for run in runs.select_related(
            "version__pipeline", "dataset", "metric", "metric_version", "connection", "project"
        )[:AT_ONCE]
    ]
    return Response(
        {
            "evaluations": [
                {
                    "run": str(line.run.pk),
                    "state": line.run.state,
                    "what": line.what,
                    "data": line.data,
                    "metric": line.metric,
                    "score": _json(line.score),
                    "scored": line.scored,
                    "rows": line.rows,
                    "repeats": line.repeats,
                    "url": line.run.get_absolute_url(),
                }
                for line in lines
            ]
        }
    )


@extend_schema(
    parameters=[
        OpenApiParameter(name, str) for name in ("show", "q", "sort", "by", "part", "offset")
    ],
    responses=OpenApiTypes.OBJECT,
)
@api_view(["GET"])
def results(request: Request, project: str, run: UUID) -> Response:
    """The score, the rows (a hundred at once) and, `by` a column of the dataset, its slices."""
    found = _get(request, project, run)
    everything = read_results(found)
    visible = everything.seen_by_people(found)
    wish = Wish.read(request._request.GET)
    slices = read_slices(found, visible, wish.by) if wish.by else None
    if wish.by and slices is None:
        known = ", ".join(columns_of_run(found)[:20]) or "none"
        raise Invalid(f"The dataset has no column “{wish.by}”. It has {known}.")
    offset = read_whole(request.query_params.get("offset") or "0")
    if offset is None:
        raise Invalid("offset says how many rows to leave out: send a whole number.")
    rows = find(found, visible, wish, slices)
    return Response(
        {
            **as_json(found),
            "score": _json(everything.mean),
            "counts": everything.counts,
            "consistency": everything.consistency,
            "total": len(rows),
            "hidden": len(everything.rows) - len(visible.rows),
            "rows": [
                {
                    "row": one.result.number,
                    "example": one.result.example,
                    "split": one.result.split,
                    "values": one.gold,
                    "state": one.result.state,
                    "score": one.result.mean,
                    "spread": one.result.spread,
                    "reason": one.reason,
                    "answers": [row.prediction.get("values", {}) for row in one.answers],
                    "calls": one.result.calls,
                    "seconds": one.result.seconds,
                    "cost": one.result.cost,
                }
                for one in in_full(found, rows[offset : offset + AT_ONCE])
            ],
            "slices": _slices(slices),
        }
    )


@extend_schema(
    parameters=[OpenApiParameter("base", str), OpenApiParameter("run", str, many=True)],
    responses=OpenApiTypes.OBJECT,
)
@api_view(["GET"])
def compare(request: Request, project: str) -> Response:
    """Up to five evaluations (`run`) against a baseline (`base`)."""
    home = get_project(user=user_of(request), slug=project)
    named = [request.query_params.get("base", ""), *request.query_params.getlist("run")]
    asked = list(dict.fromkeys(pk for pk in named if pk))[: MOST + 2]
    return Response(_compared(compare_runs([_evaluation(home, pk) for pk in asked])))


@extend_schema(request=CapsRequest, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def raise_caps(request: Request, project: str, run: UUID) -> Response:
    """Let an evaluation that has reached a cap go on under higher ones."""
    found = _get(request, project, run)
    read = CapsRequest(data=request.data)
    read.is_valid(raise_exception=True)
    return Response(as_json(go_on(actor=user_of(request), run=found, **read.validated_data)))


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "base": {
            "run": str(comparison.base.run.pk),
            "score": _json(comparison.base.results.mean),
        },
        "test": "paired permutation test, p-values corrected by Holm’s method",
        "against": [
            {
                "run": str(one.entry.run.pk),
                "score": _json(one.entry.results.mean),
                "matched": len(one.scored),
                "difference": _json(one.difference),
                "p_value": one.p_value,
                "adjusted": one.adjusted,
                "better": one.signs[0],
                "worse": one.signs[1],
                "verdict": one.verdict,
            }
            for one in comparison.others
        ],
        "notes": list(comparison.notes),
    }


def _slices(slices: Slices | None) -> list[dict[str, Any]]:
    if slices is None:
        return []
    return [
        {
            "name": one.name,
            "rows": len(one.rows),
            "score": _json(one.mean),
            "verdict": one.verdict,
        }
        for one in slices.slices
    ]


def _json(interval: Interval | None) -> dict[str, Any] | None:
    return interval.to_dict() if interval else None


def _get(request: Request, project: str, pk: UUID) -> Run:
    return _evaluation(get_project(user=user_of(request), slug=project), str(pk))


def _evaluation(project: Project, pk: str) -> Run:
    rows = project.runs.select_related(
        "project", "version__pipeline", "dataset", "metric", "metric_version", "connection"
    )
    try:
        run = rows.filter(pk=pk, kind=Run.Kind.EVALUATE).first()
    except ValidationError:
        run = None
    if run is None:
        raise NotFound(f"There is no such evaluation in {project.name}.")
    return run
