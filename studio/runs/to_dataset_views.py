"""Tries and rows of evaluations become rows of a dataset."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets.editing.offer_views import offer_page
from studio.http import StudioRequest
from studio.runs.to_dataset import offer_of_result, offer_of_try
from studio.runs.views import get_run


@require_http_methods(["GET", "POST"])
def try_to_dataset(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """A try, corrected, becomes a row."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    one = get_run(request, project, run)
    return offer_page(request, found, offer_of_try(one), back=one.get_absolute_url(), title="Try")


@require_http_methods(["GET", "POST"])
def result_to_dataset(
    request: StudioRequest, project: str, run: UUID, example: str
) -> HttpResponse:
    """A row of an evaluation, corrected, becomes a row of another dataset, or once more of its."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    one = get_run(request, project, run)
    back = reverse("runs:result-row", args=[project, one.pk, example])
    return offer_page(
        request, found, offer_of_result(one, example), back=back, title="Row of an evaluation"
    )
