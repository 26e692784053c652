"""Datasets for programs: list, read, and upload in one request."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.services import get_project
from studio.datasets import services
from studio.datasets.models import Dataset
from studio.datasets.serializers import ChoicesSerializer, DatasetSerializer, UploadSerializer
from studio.datasets.uploading import api as upload_api


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
    return upload_api.receive(request, project)


@extend_schema(responses=DatasetSerializer)
@api_view(["GET"])
def dataset(request: Request, project: str, slug: str) -> Response:
    """One dataset, without its rows."""
    found = get_project(user=request.user, slug=project)
    return Response(DatasetSerializer(services.get_dataset(project=found, slug=slug)).data)
