"""Judging artifacts: open a review, decide on demos, score again, approve or reject."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from studio.accounts.models import Membership, Project, Role, User
from studio.accounts.services import record, require
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.reviews.items import Items, candidate_of, read_items, without
from studio.reviews.models import Decision, Review
from studio.reviews.states import MOVES, State
from studio.runs.artifacts import author_of, edit_artifact, root_of
from studio.runs.models import Artifact
from studio.runs.services import start_evaluate
from studio.runs.states import State as RunState


@transaction.atomic
def open_review(*, actor: User, artifact: Artifact) -> Review:
    """The review of an artifact, opened if there is none yet."""
    require(user=actor, project=artifact.project, role=Role.AUTHOR)
    review, made = Review.objects.get_or_create(
        artifact=artifact, defaults={"project": artifact.project}
    )
    if made:
        _record(review, actor, "open")
    return review


@transaction.atomic
def decide(
    *, actor: User, review: Review, path: str, demo: str, verdict: str, reason: str = ""
) -> Review:
    """Accept or reject one demo; an empty verdict takes the decision back.

    Raises `Conflict` when the review is over, and `NotFound` when it has no such demo.
    """
    require(user=actor, project=review.project, role=Role.REVIEWER)
    review = _open(review)
    if verdict not in ("", *Decision.Verdict):
        raise Invalid(f"A demo is accepted or rejected, not “{verdict}”.")
    if read_items(review).find(path, demo) is None:
        raise NotFound("This demo is not part of the artifact any more. Reload the page.")
    if verdict:
        Decision.objects.update_or_create(
            review=review,
            path=path,
            demo=demo,
            defaults={"verdict": verdict, "reason": reason.strip()[:2000], "by": actor},
        )
    else:
        review.decisions.filter(path=path, demo=demo).delete()
    _record(review, actor, "decide", path=path, demo=demo, verdict=verdict, reason=reason[:2000])
    return review


@transaction.atomic
def accept_rest(*, actor: User, review: Review) -> int:
    """Accept every demo that is undecided; says how many those were."""
    require(user=actor, project=review.project, role=Role.REVIEWER)
    review = _open(review)
    waiting = read_items(review).having("")
    Decision.objects.bulk_create(
        Decision(
            review=review,
            path=item.path,
            demo=item.key,
            verdict=Decision.Verdict.ACCEPT,
            by=actor,
        )
        for item in waiting
    )
    if waiting:
        _record(review, actor, "accept-rest", demos=[item.key for item in waiting])
    return len(waiting)


@transaction.atomic
def rescore(*, actor: User, review: Review, max_calls: int) -> Review:
    """Make the artifact without the rejected demos and queue scoring it on the held-out part.

    Nothing else changes and nothing is fitted anew. The review moves on to the new artifact: this
    one is superseded, and what was decided about demos that stay is carried over. Also queues the
    scoring once more when it has failed for an artifact that was made in this way.
    """
    require(user=actor, project=review.project, role=Role.REVIEWER)
    review = _open(review)
    rejected = read_items(review).having(Decision.Verdict.REJECT)
    if not rejected:
        if not needs_scores(review):
            raise Invalid("No demo is rejected, so there is nothing to score again.")
        _score(actor, review, max_calls)
        return review
    parent = review.artifact
    candidate = without(candidate_of(parent), rejected)
    artifact, made = edit_artifact(actor=actor, parent=parent, candidate=candidate)
    if not made and Review.objects.filter(artifact=artifact).exclude(state=State.OPEN).exists():
        raise Conflict(
            f"The artifact without these demos ({artifact}) was judged before: look at its review."
        )
    child, _ = Review.objects.get_or_create(
        artifact=artifact, defaults={"project": review.project}
    )
    for kept in review.decisions.filter(verdict=Decision.Verdict.ACCEPT):
        Decision.objects.get_or_create(
            review=child,
            path=kept.path,
            demo=kept.demo,
            defaults={"verdict": kept.verdict, "reason": kept.reason, "by": kept.by},
        )
    if needs_scores(child):
        _score(actor, child, max_calls)
    _move(review, State.SUPERSEDED, actor, f"Went on as {artifact} without rejected demos.")
    _record(
        child,
        actor,
        "rescore",
        instead_of=parent.hash,
        rejected=[[item.path, item.key] for item in rejected],
    )
    return child


@transaction.atomic
def approve(*, actor: User, review: Review, hash: str, note: str = "") -> Review:
    """Approve exactly the artifact with this hash.

    Raises `NotAllowed` for one's own work (unless nobody else could review it) and `Conflict` when
    the hash is not the review's, demos are undecided, or scores are missing.
    """
    require(user=actor, project=review.project, role=Role.REVIEWER)
    review = _open(review)
    _same_hash(review, hash)
    refusal = own_work(actor, review.artifact)
    if refusal:
        raise NotAllowed(refusal)
    missing = what_is_missing(review, read_items(review))
    if missing:
        raise Conflict(missing)
    return _move(review, State.APPROVED, actor, note)


@transaction.atomic
def reject(*, actor: User, review: Review, hash: str, note: str) -> Review:
    """Reject exactly the artifact with this hash, saying why."""
    require(user=actor, project=review.project, role=Role.REVIEWER)
    review = _open(review)
    _same_hash(review, hash)
    if not note.strip():
        raise Invalid(
            "Say why it is rejected: the author has to know what to change.",
            problems=[{"field": "note", "message": "Say why."}],
        )
    return _move(review, State.REJECTED, actor, note)


def own_work(user: User, artifact: Artifact) -> str:
    """Why `user` may not approve the artifact as its author; empty when they may.

    In a project where nobody else could review it, its author may.
    """
    author = author_of(artifact)
    if author is None or author.pk != user.pk:
        return ""
    others = other_reviewers(artifact.project, author)
    if not others:
        return ""
    return (
        "You compiled this, so somebody else has to approve it: "
        f"{', '.join(others[:5])} {'can' if len(others) > 1 else 'could'} do it."
    )


def other_reviewers(project: Project, author: User) -> list[str]:
    """Names of the members who may approve what `author` made."""
    found = Membership.objects.filter(project=project, role__in=(Role.REVIEWER, Role.ADMIN))
    return [
        member.user.get_username() for member in found.exclude(user=author).select_related("user")
    ]


def needs_scores(review: Review) -> bool:
    """Whether the artifact has not been compared with the baseline on held-out examples."""
    return not review.artifact.report.get("difference")


def what_is_missing(review: Review, items: Items) -> str:
    """What has to happen before the artifact can be approved; empty: nothing."""
    if items.undecided:
        demos = "demo is" if items.undecided == 1 else "demos are"
        return f"{items.undecided} {demos} undecided: accept or reject each first."
    if items.rejected:
        demos = "demo is" if items.rejected == 1 else "demos are"
        return f"{items.rejected} {demos} rejected: score the program again without them first."
    if needs_scores(review):
        run = review.rescore
        if run is not None and not RunState(run.state).is_final:
            return "The scores without the rejected demos are still being made."
        return "It has no scores on held-out examples: score it again first."
    return ""


def _score(actor: User, review: Review, max_calls: int) -> None:
    artifact = review.artifact
    root = root_of(artifact).run
    if root is None or root.dataset is None or root.metric is None or artifact.connection is None:
        raise Conflict(
            "The dataset, the metric or the LM of this compile is gone, so it cannot be scored "
            "again. Compile anew."
        )
    review.rescore = start_evaluate(
        actor=actor,
        version=artifact.version,
        dataset=root.dataset,
        metric=root.metric,
        connection=artifact.connection,
        max_calls=max_calls,
        artifact=artifact.hash,
        reuse=root,
        role=Role.REVIEWER,
    )
    review.save(update_fields=["rescore"])


def _open(review: Review) -> Review:
    """The review under a row lock; raises `Conflict` when it is over."""
    locked = (
        Review.objects.select_for_update(of=("self",))
        .select_related("artifact", "project", "rescore")
        .get(pk=review.pk)
    )
    if locked.state != State.OPEN:
        raise Conflict(
            f"This review is over: it is {locked.get_state_display().lower()}. Reload the page."
        )
    return locked


def _same_hash(review: Review, hash: str) -> None:
    if hash != review.artifact.hash:
        raise Conflict(
            f"Your vote was for {hash[:12] or 'no artifact'}, but this review is about "
            f"{review.artifact}. Reload the page and look again."
        )


def _move(review: Review, state: State, actor: User, note: str) -> Review:
    """The one way between states; the caller holds the row's lock."""
    if state not in MOVES[review.state]:
        raise Conflict(f"A review that is {review.state} cannot become {state}.")
    review.state = state
    review.decided_by = actor
    review.decided_at = timezone.now()
    review.note = note.strip()[:5000]
    review.save(update_fields=["state", "decided_by", "decided_at", "note"])
    _record(review, actor, state, note=review.note)
    return review


def _record(review: Review, actor: User, action: str, **detail: Any) -> None:
    record(
        project=review.project,
        actor=actor,
        action=f"review.{action}",
        subject=str(review.artifact),
        review=review.pk,
        hash=review.artifact.hash,
        **detail,
    )
