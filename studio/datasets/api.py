"""Datasets for programs: list, read, and upload in one request."""

from __future__ import annotations

from dataclasses import replace

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets import services, uploads, working
from studio.datasets.choices import Choices
from studio.datasets.models import Dataset, Upload
from studio.datasets.serializers import ChoicesSerializer, DatasetSerializer, UploadSerializer
from studio.datasets.storage import MEGABYTE, refuse_large
from studio.errors import Invalid


@extend_schema(
    request={"multipart/form-data": ChoicesSerializer},
    responses={200: DatasetSerializer(many=True), 201: DatasetSerializer, 202: UploadSerializer},
)
@api_view(["GET", "POST"])
@parser_classes([MultiPartParser])
def datasets(request: Request, project: str) -> Response:
    """List the datasets, or upload a file as `file` with choices beside it.

    201 with the dataset; 202 with the upload when the file is large and a worker has it: ask for
    it until it is `ready`, then POST to it. 422 keeps nothing.
    """
    if request.method == "GET":
        found = get_project(user=request.user, slug=project)
        return Response(DatasetSerializer(Dataset.objects.filter(project=found), many=True).data)
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    refuse_large(int(request.headers.get("Content-Length") or 0) - MEGABYTE)
    said = ChoicesSerializer(
        data=request.data, context={"signatures": working.signatures_of(found)}
    )
    said.is_valid(raise_exception=True)
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("Send the file as “file” in a multipart form.")
    made = uploads.receive_upload(actor=request.user, project=found, file=file)
    if made.state == Upload.State.RECEIVED:
        return Response(UploadSerializer(made).data, status=202)
    done = False
    try:
        answer = _choose_and_keep(request, made, said)
        done = True
    finally:
        if not done:
            made.refresh_from_db()
            uploads.discard(actor=request.user, upload=made)
    return answer


@extend_schema(
    request=ChoicesSerializer, responses={200: UploadSerializer, 201: DatasetSerializer}
)
@api_view(["GET", "POST"])
@parser_classes([JSONParser, FormParser, MultiPartParser])
def upload(request: Request, project: str, token: str) -> Response:
    """What has become of an upload; POST keeps it as a dataset."""
    if request.method == "GET":
        found = get_project(user=request.user, slug=project)
        made = uploads.get_upload(project=found, token=token)
        if made.waits_for_work:
            working.start(made)
        return Response(UploadSerializer(made).data)
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    made = uploads.get_upload(project=found, token=token)
    said = ChoicesSerializer(
        data=request.data, context={"signatures": working.signatures_of(found)}
    )
    said.is_valid(raise_exception=True)
    return _choose_and_keep(request, made, said)


@extend_schema(responses=DatasetSerializer)
@api_view(["GET"])
def dataset(request: Request, project: str, slug: str) -> Response:
    """One dataset, without its rows."""
    found = get_project(user=request.user, slug=project)
    return Response(DatasetSerializer(services.get_dataset(project=found, slug=slug)).data)


def _choose_and_keep(request: Request, made: Upload, said: ChoicesSerializer) -> Response:
    """201 with the dataset, 202 while a worker is at it; raises `Invalid` with the problems."""
    if made.state == Upload.State.REFUSED:
        raise Invalid(made.error)
    old = Choices.from_dict(made.choices)
    cut = {name: said.validated_data.get(name, getattr(old, name)) for name in _CUT}
    if cut != {name: getattr(old, name) for name in _CUT}:
        old = replace(uploads.suggest_again(upload=made, **cut), name=old.name)
    choices = said.choices(old, uploads.columns_of(made, old))
    if made.state == Upload.State.READY and choices.to_dict() != made.choices:
        made = uploads.choose(actor=request.user, upload=made, choices=choices)
    if made.state == Upload.State.READY:
        _refuse_problems(made, leave_out=said.validated_data["leave_out"])
        made = uploads.keep(
            actor=request.user,
            upload=made,
            checked=uploads.choices_hash(made),
            leave_out=said.validated_data["leave_out"],
        )
    if made.state == Upload.State.IMPORTED and made.dataset is not None:
        return Response(DatasetSerializer(made.dataset).data, status=201)
    if made.state == Upload.State.REFUSED or made.error:
        raise Invalid(made.error)
    return Response(UploadSerializer(made).data, status=202)


_CUT = ("delimiter", "header")
"""Choices that cut the file into other columns."""


def _refuse_problems(made: Upload, *, leave_out: bool) -> None:
    if made.report["left_out"] and not leave_out and not made.report["blockers"]:
        raise Invalid(
            f"Rows with problems: {made.report['left_out']:,}. Send leave_out=true to leave them "
            "out, or repair the file.",
            problems=made.report["problems"]["listed"],
        )
