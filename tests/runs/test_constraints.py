"""The page of constraints: what must hold, changed and tried where one reads of metrics."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, Role
from studio.pipelines.constraints import Place, bounds_for, places
from studio.pipelines.models import Pipeline, Revision
from tests import builders

URL = "/p/support/constraints/"
HTMX = {"HX-Request": "true"}


def spec_with(check: str = "len(message) < 500") -> dict[str, Any]:
    spec = builders.make_spec(kind="constraint")
    spec["nodes"][0]["fields"][0]["constraints"] = {"max_length": 400}
    spec["nodes"][1]["params"] = {"check": check, "message": "Too long.", "retries": 1}
    return spec


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    return builders.make_pipeline(project, spec=spec_with())


def place_of(project: Project, name: str) -> Place:
    return next(place for place in places(project) if place.name == name)


def post(client: Client, place: Place, **values: Any) -> Any:
    data = {"at": place.key, "base_revision": place.pipeline.revision, **values}
    return client.post(URL, data)


def test_every_bound_and_check_is_listed_with_what_follows(
    as_alice: Client, project: Project, pipeline: Pipeline
) -> None:
    page = as_alice.get(URL).content.decode()
    assert "at most 400" in page
    assert "len(message) &lt; 500" in page
    assert "refused before any language model is asked" in page
    assert "asked again, up to 1 times. After that the call ends with an error" in page


def test_parts_inside_of_steps_are_found(project: Project) -> None:
    inner = builders.make_spec()
    inner["nodes"][2]["fields"] = [
        {**builders.make_field("count", "int"), "constraints": {"min": 1}}
    ]
    spec = builders.make_spec()
    spec["nodes"][1]["parts"] = {"body": inner}
    builders.make_pipeline(project, spec=spec)
    (found,) = [place for place in places(project) if place.is_set]
    assert found.name == "classify.body.output.count"
    assert found.words == "at least 1"


def test_a_bound_is_changed_and_that_is_a_revision(
    as_alice: Client, project: Project, pipeline: Pipeline
) -> None:
    place = place_of(project, "input.message")
    assert post(as_alice, place, max_length="50", min_length="2").status_code == 302
    assert place_of(project, "input.message").constraints == {"max_length": 50, "min_length": 2}
    pipeline.refresh_from_db()
    assert pipeline.revision > place.pipeline.revision
    assert Revision.objects.filter(pipeline=pipeline).exists()
    post(as_alice, place_of(project, "input.message"))
    assert not place_of(project, "input.message").is_set


def test_a_check_is_changed(as_alice: Client, project: Project, pipeline: Pipeline) -> None:
    place = place_of(project, "classify")
    values = {"check": "category == 'billing'", "mode": "suggest", "retries": "3"}
    assert post(as_alice, place, otherwise="fail", **values).status_code == 302
    changed = place_of(project, "classify")
    assert changed.constraints["retries"] == 3
    assert "goes on with the last answer" in changed.consequence


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("input.message", {"max_length": "x"}, "Enter a whole number"),
        ("input.message", {"max_length": "1", "min_length": "5"}, "above"),
        ("input.message", {"pattern": "("}, "pattern"),
        ("classify", {"check": "", "mode": "assert", "otherwise": "fail"}, "required"),
        ("classify", {"check": "x", "mode": "vibes", "otherwise": "fail"}, "vibes"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_changes(
    as_alice: Client,
    project: Project,
    pipeline: Pipeline,
    name: str,
    values: dict[str, str],
    sentence: str,
) -> None:
    answer = post(as_alice, place_of(project, name), **values)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    pipeline.refresh_from_db()
    assert pipeline.spec == spec_with()


def test_somebody_who_was_faster_is_not_overwritten(
    as_alice: Client, project: Project, pipeline: Pipeline
) -> None:
    old = place_of(project, "input.message")
    post(as_alice, old, max_length="50")
    answer = post(as_alice, old, max_length="60")
    assert answer.status_code == 422
    assert "has saved Triage since" in answer.content.decode()
    assert place_of(project, "input.message").constraints == {"max_length": 50}


@pytest.mark.parametrize("key", ["nothing", "triage||n9|message", "triage|a:b|n1|message", "\0||"])
def test_places_that_are_not_there(
    as_alice: Client, project: Project, pipeline: Pipeline, key: str
) -> None:
    assert as_alice.get(URL, {"at": key}).status_code == 404
    assert as_alice.post(URL, {"at": key}).status_code == 404
    assert as_alice.post(f"{URL}try/", {"at": key}).status_code == 404


@pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 30, "9" * 5000])
def test_a_page_without_its_revision_is_too_old(
    as_alice: Client, project: Project, pipeline: Pipeline, revision: str
) -> None:
    answer = post(as_alice, place_of(project, "input.message"), base_revision=revision)
    assert answer.status_code == 422
    assert "reload" in answer.content.decode()


def test_who_may_what(as_charlie: Client, project: Project, pipeline: Pipeline) -> None:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    client, place = builders.make_client(viewer), place_of(project, "input.message")
    page = client.get(URL, {"at": place.key}).content.decode()
    assert ">Save<" not in page
    assert post(client, place, max_length="5").status_code == 403
    assert as_charlie.get(URL).status_code == 404
    assert post(as_charlie, place, max_length="5").status_code == 404
    assert as_charlie.post(f"{URL}try/", {"at": place.key}).status_code == 404


def test_a_bound_is_tried_on_rows(as_alice: Client, project: Project, pipeline: Pipeline) -> None:
    builders.make_dataset(project)
    data = {"at": place_of(project, "input.message").key, "max_length": "34"}
    page = as_alice.post(f"{URL}try/", data, headers=HTMX).content.decode()
    assert "<strong>2</strong> of 4 rows of Messages would break it" in page
    assert "<html" not in page
    assert "<html" in as_alice.post(f"{URL}try/", data).content.decode()


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("len(message) < 35", "<strong>2</strong> of 4"),
        (
            "def check(category):\n    return 'no billing' if category == 'billing' else True",
            "no billing",
        ),
        ("nothing > 1", "of 4 it cannot be said"),
        ("1 / 0", "ZeroDivisionError"),
        ("while True:\n    pass\nTrue", "Stopped: all rows together have 5 s"),
    ],
)
def test_a_check_is_tried_on_rows(
    as_alice: Client, project: Project, pipeline: Pipeline, check: str, told: str
) -> None:
    builders.make_dataset(project)
    data = {"at": place_of(project, "classify").key, "check": check}
    data |= {"mode": "assert", "otherwise": "fail", "retries": "1"}
    page = as_alice.post(f"{URL}try/", data, headers=HTMX).content.decode()
    assert told in page


def test_what_cannot_be_tried_says_why(
    as_alice: Client, project: Project, pipeline: Pipeline
) -> None:
    data = {"at": place_of(project, "input.message").key, "max_length": "35"}
    assert "no dataset yet" in as_alice.post(f"{URL}try/", data).content.decode()
    builders.make_dataset(project)
    check = {"at": place_of(project, "classify").key, "check": "(", "retries": "1"}
    answer = as_alice.post(f"{URL}try/", {**check, "mode": "assert", "otherwise": "fail"})
    assert answer.status_code == 422
    assert "no Python" in answer.content.decode()


def test_without_a_pipeline_the_page_says_what_to_do(as_alice: Client, project: Project) -> None:
    assert "No pipeline yet" in as_alice.get(URL).content.decode()


def test_the_bounds_that_fit_a_type() -> None:
    assert bounds_for("int") == ["min", "max", "multiple_of"]
    assert bounds_for("str") == ["min_length", "max_length", "pattern"]
    assert bounds_for("enum[a, b]") == []
    assert bounds_for("vibes") == []
