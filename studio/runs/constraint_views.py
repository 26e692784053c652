"""Trying a constraint on rows, beside the form in which it is changed."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from studio.accounts.services import get_project
from studio.engine.errors import EngineError
from studio.errors import Invalid
from studio.http import StudioRequest
from studio.pipelines.constraints import find
from studio.pipelines.constraints_views import BoundsForm, make_form
from studio.runs.constraint_tries import try_bounds, try_check
from studio.runs.metric_rows import choose, read_rows


@require_POST
def try_constraint(request: StudioRequest, project: str) -> HttpResponse:
    """What the constraint, as it stands in the form, says of twenty rows of train and dev."""
    found = get_project(user=request.user, slug=project)
    place = find(found, request.POST.get("at", ""))
    form = make_form(place, request.POST)
    assert form is not None
    chosen = choose(found, dataset=request.POST.get("rows_dataset", ""))
    context: dict[str, Any] = {"project": found, "place": place, "chosen": chosen}
    if not form.is_valid():
        context["error"] = " ".join(
            f"{form.fields[name].label}: {error}"
            for name, errors in form.errors.items()
            for error in errors
        )
    elif chosen is None:
        context["error"] = "There is no dataset yet: upload one to try this on its rows."
    else:
        try:
            rows = read_rows(chosen, limit=20)
            if isinstance(form, BoundsForm):
                context["held"] = try_bounds(place, form.constraints(), rows)
            else:
                context["held"] = try_check(place, form.params(), rows)
        except (EngineError, Invalid) as error:
            context["error"] = str(error)
    held = context.get("held", [])
    context["broken"] = sum(bool(one.wrong) for one in held)
    context["unsaid"] = sum(bool(one.problem) for one in held)
    template = "pipelines/constraint_tried.html" + ("#tried" if request.htmx else "")
    return render(request, template, context, status=422 if "error" in context else 200)
