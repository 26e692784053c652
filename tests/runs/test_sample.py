"""The sample project is made once and can be compiled as it is."""

from __future__ import annotations

import pytest

from studio.accounts.models import Project, User
from studio.engine.graph import check
from studio.runs import sample
from tests import builders

pytestmark = pytest.mark.django_db


def test_it_is_made_once() -> None:
    first = sample.ensure_sample_project(password="a long password")
    counts = (
        first.pipelines.count(),
        first.datasets.count(),
        first.metrics.count(),
        first.connections.count(),
        first.modules.count(),
        first.signatures.count(),
    )
    assert sample.ensure_sample_project(password="another") == first
    assert counts == (2, 1, 1, 2, 2, 2)
    assert (first.pipelines.count(), Project.objects.count()) == (2, 1)
    assert User.objects.get().check_password("a long password"), "it changes nobody's password"


def test_its_drawings_have_no_problems() -> None:
    assert not check(sample.one_step_spec())
    assert not check(sample.two_step_spec())


def test_its_messages_are_split_and_enough_are_held_out() -> None:
    project = sample.ensure_sample_project()
    dataset = project.datasets.get()
    assert len(builders.rows_of(dataset)) >= 240
    assert len(builders.rows_of(dataset, "test")) >= 100
    assert {row.values["category"] for row in builders.rows_of(dataset, "train")} == {
        "billing",
        "shipping",
        "technical",
        "account",
        "returns",
    }


def test_what_people_deleted_comes_back_and_what_they_changed_stays() -> None:
    project = sample.ensure_sample_project()
    project.pipelines.get(slug=sample.TWO_STEPS).delete()
    pipeline = project.pipelines.get(slug=sample.ONE_STEP)
    pipeline.name = "Mine"
    pipeline.save()
    sample.ensure_sample_project()
    assert project.pipelines.count() == 2
    assert project.pipelines.get(slug=sample.ONE_STEP).name == "Mine"


def test_a_project_of_that_name_that_is_not_ours_is_left_alone() -> None:
    other = builders.make_project("Support", sample.SLUG, admin=builders.make_user("alice"))
    assert sample.ensure_sample_project() == other
    assert not other.pipelines.exists()
