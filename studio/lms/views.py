"""Pages of the project's language models."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest
from studio.lms import services
from studio.lms.forms import KINDS, ConnectionForm


@require_GET
def connections(request: StudioRequest, project: str) -> HttpResponse:
    """Every language model of the project."""
    found = get_project(user=request.user, slug=project)
    context = {
        "project": found,
        "connections": [(row, KINDS[row.kind]) for row in found.connections.all()],
        "may_write": may(user=request.user, project=found, role=Role.ADMIN),
    }
    return render(request, "lms/connections.html", context)


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
def new_connection(request: StudioRequest, project: str) -> HttpResponse:
    """First the kind, then what the kind needs."""
    found = get_project(user=request.user, slug=project, role=Role.ADMIN)
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        context = {"project": found, "kinds": KINDS.values()}
        return render(request, "lms/choose_kind.html", context)
    form = ConnectionForm(request.POST or None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            connection = services.create_connection(
                actor=request.user,
                project=found,
                kind=kind,
                values=form.values(),
                key=form.cleaned_data.get("key", ""),
            )
        except Invalid as error:
            form.add_error("base_url" if "base_url" in form.fields else None, str(error))
        else:
            messages.success(request, f"{connection.name} is stored. Test it below.")
            return redirect(connection)
    context = {"project": found, "form": form, "kind": KINDS[kind]}
    return render(request, "lms/connection.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
def connection(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One language model: its settings and its test."""
    role = Role.VIEWER if request.method == "GET" else Role.ADMIN
    found = get_project(user=request.user, slug=project, role=role)
    row = services.get_connection(project=found, slug=slug)
    form = ConnectionForm(request.POST or None, instance=row, kind=row.kind)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_connection(
                actor=request.user,
                connection=row,
                values=form.values(),
                key=form.cleaned_data.get("key", ""),
                remove_key=form.cleaned_data.get("remove_key", False),
            )
        except Invalid as error:
            form.add_error("base_url" if "base_url" in form.fields else None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect(row)
    row.refresh_from_db()  # the form has written into it what may be invalid
    context = {
        "project": found,
        "connection": row,
        "form": form,
        "kind": KINDS[row.kind],
        "may_write": may(user=request.user, project=found, role=Role.ADMIN),
        "may_test": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "lms/connection.html", context, status=422 if form.errors else 200)


@require_POST
def test_connection(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One short request; its answer, or why there is none."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    row = services.get_connection(project=found, slug=slug)
    result = services.test_connection(actor=request.user, connection=row)
    context = {"project": found, "connection": row, "result": result}
    template = "lms/test.html#result" if request.htmx else "lms/test.html"
    return render(request, template, context)


@require_POST
def delete_connection(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Remove a language model that nothing needs."""
    found = get_project(user=request.user, slug=project, role=Role.ADMIN)
    row = services.get_connection(project=found, slug=slug)
    try:
        services.delete_connection(actor=request.user, connection=row)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect(row)
    messages.success(request, f"{row.name} is deleted.")
    return redirect("lms:connections", found.slug)
