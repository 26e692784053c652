"""The page of keys: make one, see it once, revoke it; and what was called lately."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest
from studio.serving import services
from studio.serving.forms import KeyForm
from studio.serving.models import Call

_CALLS = 20


@never_cache
@require_http_methods(["GET", "POST"])
def keys(request: StudioRequest, project: str) -> HttpResponse:
    """The project's keys; a new one is shown in the answer to the form and never again."""
    found = get_project(user=request.user, slug=project)
    form = KeyForm(request.POST or None)
    made: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            key, secret = services.create_key(
                actor=request.user, project=found, name=form.cleaned_data["name"]
            )
        except Invalid as error:
            form.add_error("name", str(error))
        else:
            made, form = {"key": key, "secret": secret}, KeyForm()
    context = {
        "project": found,
        "form": form,
        "made": made,
        "keys": found.api_keys.select_related("created_by"),
        "calls": Call.objects.filter(release__project=found).select_related(
            "release__pipeline", "key"
        )[:_CALLS],
        "may_add": may(user=request.user, project=found, role=Role.AUTHOR),
        "may_manage": may(user=request.user, project=found, role=Role.ADMIN),
    }
    return render(request, "serving/keys.html", context, status=422 if form.errors else 200)


@require_POST
def revoke(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Refuse a key from now on."""
    found = get_project(user=request.user, slug=project)
    key = found.api_keys.filter(pk=pk).select_related("project").first()
    if key is None:
        raise NotFound(f"There is no such key in {found.name}.")
    services.revoke_key(actor=request.user, key=key)
    messages.success(request, f"The key {key} is revoked.")
    return redirect("serving:keys", project)
