"""The page on which a row from elsewhere is corrected and added to a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from studio.accounts.models import Project
from studio.datasets.editing import rows as editing
from studio.datasets.editing.offers import Offer, Repeated, add_offer, columns_for
from studio.datasets.editing.rows import Doubtful, Sheet
from studio.datasets.editing.views import shown, tell_undo
from studio.datasets.models import Dataset
from studio.datasets.services import get_dataset
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest


def offer_page(
    request: StudioRequest, project: Project, offer: Offer, *, back: str, title: str
) -> HttpResponse:
    """Show what is offered, and add it as it was corrected. `back` is where it comes from."""
    said: Mapping[str, str] = request.POST if request.method == "POST" else request.GET
    datasets = list(Dataset.objects.filter(project=project))
    slug = said.get("dataset", "")
    data = get_dataset(project=project, slug=slug) if slug else next(iter(datasets), None)
    problem, again, doubtful = "", False, False
    if request.method == "POST" and said.get("action") == "add":
        try:
            if data is None:
                raise Invalid("There is no dataset yet. Upload one first.")
            version = add_offer(
                actor=request.user,
                dataset=data,
                inputs=_read(said, "input", offer.inputs),
                outputs=_read(said, "output", {**offer.answered, **offer.outputs}),
                split=said.get("split", ""),
                message=offer.message,
                again=said.get("again") == "yes",
                sure=said.get("sure") == "yes",
            )
        except Repeated as error:
            problem, again = str(error), True
        except (Invalid, Conflict) as error:
            problem, doubtful = str(error), isinstance(error, Doubtful)
        else:
            tell_undo(request, data, f"The row is in “{data.name}” now.", version.number)
            return redirect(back)
    sheet = Sheet(data) if data else None
    names = [*offer.inputs, *offer.outputs]
    columns = columns_for(data, names) if data else {name: name for name in names}
    context = {
        "project": project,
        "title": title,
        "back": back,
        "datasets": datasets,
        "dataset": data,
        "splits": editing.splits_for(data) if data else [],
        "split": said.get("split", "train"),
        "inputs": [
            _field(sheet, said, "input", n, columns[n], v) for n, v in offer.inputs.items()
        ],
        "outputs": [
            {
                **_field(sheet, said, "output", name, columns[name], value),
                "answered": shown(offer.answered.get(name)),
            }
            for name, value in offer.outputs.items()
        ],
        "new_columns": [c for c in columns.values() if data and c not in data.columns],
        "problem": problem,
        "again": again or said.get("again") == "yes",
        "doubtful": doubtful,
    }
    return render(request, "datasets/add_offer.html", context, status=422 if problem else 200)


def _read(said: Mapping[str, str], role: str, offered: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: editing.read(
            said.get(f"{role}:{name}", ""), said.get(f"kind:{role}:{name}", ""), name=name
        )
        for name in offered
        if f"{role}:{name}" in said
    }


def _field(
    sheet: Sheet | None, said: Mapping[str, str], role: str, name: str, column: str, value: Any
) -> dict[str, Any]:
    written = editing.write(value)
    labels = sheet.labels(column) if sheet else ()
    text = said.get(f"{role}:{name}", written.text)
    choices = [("", "(empty)"), *((label, label) for label in labels)]
    if text and text not in labels:
        choices.append((text, f"{shown(text)} (no label)"))
    return {
        "name": name,
        "column": column,
        "text": text,
        "kind": said.get(f"kind:{role}:{name}", written.kind),
        "labels": choices if labels else [],
    }
