"""Pages of signatures."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.engine.errors import SignatureError
from studio.engine.signature import Signature as EngineSignature
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest
from studio.pipelines import signature_services as services
from studio.pipelines.models import Signature
from studio.pipelines.signature_draft import START, Draft, field_labels, previews
from studio.pipelines.signature_forms import SignatureForm

EDITS = ("text", "table", "add-input", "add-output", "remove", "up", "down")
"""What a button or a keystroke may ask for, beside saving."""


@require_GET
def signatures(request: StudioRequest, project: str) -> HttpResponse:
    """Every signature of the project."""
    found = get_project(user=request.user, slug=project)
    rows = list(found.signatures.prefetch_related("modules"))
    context = {
        "project": found,
        "rows": list(zip(rows, field_labels(row.spec for row in rows), strict=True)),
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "pipelines/signatures.html", context)


@require_http_methods(["GET", "POST"])
def new_signature(request: StudioRequest, project: str) -> HttpResponse:
    """Write a signature."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    if request.method == "GET":
        return _page(request, found, SignatureForm(), START)
    return _edit(request, found, None)


@require_http_methods(["GET", "POST"])
def signature(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One signature: its line, its table, and the prompts that it makes."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found = get_project(user=request.user, slug=project, role=role)
    row = services.get_signature(project=found, slug=slug)
    if request.method == "GET":
        return _page(request, found, SignatureForm(instance=row), _stored(row), row)
    return _edit(request, found, row)


@require_POST
def delete_signature(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Remove a signature that no module uses."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    row = services.get_signature(project=found, slug=slug)
    try:
        services.delete_signature(actor=request.user, row=row)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect(row)
    messages.success(request, f"{row.name} is deleted.")
    return redirect("pipelines:signatures", found.slug)


def _edit(request: StudioRequest, project: Project, row: Signature | None) -> HttpResponse:
    """One change of the draft, or saving it."""
    draft, form = Draft.read(request.POST), SignatureForm(request.POST, instance=row)
    action = request.POST.get("action", "")
    if action.partition(":")[0] in EDITS:
        return _changed(request, project, row, draft.act(action), action)
    valid = form.is_valid()
    if draft.signature is None or not valid:
        return _page(request, project, form, draft, row, status=422)
    name = form.cleaned_data["name"]
    try:
        if row is None:
            saved = services.create_signature(
                actor=request.user, project=project, name=name, signature=draft.signature
            )
        else:
            saved = services.update_signature(
                actor=request.user, row=row, name=name, signature=draft.signature
            )
    except Invalid as error:
        form.add_error("name", str(error))
        return _page(request, project, form, draft, row, status=422)
    messages.success(request, f"{saved.name} is saved.")
    return redirect(saved)


def _changed(
    request: StudioRequest, project: Project, row: Signature | None, draft: Draft, action: str
) -> HttpResponse:
    """The parts of the page that follow a change; the part that is typed in is left alone."""
    if not request.htmx:
        form = SignatureForm(initial={"name": request.POST.get("name", "")}, instance=row)
        return _page(request, project, form, draft, row)
    template = "table_follows" if action == "text" else "text_follows"
    if action not in ("text", "table"):
        template = "both_follow"
    context = _context(request, project, draft, row)
    response = render(request, f"pipelines/signature.html#{template}", context)
    if draft.signature is None and action != "text":
        # The last good preview stays while somebody is in the middle of a word.
        response.headers["HX-Reswap"] = "none"
    return response


def _page(
    request: StudioRequest,
    project: Project,
    form: SignatureForm,
    draft: Draft,
    row: Signature | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    if row is not None:
        row.refresh_from_db()  # the form has written into it what may be invalid
    context = {**_context(request, project, draft, row), "form": form}
    return render(request, "pipelines/signature.html", context, status=status)


def _context(
    request: StudioRequest, project: Project, draft: Draft, row: Signature | None
) -> dict[str, Any]:
    return {
        "project": project,
        "row": row,
        "draft": draft,
        "previews": previews(draft.signature) if draft.signature else [],
        "modules": row.modules.all() if row else [],
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }


def _stored(row: Signature) -> Draft:
    try:
        return Draft.of(EngineSignature.from_dict(row.spec))
    except SignatureError as error:
        return Draft(text="", rows=(), was="", problem=str(error))
