"""Uploads for programs: a file in one request, or in pieces that can be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import BaseParser, FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project
from studio.datasets import services
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading.problems import KINDS
from studio.datasets.serializers import (
    AnnouncementSerializer,
    ChoicesSerializer,
    DatasetSerializer,
    ProblemPageSerializer,
    UploadSerializer,
)
from studio.datasets.uploading import problem_files, receiving, uploads, working
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.looking import CUT, signatures_of
from studio.datasets.uploading.storage import MEGABYTE, Readable, refuse_large, telling_full_disks
from studio.errors import Invalid
from studio.numerals import read_whole

PAGE_PROBLEMS = 1_000
_MOST_OFFSET = 10**15


class BytesParser(BaseParser):
    """Leaves the body where it is: a view reads it piece by piece."""

    media_type = "application/octet-stream"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stream itself."""
        return stream


def receive(request: Request, project: str) -> Response:
    """The POST of the list of datasets: a whole file as `file`, with choices beside it."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    refuse_large(int(request.headers.get("Content-Length") or 0) - MEGABYTE)
    with telling_full_disks():
        said = _said(request, found)
        file = request.FILES.get("file")
    if file is None:
        raise Invalid("Send the file as “file” in a multipart form.")
    made = receiving.receive_upload(
        actor=request.user, project=found, file=file, target=_target(said, found)
    )
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
    operation_id="projects_datasets_uploads_announce",
    request=AnnouncementSerializer,
    responses={201: UploadSerializer},
)
@api_view(["POST"])
@parser_classes([JSONParser, FormParser, MultiPartParser])
def announce(request: Request, project: str) -> Response:
    """Say that a file of so many bytes will come. PUT it, piece after piece, to its `data/`.

    507 when there is no room for it. A file that does not arrive any further is removed after a
    day.
    """
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    said = AnnouncementSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    made = receiving.announce(
        actor=request.user,
        project=found,
        filename=said.validated_data["filename"],
        size=said.validated_data["size"],
        target=_target(said, found),
    )
    return Response(UploadSerializer(made).data, status=201)


@extend_schema(
    request={"application/octet-stream": OpenApiTypes.BINARY},
    parameters=[
        OpenApiParameter(
            "offset", int, required=True, description="Bytes of the file before this piece."
        )
    ],
    responses={200: UploadSerializer},
)
@api_view(["PUT", "PATCH"])
@parser_classes([BytesParser])
def data(request: Request, project: str, token: str) -> Response:
    """A piece of the file, at most 32 MB; 8 MB are best.

    409 with `arrived` when it does not begin where the last one ended: go on from there. After the
    last piece the file is checked: ask for the upload until it is `ready`, then POST to it.
    """
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    made = uploads.get_upload(project=found, token=token)
    offset = read_whole(request.query_params.get("offset"), _MOST_OFFSET)
    if offset is None:
        raise Invalid("Say with ?offset= how many bytes of the file stand before this piece.")
    length = request.headers.get("Content-Length", "")
    made = receiving.take_piece(
        actor=request.user,
        upload=made,
        offset=offset,
        stream=cast(Readable, request.data),
        length=int(length) if length.isdigit() else None,
    )
    return Response(UploadSerializer(made).data)


@extend_schema(methods=["GET"], responses={200: UploadSerializer})
@extend_schema(
    methods=["POST"],
    operation_id="projects_datasets_uploads_keep",
    request=ChoicesSerializer,
    responses={201: DatasetSerializer, 202: UploadSerializer},
)
@extend_schema(methods=["DELETE"], responses={204: None})
@api_view(["GET", "POST", "DELETE"])
@parser_classes([JSONParser, FormParser, MultiPartParser])
def upload(request: Request, project: str, token: str) -> Response:
    """What has become of an upload; POST keeps it as a dataset, DELETE throws it away.

    A POST answers 202 while a worker is at it, such as checking a large file under new choices:
    send the same again when it is `ready`, until the answer is 201.
    """
    if request.method == "GET":
        found = get_project(user=request.user, slug=project)
        made = uploads.get_upload(project=found, token=token)
        if made.waits_for_work:
            working.start(made)
        return Response(UploadSerializer(made).data)
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    made = uploads.get_upload(project=found, token=token)
    if request.method == "DELETE":
        uploads.discard(actor=request.user, upload=made)
        return Response(status=204)
    return _choose_and_keep(request, made, _said(request, found))


@extend_schema(
    parameters=[
        OpenApiParameter("kind", str, description="Only problems of this kind."),
        OpenApiParameter("skip", int, description="Without the first ones."),
    ],
    responses={200: ProblemPageSerializer},
)
@api_view(["GET"])
def problems(request: Request, project: str, token: str) -> Response:
    """Everything that is wrong with the rows of an upload, a thousand at a time."""
    found = get_project(user=request.user, slug=project)
    made = uploads.get_upload(project=found, token=token)
    kind = request.query_params.get("kind", "")
    skip = read_whole(request.query_params.get("skip", "0"))
    if kind and kind not in KINDS:
        raise Invalid(f"“{kind[:40]}” is no kind of problem: say {', '.join(KINDS)}.")
    if skip is None:
        raise Invalid("Say with ?skip= how many of them you have.")
    listing = problem_files.listing(made.token, made.report, kind)
    page = listing[skip : skip + PAGE_PROBLEMS]
    return Response({"total": len(listing), "problems": page})


def _said(request: Request, project: Project) -> ChoicesSerializer:
    said = ChoicesSerializer(data=request.data, context={"signatures": signatures_of(project)})
    said.is_valid(raise_exception=True)
    return said


def _target(said: Any, project: Project) -> Dataset | None:
    slug = said.validated_data.get("into", "")
    return services.get_dataset(project=project, slug=slug) if slug else None


def _choose_and_keep(request: Request, made: Upload, said: ChoicesSerializer) -> Response:
    """201 with the dataset, 202 while a worker is at it; raises `Invalid` with the problems."""
    if made.state == Upload.State.REFUSED:
        raise Invalid(made.error)
    if made.state == Upload.State.ARRIVING:
        raise Invalid(
            f"{made.arrived:,} of {made.size:,} bytes are here. Send the rest of the file first."
        )
    leave_out = said.validated_data["leave_out"]
    cut = {name: said.validated_data[name] for name in CUT if name in said.validated_data}
    if made.state == Upload.State.READY and uploads.is_cut_anew(made, cut):
        made = uploads.cut_anew(actor=request.user, upload=made, cut=cut)
    if made.state == Upload.State.READY:
        choices = said.choices(Choices.from_dict(made.choices), uploads.columns_of(made))
        if choices.to_dict() != made.choices:
            made = uploads.choose(actor=request.user, upload=made, choices=choices)
    if made.state == Upload.State.READY:
        _refuse_problems(made, leave_out=leave_out)
        made = uploads.keep(
            actor=request.user,
            upload=made,
            checked=uploads.choices_hash(made),
            leave_out=leave_out,
        )
    if made.state == Upload.State.IMPORTED and made.dataset is not None:
        return Response(DatasetSerializer(made.dataset).data, status=201)
    if made.state == Upload.State.REFUSED or made.error:
        raise Invalid(made.error)
    return Response(UploadSerializer(made).data, status=202)


def _refuse_problems(made: Upload, *, leave_out: bool) -> None:
    if made.report["left_out"] and not leave_out and not made.report["blockers"]:
        raise Invalid(
            f"Rows with problems: {made.report['left_out']:,}. Send leave_out=true to leave them "
            "out, or repair the file.",
            problems=made.report["problems"]["listed"],
        )
