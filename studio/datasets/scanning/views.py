"""The page of findings: what the scan found, kind by kind, and doing something about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets.browsing.wishes import LARGEST
from studio.datasets.editing.rows import Sheet
from studio.datasets.models import Dataset
from studio.datasets.scanning import encoding, findings, personal, waiving
from studio.datasets.scanning.actions import ACTIONS, Action
from studio.datasets.scanning.collecting import LISTED, LISTED_ROWS
from studio.datasets.scanning.findings import Finding, Report
from studio.datasets.scanning.kinds import KINDS, SEVERITIES, Kind
from studio.datasets.services import get_dataset
from studio.datasets.splits.sealing import HIDDEN, Hidden
from studio.datasets.table import Row
from studio.datasets.uploading.judging import shorten, text_of
from studio.errors import Invalid, StudioError
from studio.http import StudioRequest
from studio.numerals import read_whole
from studio.wording import Piece, word_diff

PAGE = 20
SHOWN_ROWS = 6
SHOWN_CELL = 600
SHOWN_LABELS = 12
DO = "do"
"""The name of the buttons; their values say `action`, and `key` and `row` of one finding."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a row as it is shown."""

    column: str
    pieces: Sequence[Piece]
    masked: str = ""
    """What is shown at first in its place."""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a finding as it is shown."""

    number: int
    split: str
    url: str
    cells: Sequence[Cell] = ()
    hidden: str = ""
    label: str = ""
    differs: bool = False
    """Its words are marked where they differ from those of the row beside it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A finding as it is shown."""

    finding: Finding
    lines: Sequence[Line]
    more: int
    labels: Sequence[str]
    actions: Sequence[Action]

    @property
    def key(self) -> str:
        """Names the finding."""
        return self.finding.key


@require_http_methods(["GET", "POST"])
def page(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The findings of the newest version, those of one kind in full; POST resolves or waives."""
    found = get_project(user=request.user, slug=project)
    dataset = get_dataset(project=found, slug=slug)
    about = _about(request, dataset)
    status = 200
    if request.method == "POST":
        try:
            _do(request, dataset, about)
        except StudioError as error:
            messages.error(request, str(error))
            status = error.status
        else:
            return redirect(f"{request.path}?{_query(request, about)}")
    report = findings.ask_scan(dataset, about)
    kind, summary = _kind(request, report), None
    context: dict[str, Any] = {
        "project": found,
        "dataset": dataset,
        "report": report,
        "severities": SEVERITIES,
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
        "about": about,
        "about_query": urlencode({"inputs": about.split("\n")}, doseq=True) if about else "",
        "clean": [one for one in KINDS.values() if report.summary(one).open == 0],
    }
    if kind is not None:
        waived = request.GET.get("shown") == "waived"
        summary = report.summary(kind)
        listed = report.findings(kind, waived=waived)
        cut = Paginator(listed, PAGE).get_page(request.GET.get("page"))
        context |= {
            "kind": kind,
            "summary": summary,
            "waived": waived,
            "page": cut,
            "listed": len(listed),
            "most": LISTED,
            "most_rows": LISTED_ROWS,
            "cards": _cards(report, list(cut)),
            "actions": _usable(dataset, [ACTIONS[name] for name in kind.actions]),
            "labels": Sheet(dataset).labels(report.label),
            "query": f"{_query(request, about)}&",
        }
    part = "#scan" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"datasets/findings.html{part}", context, status=status)


def _kind(request: HttpRequest, report: Report) -> Kind | None:
    """The one that is asked for, or the worst of those that are open."""
    if name := request.GET.get("kind"):
        return findings.get_kind(name)
    return next((one.kind for one in report.summaries if one.open), None)


def _about(request: HttpRequest, dataset: Dataset) -> str:
    """The columns to compare by, when the address names some; see `scan.make_scan`."""
    named = request.GET.getlist("inputs")
    if unknown := [name for name in named if name not in dataset.columns]:
        raise Invalid(f"There is no column “{unknown[0][:60]}” to compare rows by.")
    about = "\n".join(sorted(set(named)))  # one scan for them, however they are told
    if len(about) > 200:
        raise Invalid("These are too many columns to compare rows by.")
    return about


def _query(request: HttpRequest, about: str) -> str:
    kept = {name: request.GET[name] for name in ("kind", "shown") if request.GET.get(name)}
    return urlencode({**kept, **({"inputs": about.split("\n")} if about else {})}, doseq=True)


def _do(request: StudioRequest, dataset: Dataset, about: str) -> None:
    said = request.POST
    action, _, rest = said.get(DO, "").partition("|")
    key, _, row = rest.partition("|")
    if action == "scan":
        findings.scan_again(actor=request.user, dataset=dataset, about=about)
        messages.success(request, "The dataset is scanned anew.")
        return
    kind = findings.get_kind(said.get("kind", ""))
    keys = None if key == "*" else [key] if key else said.getlist("key")
    if action == "unwaive":
        count = waiving.take_back(
            actor=request.user, dataset=dataset, kind=kind.name, keys=keys or ()
        )
        messages.success(request, f"{_findings(count)} open again.")
        return
    own = f"-{key}" if key and key != "*" else ""
    if action == "waive":
        count = waiving.waive(
            actor=request.user,
            dataset=dataset,
            kind=kind.name,
            keys=keys,
            reason=said.get(f"reason{own}", ""),
            about=about,
        )
        messages.success(request, f"{_findings(count)} waived.")
        return
    before = dataset.number
    version = findings.resolve(
        actor=request.user,
        dataset=dataset,
        kind=kind.name,
        action=action,
        keys=keys,
        label=said.get(f"label{own}") or None,
        row=read_whole(row, LARGEST),
        base=_base(said, before),
        about=about,
    )
    counts = ((name, version.changes.get(name)) for name in ("removed", "changed", "moved"))
    told = [f"{count:,} {name}" for name, count in counts if count]
    messages.success(
        request, f"Saved as version {version.number}: rows {', '.join(told)}. Scanned anew."
    )


def _findings(count: int) -> str:
    return "One finding is" if count == 1 else f"{count:,} findings are"


def _base(said: QueryDict, newest: int) -> int:
    base = read_whole(said.get("base"))
    return newest if base is None else base


def _usable(dataset: Dataset, actions: Sequence[Action]) -> list[Action]:
    """Those that a sealed test split does not forbid."""
    if not dataset.sealed:
        return list(actions)
    return [one for one in actions if one.name not in ("delete-test", "move-test")]


def _cards(report: Report, some: Sequence[Finding]) -> list[Card]:
    dataset = report.dataset
    rows = findings.rows_of(dataset, some, SHOWN_ROWS)
    hidden, sheet = Hidden(dataset), Sheet(dataset)
    cards = []
    for finding in some:
        own = [rows[number] for number in finding.numbers[:SHOWN_ROWS] if number in rows]
        # Each row beside the first one, and that one beside the second.
        beside = [*own[1:2], *own[:1] * len(own)]
        lines = [
            _line(report, finding, row, other, hidden, sheet)
            for row, other in zip(own, beside or own, strict=False)
        ]
        seen = dict.fromkeys(line.label for line in lines if line.label)
        labels = list(dict.fromkeys([*seen, *sheet.labels(report.label)]))
        is_closed = bool(dataset.sealed and any(row in hidden for row in own))
        actions = [
            one
            for one in _usable(dataset, finding.actions)
            if not is_closed or one.name in ("delete-learned", "delete-train", "delete-dev")
        ]
        cards.append(
            Card(finding, lines, finding.total - len(own), labels[:SHOWN_LABELS], actions)
        )
    return cards


def _line(
    report: Report, finding: Finding, row: Row, other: Row, hidden: Hidden, sheet: Sheet
) -> Line:
    dataset = report.dataset
    url = reverse("datasets:row", args=[dataset.project.slug, dataset.slug, row.number])
    if row in hidden:
        return Line(row.number, row.split, url, hidden=HIDDEN)
    column = str(finding.data.get("column", ""))
    names = [column] if column else report.inputs
    differs = not column and row is not other and other not in hidden
    cells = []
    for name in names[:SHOWN_ROWS]:
        text = shorten(text_of(row.values.get(name)), SHOWN_CELL)
        pieces: Sequence[Piece] = (Piece("same", text),)
        masked = wrong = ""
        if differs:
            before = shorten(text_of(other.values.get(name)), SHOWN_CELL)
            pieces = [one for one in word_diff(before, text) if one.kind != "removed"]
        match finding.kind.name:
            case "personal":
                masked, pieces = _masked(row.values.get(name))
            case "encoding":
                pieces = word_diff(text, encoding.repair(text))
            case "type":
                doubts = sheet.doubts({name: row.values.get(name)})
                wrong = doubts[0]["message"] if doubts else ""
        cells.append(Cell(name, pieces, masked, wrong))
    label = text_of(row.values.get(report.label)) if report.label else ""
    return Line(row.number, row.split, url, cells, label=label, differs=differs)


def _masked(value: Any) -> tuple[str, Sequence[Piece]]:
    """A text around its first hint, covered and as it is."""
    text = text_of(value)
    found = personal.find(text)
    start = max(0, found[0].start - 100) if found else 0
    end = start + SHOWN_CELL
    # What is cut off in the middle of a hint would not be covered any more.
    end = max([end, *(one.end for one in found if one.start < end)])
    part = text[start:end]
    covered, at = [], start
    for hint in found:
        if hint.end <= end:
            covered += [text[at : hint.start], f"[{personal.PATTERNS[hint.kind].title}]"]
            at = hint.end
    covered.append(text[at:end])
    return "".join(covered), (Piece("same", part),)
