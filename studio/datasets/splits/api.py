"""Splits for programs: look at them, plan and make new ones, seal, unseal, read the log."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets.editing.changes import newest
from studio.datasets.models import Dataset, Opening, Split
from studio.datasets.services import get_dataset, split_counts
from studio.datasets.splits import sealing
from studio.datasets.splits.choices import MOST_SEED, UNITS, WAYS, Choice, input_columns
from studio.datasets.splits.resplitting import look, make_plan, split_anew
from studio.errors import Conflict

_MOST_OPENINGS = 1_000


class SharesSerializer(serializers.Serializer[Any]):
    """A share for each split; null for at most one: the rest."""

    train = serializers.IntegerField(min_value=0, allow_null=True, required=False, default=None)
    dev = serializers.IntegerField(min_value=0, allow_null=True, required=False, default=None)
    test = serializers.IntegerField(min_value=0, allow_null=True, required=False, default=None)


class SplitSerializer(serializers.Serializer[Any]):
    """How to split a dataset anew; the choices of the page."""

    way = serializers.ChoiceField(choices=list(WAYS), default="random")
    column = serializers.CharField(default="", allow_blank=True)
    group = serializers.CharField(default="", allow_blank=True)
    unit = serializers.ChoiceField(choices=list(UNITS), default="percent")
    shares = SharesSerializer(required=False)
    seed = serializers.IntegerField(min_value=0, max_value=MOST_SEED, default=0)
    keep = serializers.ListField(child=serializers.ChoiceField(choices=Split.values), default=list)
    inputs = serializers.ListField(child=serializers.CharField(), default=list)
    values = serializers.DictField(
        child=serializers.ChoiceField(choices=Split.values), default=dict
    )
    together = serializers.BooleanField(default=True)
    version = serializers.IntegerField(min_value=1, required=False)
    """The version that was looked at: 409 when it is not the newest any more."""
    preview = serializers.BooleanField(default=False)
    """Only say what would come of it."""

    def choice(self) -> Choice:
        """What was said."""
        said = dict(self.validated_data)
        given = said.pop("shares", {"train": 60, "dev": 20, "test": 20})
        del said["preview"]
        said.pop("version", None)
        return Choice(
            **{**said, "keep": tuple(said["keep"]), "inputs": tuple(said["inputs"])},
            shares=(given["train"], given["dev"], given["test"]),
        )


class OpeningSerializer(serializers.ModelSerializer[Opening]):
    """One opening of a sealed test split."""

    by = serializers.CharField(source="created_by.username", default="")

    class Meta:
        model = Opening
        fields = ("purpose", "number", "run", "by", "created_at")


class ReasonSerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=400)


@extend_schema(request=SplitSerializer, responses={200: dict, 201: dict})
@api_view(["GET", "POST"])
def splits(request: Request, project: str, slug: str) -> Response:
    """How the dataset is split; POST splits it anew, or with `preview` says what would come of it.

    201 with the new version, 200 for a preview, 409 when `version` is not the newest any more.
    """
    if request.method == "GET":
        return Response(_told(_dataset(request, project, slug)))
    get_project(user=request.user, slug=project, role=Role.AUTHOR)
    dataset = _dataset(request, project, slug)
    said = SplitSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    base = said.validated_data.get("version")
    if base not in (None, dataset.number):
        raise Conflict(
            f"“{dataset.name}” is at version {dataset.number} by now. Look at it, and try again."
        )
    if said.validated_data["preview"]:
        return Response(make_plan(dataset, said.choice()).to_dict())
    split_anew(actor=request.user, dataset=dataset, choice=said.choice(), base=base)
    return Response(_told(dataset), status=201)


@extend_schema(request=None, responses=dict)
@api_view(["POST"])
def seal(request: Request, project: str, slug: str) -> Response:
    """Show the test split to nobody from now on."""
    dataset = _dataset(request, project, slug)
    sealing.seal(actor=request.user, dataset=dataset)
    return Response(_told(dataset))


@extend_schema(request=ReasonSerializer, responses=dict)
@api_view(["POST"])
def unseal(request: Request, project: str, slug: str) -> Response:
    """Show the test split again. Needs an admin and a reason, which stays in the log."""
    dataset = _dataset(request, project, slug)
    said = ReasonSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    sealing.unseal(actor=request.user, dataset=dataset, reason=said.validated_data["reason"])
    return Response(_told(dataset))


@extend_schema(responses=OpeningSerializer(many=True))
@api_view(["GET"])
def openings(request: Request, project: str, slug: str) -> Response:
    """Who opened the sealed test split, newest first."""
    found = _dataset(request, project, slug).openings.select_related("created_by")
    return Response(OpeningSerializer(found[:_MOST_OPENINGS], many=True).data)


def _dataset(request: Request, project: str, slug: str) -> Dataset:
    return get_dataset(project=get_project(user=request.user, slug=project), slug=slug)


def _told(dataset: Dataset) -> dict[str, Any]:
    known = dataset.report.get("duplicates")
    return {
        "version": dataset.number,
        "splits": split_counts(dataset),
        "labels": sealing.visible_labels(dataset),
        "repeated_inputs": look(dataset) if known is None and dataset.row_count else known,
        "inputs": list(input_columns(dataset)),
        "last": newest(dataset).message,
        "sealed": dataset.sealed,
        "openings": sealing.count_openings(dataset),
    }
