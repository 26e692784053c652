"""Rows of datasets for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.services import get_project
from studio.datasets.browsing.filtering import OPERATORS
from studio.datasets.browsing.pages import Page, browse
from studio.datasets.browsing.row_table import columns_at, find_row
from studio.datasets.browsing.searching import visible_table
from studio.datasets.browsing.wishes import LARGEST, read_address
from studio.datasets.serializers import FoundRowsSerializer, RowSerializer
from studio.datasets.services import get_dataset
from studio.errors import Invalid
from studio.numerals import read_whole

MOST = 500


@extend_schema(
    operation_id="projects_datasets_rows_list",
    parameters=[
        OpenApiParameter("split", str, description="train, dev or test."),
        OpenApiParameter("q", str, description="A text that one of the cells holds."),
        OpenApiParameter("where", str, many=True, description="Columns of filters."),
        OpenApiParameter("how", str, many=True, enum=list(OPERATORS)),
        OpenApiParameter("what", str, many=True, description="What they are compared with."),
        OpenApiParameter("sort", str, description="A column; `-column`: the largest first."),
        OpenApiParameter("version", int, description="An older version; without it the newest."),
        OpenApiParameter("cursor", int, description="`next` of the answer before."),
        OpenApiParameter("limit", int, description=f"1 to {MOST} rows; 50 when it is not said."),
    ],
    responses=FoundRowsSerializer,
)
@api_view(["GET"])
def rows(request: Request, project: str, slug: str) -> Response:
    """Rows, a page at a time. Rows of a sealed test split are left out.

    Each answer takes a moment at the most, so one may hold fewer rows than `limit`, or none: as
    long as `next` is not null, ask on with it as `cursor`. While a worker sorts a large dataset
    the answer is 202 with `progress`; ask again.
    """
    found = get_dataset(project=get_project(user=request.user, slug=project), slug=slug)
    params = request.query_params
    address = read_address(params, columns_at(found, params.get("version", "")))
    limit, cursor = _whole(params, "limit", 50), _whole(params, "cursor", 0)
    if not 1 <= limit <= MOST:
        raise Invalid(f"limit is 1 to {MOST}.")
    table = visible_table(found, address.version)
    wish = address.wish(found, start=cursor, limit=limit)
    page = browse(table, wish)
    if page.chore is not None:
        if page.chore.error:
            raise Invalid(page.chore.error)
        said = {"rows": [], "next": cursor, "looked": 0, "of": page.of}
        return Response({**said, "progress": page.chore.progress}, status=202)
    return Response(_answer(page))


@extend_schema(
    parameters=[OpenApiParameter("version", int, description="An older version.")],
    responses=RowSerializer,
)
@api_view(["GET"])
def row(request: Request, project: str, slug: str, number: int) -> Response:
    """One row with all its values."""
    found = get_dataset(project=get_project(user=request.user, slug=project), slug=slug)
    version = _whole(request.query_params, "version", 0)
    one, _before, _after = find_row(found, number, version or None)
    return Response(RowSerializer(one).data)


def _answer(page: Page) -> dict[str, Any]:
    return {
        "rows": RowSerializer(page.rows, many=True).data,
        "next": page.after,
        "looked": page.looked,
        "of": page.of,
    }


def _whole(params: Any, name: str, default: int) -> int:
    """A whole number; raises `Invalid` for other texts."""
    text = params.get(name, "")
    number = read_whole(text, LARGEST) if text else default
    if number is None:
        raise Invalid(f"{name} is a whole number.")
    return number
