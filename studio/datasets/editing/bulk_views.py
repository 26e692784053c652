"""The page of bulk edits: choose what is done, look at what it does, do it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets import services
from studio.datasets.browsing.filtering import Query
from studio.datasets.browsing.searching import open_splits
from studio.datasets.browsing.wishes import Address, read_address
from studio.datasets.editing import rows as editing
from studio.datasets.editing.bulk import Preview, Selection, apply, preview
from studio.datasets.editing.operations import CASES, OPERATIONS, Operation
from studio.datasets.editing.views import number_of, shown, tell_undo
from studio.datasets.models import Dataset
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest

MOST_TICKED = 500


@require_http_methods(["GET", "POST"])
def bulk(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Ticked rows, or all that the search in the address finds, are changed in one way."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    data = services.get_dataset(project=found, slug=slug)
    said: QueryDict = request.POST if request.method == "POST" else request.GET
    kind = said.get("kind", "")
    address, problem, seen = Address(), "", None
    try:
        address = read_address(said, data.columns)
        numbers = _ticked(said)
        selection = Selection(numbers=numbers or None, query=_query(data, address))
        if request.method == "POST" and said.get("action") != "choose":
            operation = _operation(said)
            if said.get("action") == "apply":
                return _apply(request, data, operation, selection)
            seen = preview(data, operation, selection)
    except (Invalid, Conflict) as error:
        problem, numbers = str(error), _few(said)
    context = {
        "project": found,
        "dataset": data,
        "said": said,
        "address": address,
        "pairs": [pair for pair in address.pairs() if pair[0] not in _NOT_SEARCHED],
        "numbers": numbers,
        "kinds": OPERATIONS.items(),
        "kind": kind if kind in OPERATIONS else "",
        "operation": OPERATIONS.get(kind),
        "cases": [(name, title) for name, (title, _turn) in CASES.items()],
        "splits": editing.splits_for(data),
        "problem": problem,
        "seen": seen,
        "changes": _shown(seen),
        "base": data.number,
    }
    return render(request, "datasets/bulk.html", context, status=422 if problem else 200)


_NOT_SEARCHED = frozenset({"sort", "show", "page", "after", "before", "version"})

_SENT_AS = {"split": "to"}
"""`split` is what is searched for."""


def _query(data: Dataset, address: Address) -> Query:
    return Query(
        text=address.text,
        splits=open_splits(data, address.split),
        conditions=address.conditions,
    )


def _ticked(said: QueryDict) -> list[int]:
    if len(said.getlist("row")) > MOST_TICKED:
        raise Invalid(f"{MOST_TICKED:,} rows can be ticked at once; search for more instead.")
    return _few(said)


def _few(said: QueryDict) -> list[int]:
    numbers = {number_of(one) for one in said.getlist("row")[:MOST_TICKED]}
    return sorted(numbers - {0})


def _operation(said: QueryDict) -> Operation:
    kind = OPERATIONS.get(said.get("kind", ""))
    if kind is None:
        raise Invalid("Choose what is to be done first.")
    values: dict[str, Any] = {}
    for name in kind.needs:
        if name in ("is_regex", "any_case"):
            values[name] = said.get(name) == "yes"
        elif name == "value":
            values[name] = editing.read(said.get("value", ""), said.get("as", editing.TEXT))
        else:
            values[name] = str(said.get(_SENT_AS.get(name, name), "")).replace("\0", "")
    return Operation(kind=str(said["kind"]), **values)


def _apply(
    request: StudioRequest, data: Dataset, operation: Operation, selection: Selection
) -> HttpResponse:
    before = data.number
    version = apply(
        actor=request.user,
        dataset=data,
        operation=operation,
        selection=selection,
        base=number_of(request.POST.get("base")) or None,
        message=" ".join(request.POST.get("message", "").replace("\0", "").split())[:200],
    )
    if version.number == before:
        messages.info(request, "Nothing was different, so nothing was changed.")
    else:
        count = sum(version.changes.values())
        text = f"{version.message}: {count:,} {'row' if count == 1 else 'rows'}."
        tell_undo(request, data, text, version.number)
    return redirect(data)


def _shown(seen: Preview | None) -> list[tuple[int, str, str, str]]:
    """Row, column, text before and after."""
    changes = seen.changes if seen else []
    return [(one.number, one.column, shown(one.was), shown(one.now)) for one in changes]
