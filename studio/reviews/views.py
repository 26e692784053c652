"""Pages of reviews: the inbox, one review with its decisions, the votes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.datasets.models import Split
from studio.datasets.splits.sealing import may_see
from studio.engine.formats import FORMATS
from studio.engine.nearest_demos import shown_state
from studio.engine.signature import Signature
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest
from studio.pipelines.wording import word_diff
from studio.reviews import services
from studio.reviews.exports import EXPORTS, export_artifact
from studio.reviews.items import PredictorItem, candidate_of, read_items
from studio.reviews.models import Decision, Release, Review
from studio.reviews.states import State
from studio.reviews.wording import shifts
from studio.runs.artifacts import author_of
from studio.runs.models import Artifact, ScoreRow
from studio.runs.staleness import read_staleness
from studio.runs.states import State as RunState
from studio.runs.views import rows_context

_DONE = 30
DEMOS_SHOWN = 24
"""Demos of one predictor on the page before somebody asks for more."""
DEMOS_MORE = 48


@require_GET
def reviews(request: StudioRequest, project: str) -> HttpResponse:
    """What waits for a person, and what was decided."""
    found = get_project(user=request.user, slug=project)
    rows = found.reviews.select_related(
        "artifact__version__pipeline", "artifact__run", "decided_by", "project"
    )
    context = {
        "project": found,
        "open": [(review, read_items(review)) for review in rows.filter(state=State.OPEN)[:_DONE]],
        "new": unreviewed(found)[:_DONE],
        "done": rows.exclude(state=State.OPEN).order_by("-decided_at")[:_DONE],
        "may_open": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "reviews/list.html", context)


@require_POST
def open_review(request: StudioRequest, project: str) -> HttpResponse:
    """Open the review of an artifact."""
    found = get_project(user=request.user, slug=project)
    artifact = found.artifacts.filter(hash=request.POST.get("artifact", "")).first()
    if artifact is None:
        raise NotFound(f"There is no such artifact in {found.name}.")
    return redirect(services.open_review(actor=request.user, artifact=artifact))


@require_GET
def review(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """One artifact: what to decide, what it shows, what speaks for and against it."""
    found = get_review(request, project, pk)
    context = review_context(request, found)
    if request.htmx and "evidence" in request.GET:
        return render(request, "reviews/review.html#evidence", {**context, "polled": True})
    return render(request, "reviews/review.html", context)


@require_POST
def decide(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Accept or reject one demo."""
    found = get_review(request, project, pk)
    path, key = request.POST.get("path", ""), request.POST.get("demo", "")
    services.decide(
        actor=request.user,
        review=found,
        path=path,
        demo=key,
        verdict=request.POST.get("verdict", ""),
        reason=request.POST.get("reason", ""),
    )
    if not request.htmx:
        return redirect(found)
    context = review_context(request, found, evidence=False)
    context["item"] = context["items"].find(path, key)
    return render(request, "reviews/_decided.html", context)


@require_GET
def demos(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """More demos of a predictor that has many; a fragment."""
    found = get_review(request, project, pk)
    items = read_items(found)
    item = items.predictor(request.GET.get("path", ""))
    if item is None:
        raise NotFound("This predictor is not part of the artifact any more. Reload the page.")
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 7 else 0
    context = {
        "project": found.project,
        "review": found,
        "is_open": found.state == State.OPEN,
        "may_review": may(user=request.user, project=found.project, role=Role.REVIEWER),
        **_page_of_demos(item, start, DEMOS_MORE),
    }
    return render(request, "reviews/_demos.html", context)


@require_POST
def accept_rest(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Accept every demo that is undecided."""
    found = get_review(request, project, pk)
    count = services.accept_rest(actor=request.user, review=found)
    messages.success(request, f"{count} demo{'s' if count != 1 else ''} accepted.")
    return redirect(found)


@require_POST
def rescore(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Score the program again without the rejected demos."""
    found = get_review(request, project, pk)
    try:
        max_calls = int(request.POST.get("max_calls", ""))
    except ValueError:
        raise Invalid("The cap on calls has to be a whole number.") from None
    return redirect(services.rescore(actor=request.user, review=found, max_calls=max_calls))


@require_POST
def vote(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Approve or reject the artifact whose hash the form names."""
    found = get_review(request, project, pk)
    use = services.approve if request.POST.get("vote") == "approve" else services.reject
    use(
        actor=request.user,
        review=found,
        hash=request.POST.get("hash", ""),
        note=request.POST.get("note", ""),
    )
    return redirect(found)


@require_GET
def download(request: StudioRequest, project: str, hash: str, kind: str) -> HttpResponse:
    """The artifact as a file; where it cannot be one, back to the page with the reason."""
    found = get_project(user=request.user, slug=project)
    rows = found.artifacts.select_related("version__pipeline", "project")
    artifact = rows.filter(hash=hash).first()
    if artifact is None:
        raise NotFound(f"There is no such artifact in {found.name}.")
    try:
        file = export_artifact(actor=request.user, artifact=artifact, kind=kind)
    except Invalid as error:
        messages.error(request, str(error))
        judged = Review.objects.filter(artifact=artifact).select_related("project").first()
        return redirect(judged) if judged else redirect("reviews:reviews", project)
    return HttpResponse(
        file.content,
        content_type=file.media_type,
        headers={"Content-Disposition": str(content_disposition_header(True, file.name))},
    )


def get_review(request: StudioRequest, project: str, pk: int) -> Review:
    """The review, if the user is a member of its project; raises `NotFound`."""
    found = get_project(user=request.user, slug=project)
    review = (
        found.reviews.select_related(
            "artifact__version__pipeline",
            "artifact__run__version__pipeline",
            "artifact__run__project",
            "artifact__connection",
            "artifact__parent",
            "rescore",
            "project",
            "decided_by",
        )
        .filter(pk=pk)
        .first()
    )
    if review is None:
        raise NotFound(f"There is no such review in {found.name}.")
    return review


def unreviewed(project: Project) -> QuerySet[Artifact]:
    """Artifacts that nobody has opened for review."""
    return project.artifacts.filter(review=None).select_related(
        "version__pipeline", "run", "created_by", "project"
    )


def review_context(
    request: StudioRequest, review: Review, *, evidence: bool = True
) -> dict[str, Any]:
    """Everything that the page of a review shows."""
    artifact = review.artifact
    items = read_items(review)
    run = review.rescore
    scoring = run is not None and not RunState(run.state).is_final
    context: dict[str, Any] = {
        "project": review.project,
        "review": review,
        "artifact": artifact,
        "author": author_of(artifact),
        "items": items,
        "is_open": review.state == State.OPEN,
        "may_review": may(user=request.user, project=review.project, role=Role.REVIEWER),
        "missing": services.what_is_missing(review, items),
        "needs_scores": services.needs_scores(review),
        "own_work": services.own_work(request.user, artifact),
        "alone": _alone(request, review),
        "scoring": scoring,
        "calls_needed": calls_needed(artifact),
        "exports": EXPORTS,
        "released": list(Release.objects.filter(artifact=artifact).select_related("pipeline")[:5]),
        "Verdict": Decision.Verdict,
    }
    if evidence:
        context |= {
            "members": [
                (member, [_shown(artifact, one, request.GET.get("all", "")) for one in predictors])
                for member, predictors in items.members
            ],
            "changes": read_staleness(artifact),
            "may_compile": may(user=request.user, project=review.project, role=Role.AUTHOR),
            "successor": Review.objects.filter(artifact__parent=artifact).first(),
        }
        if artifact.run is not None and artifact.run.report.get("difference"):
            context["rows"] = rows_context(request, artifact.run)
    return context


def calls_needed(artifact: Artifact) -> int:
    """A cap that scoring on the held-out part stays below: a call and a second try a step."""
    steps = len(artifact.content.get("candidate", {})) or 1
    root = artifact
    while root.parent is not None:
        root = root.parent
    held_out = root.report.get("confirmed_on") or 100
    return max(20, 2 * steps * (held_out + 5))


def _alone(request: StudioRequest, review: Review) -> bool:
    """Whether the user may approve own work only because nobody else could."""
    author = author_of(review.artifact)
    return (
        author is not None
        and author.pk == request.user.pk
        and not services.other_reviewers(review.project, author)
    )


def _shown(artifact: Artifact, item: PredictorItem, whole: str) -> dict[str, Any]:
    most = len(item.demos) if whole == item.path else DEMOS_SHOWN
    return {
        "item": item,
        **_page_of_demos(item, 0, most),
        "diff": word_diff(item.written.instruction, item.state.instruction)
        if item.instruction_changed
        else (),
        "calibration": [(name, shifts(biases)) for name, biases in item.state.calibration.items()],
        "prompt": exact_prompt(artifact, item),
    }


def _page_of_demos(item: PredictorItem, start: int, most: int) -> dict[str, Any]:
    """Some of its demos, and how many follow."""
    shown = item.demos[start : start + most]
    return {
        "predictor": item,
        "demos": shown,
        "next": start + len(shown),
        "left": len(item.demos) - start - len(shown),
    }


def exact_prompt(artifact: Artifact, item: PredictorItem) -> str:
    """The prompt as the LM read it on the first held-out row, unless test is sealed.

    Else with places for the inputs.
    """
    if artifact.run is not None and may_see(artifact.run.dataset, Split.TEST):
        row = (
            ScoreRow.objects.filter(
                run=artifact.run, candidate=candidate_of(artifact).hash, split="test"
            )
            .order_by("number")
            .first()
        )
        for step in row.prediction.get("steps", ()) if row else ():
            if step.get("path") == item.path:
                return str(step["prompt"])
    signature: Signature = item.signature
    places = {field.name: f"{{{field.name}}}" for field in signature.inputs}
    format_ = FORMATS[artifact.content.get("format") or "chat"]
    state = shown_state(signature, item.state, places, item.pinned)
    return format_.preview(signature, state, places)
