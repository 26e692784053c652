"""Pages of the project's metrics."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.param_forms import ParamsForm
from studio.accounts.services import get_project, may
from studio.engine.errors import EngineError
from studio.engine.metrics import METRICS
from studio.engine.sandbox.guide import MODULES
from studio.errors import Conflict, Invalid, NotFound
from studio.http import StudioRequest
from studio.metrics import services
from studio.metrics.forms import ChangeForm, JudgeForm, MetricForm, TryForm
from studio.metrics.models import Metric
from studio.metrics.parts import PartsForm, settings_form


@require_GET
def metrics(request: StudioRequest, project: str) -> HttpResponse:
    """Every metric of the project."""
    found = get_project(user=request.user, slug=project)
    context = {
        "project": found,
        "metrics": [(row, METRICS.get(row.kind)) for row in found.metrics.all()],
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "metrics/metrics.html", context)


@require_http_methods(["GET", "POST"])
def new_metric(request: StudioRequest, project: str) -> HttpResponse:
    """First the kind, then its parameters."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    kind = request.GET.get("kind", "")
    if kind not in METRICS:
        context = {"project": found, "kinds": METRICS.values()}
        return render(request, "metrics/choose_kind.html", context)
    form = MetricForm(
        request.POST or None, project=found, kind=kind, initial={"name": METRICS[kind].title}
    )
    params = settings_form(kind, request.POST or None, answer=_first_answer(found))
    if request.method == "POST" and _are_valid(form, params):
        try:
            metric = services.create_metric(
                actor=request.user,
                project=found,
                name=form.cleaned_data["name"],
                judge=form.cleaned_data.get("judge"),
                kind=kind,
                params=params.params(),
            )
        except Invalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{metric.name} is stored.")
            return redirect(metric)
    return _page(request, found, kind, form, params)


@require_http_methods(["GET", "POST"])
def metric(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One metric: its parameters, and what it says of rows."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found = get_project(user=request.user, slug=project, role=role)
    row = services.get_metric(project=found, slug=slug)
    if row.kind not in METRICS:
        raise NotFound(f"{row.name} is a “{row.kind}”, which this version does not know.")
    number = row.number
    form = ChangeForm(
        request.POST or None,
        project=found,
        kind=row.kind,
        instance=row,
        initial={"base": number},
    )
    params = settings_form(
        row.kind, request.POST or None, initial=row.params, answer=_first_answer(found)
    )
    if request.method == "POST" and _are_valid(form, params):
        try:
            saved = services.update_metric(
                actor=request.user,
                metric=row,
                name=form.cleaned_data["name"],
                judge=form.cleaned_data.get("judge"),
                params=params.params(),
                message=form.cleaned_data["message"],
                base=form.cleaned_data["base"],
            )
        except (Invalid, Conflict) as error:
            form.add_error(None, str(error))
        else:
            new = f" as version {saved.number}" if saved.number != number else ""
            messages.success(request, f"Saved{new}.")
            return redirect(row)
    row.refresh_from_db()  # the form has written into it what may be invalid
    return _page(request, found, row.kind, form, params, row)


@require_POST
def try_metric(request: StudioRequest, project: str, kind: str) -> HttpResponse:
    """The score of one answer, with the parameters as they stand in the form."""
    found = get_project(user=request.user, slug=project)
    if kind not in METRICS:
        raise NotFound(f"There is no kind of metric “{kind}”.")
    params = settings_form(kind, request.POST)
    box, judge = TryForm(request.POST), JudgeForm(request.POST, project=found, kind=kind)
    context: dict[str, Any] = {"project": found, "kind": METRICS[kind]}
    forms = (params, box, judge)
    valid = [form.is_valid() for form in forms]
    if not all(valid):
        context["error"] = " ".join(sentence for form in forms for sentence in sentences(form))
    else:
        try:
            context["score"] = services.try_metric(
                kind=kind,
                params=params.params(),
                judge=judge.cleaned_data.get("judge"),
                **box.cleaned_data,
            )
        except (Invalid, EngineError) as error:
            context["error"] = str(error)
    template = "metrics/try.html#result" if request.htmx else "metrics/try.html"
    return render(request, template, context, status=422 if "error" in context else 200)


@require_POST
def delete_metric(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Remove a metric that no run waits for."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    row = services.get_metric(project=found, slug=slug)
    try:
        services.delete_metric(actor=request.user, metric=row)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect(row)
    messages.success(request, f"{row.name} is deleted.")
    return redirect("metrics:metrics", found.slug)


def sentences(form: Form | PartsForm) -> list[str]:
    """What is wrong with a form, each with the name of its box."""
    if isinstance(form, PartsForm):
        return form.errors.get("parts", [])
    return [
        f"{form.fields[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]


def _are_valid(form: MetricForm, params: ParamsForm | PartsForm) -> bool:
    """Whether to store them: not when a button was pressed that only changes the form."""
    if isinstance(params, PartsForm) and params.is_step:
        return False
    return all([form.is_valid(), params.is_valid()])


def _first_answer(project: Project) -> str:
    """An output for examples to speak of."""
    return next(iter(services.field_names(project)), "")


def _page(
    request: StudioRequest,
    project: Project,
    kind: str,
    form: MetricForm,
    params: ParamsForm | PartsForm,
    metric: Metric | None = None,
) -> HttpResponse:
    is_step = isinstance(params, PartsForm) and params.is_step
    context = {
        "project": project,
        "metric": metric,
        "kind": METRICS[kind],
        "form": form,
        "params": params,
        "parts": params if isinstance(params, PartsForm) else None,
        "has_code": kind in ("python", "composite"),
        "asks_lm": bool(METRICS[kind].needs & {"lm"}),
        "modules": MODULES,
        "try_form": TryForm(),
        "field_names": services.field_names(project),
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }
    if is_step and request.htmx:
        return render(request, "metrics/_parts.html", context)
    status = 422 if (form.errors or params.errors) and not is_step else 200
    return render(request, "metrics/metric.html", context, status=status)
