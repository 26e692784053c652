"""Votes are for exactly one artifact, and not by its author."""

from __future__ import annotations

from itertools import product

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, User
from studio.errors import Conflict, Invalid, NotAllowed
from studio.reviews import releases, services
from studio.reviews.models import Release, Review
from studio.reviews.states import MOVES, State
from studio.runs.execute import execute
from tests import builders
from tests.reviews.test_deciding import decide_all
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db


def approve(review: Review, by: User) -> Review:
    """Accept everything and approve."""
    services.accept_rest(actor=by, review=review)
    return services.approve(actor=by, review=review, hash=review.artifact.hash)


def test_approval_waits_until_every_demo_is_decided(review: Review, bob: User) -> None:
    with pytest.raises(Conflict, match="undecided"):
        services.approve(actor=bob, review=review, hash=review.artifact.hash)
    assert approve(review, bob).state == State.APPROVED


def test_approval_waits_until_rejected_demos_are_gone(review: Review, bob: User) -> None:
    decide_all(review, bob, reject=1)
    with pytest.raises(Conflict, match="score the program again"):
        services.approve(actor=bob, review=review, hash=review.artifact.hash)


def test_nobody_approves_own_work_while_others_could(review: Review, alice: User) -> None:
    services.accept_rest(actor=alice, review=review)
    with pytest.raises(NotAllowed, match="bob"):
        services.approve(actor=alice, review=review, hash=review.artifact.hash)


def test_editing_does_not_make_it_somebody_elses_work(
    review: Review, alice: User, bob: User
) -> None:
    decide_all(review, bob, reject=1)
    child = services.rescore(actor=bob, review=review, max_calls=100)
    execute(child.rescore.pk)  # type: ignore[union-attr]
    child = Review.objects.get(pk=child.pk)
    with pytest.raises(NotAllowed, match="You compiled this"):
        services.approve(actor=alice, review=child, hash=child.artifact.hash)


def test_somebody_alone_may_approve_own_work_and_is_told(
    review: Review, alice: User, as_alice: Client
) -> None:
    Membership.objects.exclude(user=alice).delete()
    services.accept_rest(actor=alice, review=review)
    page = as_alice.get(review.get_absolute_url()).content.decode()
    assert "Nobody else in this project could review it" in page
    assert (
        services.approve(actor=alice, review=review, hash=review.artifact.hash).decided_by == alice
    )


def test_a_vote_for_another_hash_is_a_conflict(review: Review, as_bob: Client, bob: User) -> None:
    services.accept_rest(actor=bob, review=review)
    for vote in ("approve", "reject"):
        answer = as_bob.post(
            f"{review.get_absolute_url()}vote/", {"vote": vote, "hash": "0" * 64, "note": "no"}
        )
        assert answer.status_code == 409
        assert "Your vote was for 000000000000" in answer.content.decode()
    review.refresh_from_db()
    assert review.state == State.OPEN


def test_a_rejection_needs_a_reason_and_ends_the_review(review: Review, bob: User) -> None:
    hash_ = review.artifact.hash
    with pytest.raises(Invalid, match="Say why"):
        services.reject(actor=bob, review=review, hash=hash_, note=" ")
    services.reject(actor=bob, review=review, hash=hash_, note="Too rude.")
    with pytest.raises(Conflict, match="over"):
        approve(review, bob)
    with pytest.raises(Conflict, match="not approved"):
        releases.release(actor=bob, artifact=review.artifact)


def test_a_release_can_be_made_moved_and_rolled_back(kit: Kit, review: Review, bob: User) -> None:
    first = releases.release(actor=bob, artifact=approve(review, bob).artifact)
    with pytest.raises(Conflict, match="already"):
        releases.release(actor=bob, artifact=first.artifact)
    run = kit.compile(seed=2)
    other = services.open_review(
        actor=kit.actor, artifact=run.project.artifacts.get(hash=run.report["artifact"])
    )
    second = releases.release(actor=bob, artifact=approve(other, bob).artifact)
    assert releases.current(kit.pipeline, "production") == second
    back = releases.roll_back(actor=bob, to=first)
    assert releases.current(kit.pipeline, "production") == back
    assert back.artifact == first.artifact
    assert Release.objects.count() == 3, "history only grows"
    author = User.objects.create_user("arthur")
    kit.project.memberships.create(user=author, role="author")
    with pytest.raises(NotAllowed):
        releases.roll_back(actor=author, to=second)


def test_a_label_is_a_short_plain_word(project: Project, bob: User) -> None:
    artifact = builders.make_artifact(project)
    for label in ("", "Prod", "a b", "-x", "x" * 41):
        with pytest.raises(Invalid):
            releases.release(actor=bob, artifact=artifact, label=label)


@pytest.mark.parametrize(("start", "end"), list(product(State.values, State.values)))
def test_a_review_moves_only_along_the_table(
    project: Project, bob: User, start: str, end: str
) -> None:
    legal = {
        ("open", "approved"),
        ("open", "rejected"),
        ("open", "superseded"),
        ("approved", "superseded"),
    }
    assert (end in MOVES[start]) == ((start, end) in legal)
    artifact = builders.make_artifact(project)
    review = Review.objects.create(project=project, artifact=artifact, state=start)
    if (start, end) in legal:
        assert services._move(review, State(end), bob, "").state == end
    else:
        with pytest.raises(Conflict):
            services._move(review, State(end), bob, "")
