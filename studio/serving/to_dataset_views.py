"""A served call becomes a row of a dataset."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets.editing.offer_views import offer_page
from studio.http import StudioRequest
from studio.serving.to_dataset import get_call, offer_of_call


@require_http_methods(["GET", "POST"])
def call_to_dataset(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """What was asked and answered, corrected, becomes a row."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    call = get_call(found, pk)
    back = reverse("serving:keys", args=[project])
    return offer_page(request, found, offer_of_call(call), back=back, title="Keys and calls")
