"""Decisions about demos, and what follows from them."""

from __future__ import annotations

import pytest

from studio.accounts.models import AuditEntry, User
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.reviews import services
from studio.reviews.items import candidate_of, read_items
from studio.reviews.models import Decision, Review
from studio.reviews.states import State
from studio.runs.execute import execute
from studio.runs.models import Artifact, Run, ScoreRow
from studio.runs.states import State as RunState
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def decide_all(review: Review, by: User, *, reject: int = 0) -> None:
    """Reject the first so many demos, accept the others."""
    for number, item in enumerate(read_items(review).demos):
        verdict = "reject" if number < reject else "accept"
        services.decide(actor=by, review=review, path=item.path, demo=item.key, verdict=verdict)


def test_every_demo_is_undecided_at_first(review: Review) -> None:
    items = read_items(review)
    assert items.demos
    assert items.undecided == len(items.demos)
    assert all(item.source["number"] for item in items.demos), "each tells its row"
    assert any(item.demo.bootstrapped and item.demo.reason for item in items.demos)


def test_a_decision_can_be_made_changed_and_taken_back(review: Review, bob: User) -> None:
    item = read_items(review).demos[0]
    for verdict in ("accept", "reject", ""):
        services.decide(
            actor=bob, review=review, path=item.path, demo=item.key, verdict=verdict, reason="so"
        )
        assert read_items(review).demos[0].verdict == verdict
    assert AuditEntry.objects.filter(action="review.decide").count() == 3


def test_an_unknown_demo_or_verdict_is_refused(review: Review, bob: User) -> None:
    item = read_items(review).demos[0]
    with pytest.raises(NotFound):
        services.decide(actor=bob, review=review, path=item.path, demo="x", verdict="accept")
    with pytest.raises(Invalid):
        services.decide(actor=bob, review=review, path=item.path, demo=item.key, verdict="maybe")


def test_an_author_who_is_no_reviewer_may_not_decide(review: Review) -> None:
    author = User.objects.create_user("arthur")
    review.project.memberships.create(user=author, role="author")
    with pytest.raises(NotAllowed, match="reviewer"):
        services.accept_rest(actor=author, review=review)


def test_accepting_the_rest_leaves_decisions_alone(review: Review, bob: User) -> None:
    decide_all(review, bob, reject=1)
    Decision.objects.filter(verdict="accept").delete()
    count = services.accept_rest(actor=bob, review=review)
    items = read_items(review)
    assert count == len(items.demos) - 1
    assert (items.rejected, items.undecided) == (1, 0)


def test_rejecting_demos_makes_an_artifact_without_them_that_is_scored(
    review: Review, bob: User, kit: Kit, lab: Lab
) -> None:
    decide_all(review, bob, reject=2)
    before = candidate_of(review.artifact)
    calls_before = lab.calls
    child = services.rescore(actor=bob, review=review, max_calls=40)
    review.refresh_from_db()
    assert review.state == State.SUPERSEDED
    assert child.artifact.parent == review.artifact
    after = candidate_of(child.artifact)
    assert after.demo_sources < before.demo_sources
    for path, state in before.states.items():
        assert after.states[path].calibration == state.calibration, "nothing is fitted anew"
    assert read_items(child).undecided == 0, "what stays is decided already"
    assert "still being made" in services.what_is_missing(child, read_items(child))

    run = child.rescore
    assert run is not None
    assert execute(run.pk) == RunState.SUCCEEDED
    run.refresh_from_db()
    child = Review.objects.get(pk=child.pk)
    assert run.kind == Run.Kind.EVALUATE
    assert lab.calls - calls_before == run.calls <= 40
    assert run.calls == 16, "only the new candidate is run; the baseline's scores are known"
    assert ScoreRow.objects.filter(run=run, split="test").count() == 32
    report = child.artifact.report
    assert report["baseline"] == review.artifact.report["baseline"]
    assert report["difference"]["low"] <= report["difference"]["value"]
    assert set(report["sources"]) == after.demo_sources
    approved = services.approve(actor=bob, review=child, hash=child.artifact.hash)
    assert approved.state == State.APPROVED


def test_scoring_again_that_runs_into_its_cap_can_be_repeated(
    review: Review, bob: User, lab: Lab
) -> None:
    decide_all(review, bob, reject=1)
    child = services.rescore(actor=bob, review=review, max_calls=3)
    assert child.rescore is not None
    assert execute(child.rescore.pk) == RunState.FAILED
    child = Review.objects.get(pk=child.pk)
    assert "budget" in child.rescore.error.lower()  # type: ignore[union-attr]
    assert "score it again" in services.what_is_missing(child, read_items(child))
    again = services.rescore(actor=bob, review=child, max_calls=100)
    assert again.pk == child.pk
    assert execute(again.rescore.pk) == RunState.SUCCEEDED  # type: ignore[union-attr]
    assert services.what_is_missing(Review.objects.get(pk=child.pk), read_items(child)) == ""


def test_there_is_nothing_to_score_again_without_a_rejection(review: Review, bob: User) -> None:
    with pytest.raises(Invalid, match="nothing to score"):
        services.rescore(actor=bob, review=review, max_calls=10)


def test_the_same_edit_twice_is_one_artifact(review: Review, bob: User, kit: Kit) -> None:
    decide_all(review, bob, reject=1)
    child = services.rescore(actor=bob, review=review, max_calls=100)
    assert Artifact.objects.count() == 2
    with pytest.raises(Conflict, match="over"):
        services.rescore(actor=bob, review=review, max_calls=100)
    assert Review.objects.filter(state=State.OPEN).get() == child
