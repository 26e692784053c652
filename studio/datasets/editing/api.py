"""Changing rows for programs: add, edit, delete; versions, what differs, restore."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets.browsing import row_api
from studio.datasets.editing import rows as editing
from studio.datasets.editing.changes import restore as restore_version
from studio.datasets.editing.diffing import KINDS, Difference, between
from studio.datasets.editing.versions import with_runs
from studio.datasets.models import Dataset, Split, Version
from studio.datasets.serializers import RowSerializer
from studio.datasets.services import get_dataset
from studio.datasets.splits.sealing import Hidden
from studio.errors import Invalid
from studio.numerals import read_whole

PAGE_VERSIONS = 100
PAGE_ROWS = 100
MOST_READ = 20_000
MOST_DELETED = 10_000


class DatasetVersionSerializer(serializers.ModelSerializer[Version]):
    """A version without its rows."""

    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = Version
        fields = (
            "number", "kind", "message", "changes", "row_count", "splits", "columns", "mapping",
            "fingerprint", "restored_from", "created_at", "created_by",
        )  # fmt: skip


class NewRowSerializer(serializers.Serializer[Any]):
    """A row to add."""

    values = serializers.DictField(help_text="By column; null and missing ones stay empty.")
    split = serializers.ChoiceField(choices=Split.values, default=Split.TRAIN.value)


class NewRowsSerializer(serializers.Serializer[Any]):
    """Rows to add."""

    rows = NewRowSerializer(many=True)
    message = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    keep_anyway = serializers.BooleanField(
        default=False, help_text="Keep values that do not fit the signature’s fields, too."
    )


class EditedRowSerializer(serializers.Serializer[Any]):
    """Other values of a row."""

    base = serializers.IntegerField(
        min_value=1, help_text="The version that was read: 409 when the row is another since then."
    )
    values = serializers.DictField(
        required=False, default=dict, help_text="By column; null empties a cell."
    )
    split = serializers.ChoiceField(choices=Split.values, required=False)
    keep_anyway = serializers.BooleanField(default=False)


class DeletedRowsSerializer(serializers.Serializer[Any]):
    """Rows to take away."""

    numbers = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=MOST_DELETED
    )
    base = serializers.IntegerField(min_value=1, required=False)


class RestoreSerializer(serializers.Serializer[Any]):
    """What to go back to."""

    number = serializers.IntegerField(min_value=1)
    message = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class DifferenceSerializer(serializers.Serializer[Difference]):
    """A row that differs between two versions."""

    number = serializers.IntegerField()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=KINDS))
    columns = serializers.ListField(child=serializers.CharField())
    was = RowSerializer(allow_null=True)
    now = RowSerializer(allow_null=True)


class DifferencesSerializer(serializers.Serializer[Any]):
    """A page of them; `next` is null on the last one."""

    rows = DifferenceSerializer(many=True)
    hidden = serializers.IntegerField(help_text="Rows of a sealed test split that are left out.")
    next = serializers.IntegerField(allow_null=True)


_rows: Any = row_api.rows
_row: Any = row_api.row


class Rows(_rows.cls):  # type: ignore[misc]
    """Rows, a page at a time; rows of a sealed test split are left out. Also adds and deletes."""

    http_method_names = ("get", "post", "delete", "options")

    @extend_schema(request=NewRowsSerializer, responses={201: DatasetVersionSerializer})
    def post(self, request: Request, project: str, slug: str) -> Response:
        """Add rows behind all others, up to 1,000 and 2 MB at once; makes a version."""
        said = NewRowsSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        version = editing.add_rows(
            actor=request.user,
            dataset=_dataset(request, project, slug),
            rows=[(row["values"], row["split"]) for row in said.validated_data["rows"]],
            message=said.validated_data["message"],
            sure=said.validated_data["keep_anyway"],
        )
        return Response(DatasetVersionSerializer(version).data, status=201)

    @extend_schema(request=DeletedRowsSerializer, responses=DatasetVersionSerializer)
    def delete(self, request: Request, project: str, slug: str) -> Response:
        """Take rows away; makes a version."""
        said = DeletedRowsSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        version = editing.delete_rows(
            actor=request.user,
            dataset=_dataset(request, project, slug),
            numbers=set(said.validated_data["numbers"]),
            base=said.validated_data.get("base"),
        )
        return Response(DatasetVersionSerializer(version).data)


class OneRow(_row.cls):  # type: ignore[misc]
    """One row with all its values."""

    http_method_names = ("get", "patch", "options")

    @extend_schema(request=EditedRowSerializer, responses=DatasetVersionSerializer)
    def patch(self, request: Request, project: str, slug: str, number: int) -> Response:
        """Change values, the split, or both; makes a version. 409: somebody else was quicker."""
        said = EditedRowSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        values, split = said.validated_data["values"], said.validated_data.get("split", "")
        if not values and not split:
            raise Invalid("Say values, a split, or both.")
        version = editing.edit_row(
            actor=request.user,
            dataset=_dataset(request, project, slug),
            number=number,
            cells=values,
            split=split,
            base=said.validated_data["base"],
            sure=said.validated_data["keep_anyway"],
        )
        return Response(DatasetVersionSerializer(version).data)


rows = Rows.as_view()
row = OneRow.as_view()


@extend_schema(
    parameters=[OpenApiParameter("before", int, description="Only versions below this number.")],
    responses=DatasetVersionSerializer(many=True),
)
@api_view(["GET"])
def versions(request: Request, project: str, slug: str) -> Response:
    """The versions, the newest first, 100 at a time."""
    data = _dataset(request, project, slug, Role.VIEWER)
    found = data.versions.select_related("created_by")
    before = _number(request, "before")
    if before:
        found = found.filter(number__lt=before)
    listed = with_runs(data, found[:PAGE_VERSIONS])
    return Response(
        [{**DatasetVersionSerializer(one.version).data, "runs": one.runs} for one in listed]
    )


@extend_schema(
    parameters=[
        OpenApiParameter("from", int, description="The version before the newest by default."),
        OpenApiParameter("to", int, description="The newest by default."),
        OpenApiParameter("kind", str, enum=KINDS),
        OpenApiParameter("after", int, description="`next` of the page before."),
    ],
    responses=DifferencesSerializer,
)
@api_view(["GET"])
def differences(request: Request, project: str, slug: str) -> Response:
    """The rows that differ between two versions, a page at a time."""
    data = _dataset(request, project, slug, Role.VIEWER)
    first = _number(request, "from") or max(1, data.number - 1)
    second = _number(request, "to") or data.number
    kind, after = request.query_params.get("kind", ""), _number(request, "after")
    if kind and kind not in KINDS:
        raise Invalid(f"kind is one of {', '.join(KINDS)}.")
    sealed = Hidden(data)
    rows: list[Difference] = []
    hidden, last, following = 0, after, None
    for read, one in enumerate(between(data, first, second, after=after)):
        if len(rows) == PAGE_ROWS or read == MOST_READ:
            following = last
            break
        last = one.number
        if not kind or kind in one.kinds:
            if one.was in sealed or one.now in sealed:
                hidden += 1
            else:
                rows.append(one)
    answer = {"rows": rows, "hidden": hidden, "next": following}
    return Response(DifferencesSerializer(answer).data)


@extend_schema(request=RestoreSerializer, responses=DatasetVersionSerializer)
@api_view(["POST"])
def restore(request: Request, project: str, slug: str) -> Response:
    """Make a new version that is as an old one was."""
    said = RestoreSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    version = restore_version(
        actor=request.user, dataset=_dataset(request, project, slug), **said.validated_data
    )
    return Response(DatasetVersionSerializer(version).data)


def _dataset(request: Request, project: str, slug: str, role: Role = Role.AUTHOR) -> Dataset:
    return get_dataset(project=get_project(user=request.user, slug=project, role=role), slug=slug)


def _number(request: Request, name: str) -> int:
    number = read_whole(request.query_params.get(name) or "0")
    if number is None:
        raise Invalid(f"{name} is a whole number.")
    return number
