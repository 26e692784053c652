"""Chores: asked for once, done once, taken up after a worker that died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from studio.accounts.models import Project
from studio.datasets import chores
from studio.datasets.claims import DEAD_AFTER
from studio.datasets.models import Chore, Dataset
from studio.errors import Invalid
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


class Hand:
    """Does chores as the test says, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: BaseException | None = None
        self.told: list[tuple[str, list[int]]] = []

    def __call__(self, chore: Chore, beat: chores.Beat) -> dict[str, Any]:
        self.calls += 1
        beat(0.5)
        if self.error:
            raise self.error
        return {"about": chore.about}


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Does all chores of the kind order."""
    hand = Hand()
    monkeypatch.setitem(chores.CHORES, "order", hand)
    monkeypatch.setattr(
        "studio.datasets.claims.app.send_task", lambda name, args: hand.told.append((name, args))
    )
    return hand


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """A small one."""
    return make_dataset(project)


@pytest.fixture
def large(dataset: Dataset) -> Dataset:
    """One that is left to workers."""
    dataset.row_count = chores.AT_ONCE_ROWS + 1
    dataset.save()
    return dataset


def test_small_ones_are_done_at_once_and_only_once(dataset: Dataset, hand: Hand) -> None:
    first = chores.ask(dataset, "order", "message")
    again = chores.ask(dataset, "order", "message")
    assert (first.state, first.result, first.progress) == ("done", {"about": "message"}, 100)
    assert (again.pk, hand.calls, hand.told) == (first.pk, 1, [])
    assert chores.find(dataset, "order", "message") == first
    assert chores.find(dataset, "order", "category") is None


def test_large_ones_go_to_a_worker_and_are_not_told_twice(
    large: Dataset, hand: Hand, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        chore = chores.ask(large, "order")
        chores.ask(large, "order")
        assert hand.told == [], "a worker would not find it yet"
    assert (chore.state, hand.calls, hand.told) == ("waiting", 0, [(chores.TASK, [chore.pk])])
    chores.work(chore.pk)
    chores.work(chore.pk)  # the message came twice
    chore.refresh_from_db()
    assert (chore.state, hand.calls) == ("done", 1)


def test_what_a_dead_worker_held_is_taken_up(
    large: Dataset, hand: Hand, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        chore = chores.ask(large, "order")
    now = timezone.now()
    Chore.objects.filter(pk=chore.pk).update(owner="gone", heartbeat_at=now)
    chores.work(chore.pk)
    assert hand.calls == 0, "somebody is at it"
    Chore.objects.filter(pk=chore.pk).update(
        heartbeat_at=now - DEAD_AFTER - timedelta(seconds=1), kicked_at=None
    )
    chores.kick_all()
    assert len(hand.told) == 2
    chores.work(chore.pk)
    chore.refresh_from_db()
    assert (chore.state, chore.owner, hand.calls) == ("done", "", 1)


def test_a_refusal_is_kept_and_can_be_retried(dataset: Dataset, hand: Hand) -> None:
    hand.error = Invalid("There is no such column.")
    failed = chores.ask(dataset, "order")
    assert (failed.state, failed.error) == ("failed", "There is no such column.")
    assert chores.ask(dataset, "order").state == "failed"
    hand.error = None
    assert chores.retry(failed).state == "done"


def test_a_bug_of_ours_is_raised_and_told(dataset: Dataset, hand: Hand) -> None:
    hand.error = TypeError("oops")
    with pytest.raises(TypeError):
        chores.ask(dataset, "order")
    chore = Chore.objects.get()
    assert (chore.state, chore.owner) == ("failed", "")
    assert "failed at this" in chore.error


def test_a_worker_that_is_told_to_stop_gives_it_back(dataset: Dataset, hand: Hand) -> None:
    hand.error = SystemExit()
    with pytest.raises(SystemExit):
        chores.ask(dataset, "order")
    chore = Chore.objects.get()
    assert (chore.state, chore.owner) == ("waiting", "")


def test_results_of_old_versions_go(dataset: Dataset, hand: Hand) -> None:
    for number in range(1, chores.KEPT_VERSIONS + 3):
        dataset.number = number
        chores.ask(dataset, "order")
    numbers = Chore.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(3, chores.KEPT_VERSIONS + 3))
