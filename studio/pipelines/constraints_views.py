"""The page of all constraints: what must hold, what happens when it does not, and changing it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studio.accounts.models import Project, Role
from studio.accounts.param_forms import ParamsForm, params_form
from studio.accounts.services import get_project, may
from studio.engine.modules.constraint import ConstraintParams
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest
from studio.numerals import read_whole
from studio.pipelines.constraints import Place, bounds_for, find, places, set_bounds, set_check
from studio.pipelines.outline_tables import LIMITS

_MOST_REVISION = 2**31 - 1
_MOST_LENGTH = 10_000_000


class BoundsForm(forms.Form):
    """The bounds that say something of a field's type; empty: none."""

    def __init__(self, *args: Any, type_: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in bounds_for(type_):
            self.fields[name] = _field(name)

    def constraints(self) -> dict[str, Any]:
        """What is set."""
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in self.cleaned_data.items()
            if value not in (None, "")
        }


@require_http_methods(["GET", "POST"])
def constraints(request: StudioRequest, project: str) -> HttpResponse:
    """Every bound and check of the project's pipelines; POST changes one of them."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found = get_project(user=request.user, slug=project, role=role)
    key = request.GET.get("at", "") if request.method == "GET" else request.POST.get("at", "")
    opened = find(found, key) if key else None
    form = make_form(opened, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if opened is None or form is None:
            raise Invalid("Say which constraint is to be changed.")
        if form.is_valid():
            try:
                _save(request, opened, form)
            except (Invalid, Conflict) as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{opened.name} is changed in {opened.pipeline.name}.")
                return redirect("pipelines:constraints", found.slug)
    return _page(request, found, opened, form)


def _save(request: StudioRequest, place: Place, form: BoundsForm | ParamsForm) -> None:
    revision = read_whole(request.POST.get("base_revision"), _MOST_REVISION)
    if revision is None:
        raise Invalid("The page is too old: reload it.")
    if isinstance(form, BoundsForm):
        set_bounds(
            actor=request.user,
            place=place,
            base_revision=revision,
            constraints=form.constraints(),
        )
    else:
        set_check(actor=request.user, place=place, base_revision=revision, params=form.params())


def _page(
    request: StudioRequest,
    project: Project,
    opened: Place | None,
    form: BoundsForm | ParamsForm | None,
) -> HttpResponse:
    every = places(project)
    context = {
        "project": project,
        "set": [place for place in every if place.is_set],
        "free": [place for place in every if not place.is_set and bounds_for(place.type)],
        "opened": opened,
        "form": form,
        "pipelines": project.pipelines.exists(),
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "pipelines/constraints.html", context, status=status)


def make_form(place: Place | None, data: Any) -> BoundsForm | ParamsForm | None:
    """The form of a bound or of a check."""
    if place is None:
        return None
    if place.field is not None:
        return BoundsForm(data, type_=place.type, initial=place.constraints)
    form = params_form(ConstraintParams)(data, initial=place.constraints)
    form.fields.pop("step", None)
    return form


def _field(name: str) -> forms.Field:
    common: dict[str, Any] = {"label": LIMITS[name], "required": False}
    if name == "pattern":
        return forms.CharField(
            max_length=1_000,
            strip=False,
            help_text="A regular expression that is found in the text.",
            widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}),
            **common,
        )
    if name.endswith("_length"):
        return forms.IntegerField(
            min_value=0,
            max_value=_MOST_LENGTH,
            help_text="Of a text in characters, of a list in items.",
            **common,
        )
    return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **common)
