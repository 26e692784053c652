"""Pages of modules."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.param_forms import ParamsForm, params_form
from studio.accounts.services import get_project, may
from studio.engine.modules import MODULES
from studio.errors import Invalid
from studio.http import StudioRequest
from studio.pipelines import signature_services as services
from studio.pipelines.models import Module
from studio.pipelines.signature_draft import field_labels
from studio.pipelines.signature_forms import ModuleForm


@require_GET
def modules(request: StudioRequest, project: str) -> HttpResponse:
    """Every module of the project."""
    found = get_project(user=request.user, slug=project)
    rows = list(found.modules.select_related("signature"))
    labels = field_labels(row.signature.spec for row in rows)
    context = {
        "project": found,
        "rows": [
            (row, MODULES.get(row.kind), label) for row, label in zip(rows, labels, strict=True)
        ],
        "has_signatures": found.signatures.exists(),
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "pipelines/modules.html", context)


@require_http_methods(["GET", "POST"])
def new_module(request: StudioRequest, project: str) -> HttpResponse:
    """Make a reusable step."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    start = found.signatures.filter(slug=request.GET.get("signature", "")).first()
    form = ModuleForm(request.POST or None, project=found, initial={"signature": start})
    return _page(request, found, form, None)


@require_http_methods(["GET", "POST"])
def module(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One module."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found = get_project(user=request.user, slug=project, role=role)
    row = services.get_module(project=found, slug=slug)
    form = ModuleForm(request.POST or None, instance=row, project=found)
    return _page(request, found, form, row)


@require_POST
def delete_module(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Take a module off the palette."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    row = services.get_module(project=found, slug=slug)
    services.delete_module(actor=request.user, module=row)
    messages.success(request, f"{row.name} is deleted. Pipelines keep the steps made of it.")
    return redirect("pipelines:modules", found.slug)


def _page(
    request: StudioRequest, project: Project, form: ModuleForm, row: Module | None
) -> HttpResponse:
    kind = request.POST.get("kind") or request.GET.get("kind") or (row.kind if row else "predict")
    params = _params_form(request, kind, row)
    if request.method == "POST" and form.is_valid() and params.is_valid():
        saved = _save(request, project, form, params, row)
        if saved is not None:
            messages.success(request, f"{saved.name} is saved. The palette of the canvas has it.")
            return redirect("pipelines:modules", project.slug)
    if row is not None:
        row.refresh_from_db()  # the form has written into it what may be invalid
    context = {
        "project": project,
        "module": row,
        "form": form,
        "params": params,
        "kind": kind,
        "has_signatures": project.signatures.exists(),
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }
    status = 422 if form.errors or params.errors else 200
    return render(request, "pipelines/module.html", context, status=status)


def _params_form(request: StudioRequest, kind: str, row: Module | None) -> ParamsForm:
    known = MODULES.get(kind, MODULES["predict"])
    initial = row.params if row and row.kind == kind else None
    return params_form(known.params)(request.POST or None, initial=initial)


def _save(
    request: StudioRequest,
    project: Project,
    form: ModuleForm,
    params: ParamsForm,
    row: Module | None,
) -> Module | None:
    values = {**form.cleaned_data, "params": params.params()}
    try:
        if row is None:
            return services.create_module(actor=request.user, project=project, **values)
        return services.update_module(actor=request.user, module=row, **values)
    except Invalid as error:
        form.add_error(None, str(error))
        return None
