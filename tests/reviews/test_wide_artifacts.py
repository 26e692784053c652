"""Reviews of programs with hundreds of demos, of ensembles, and of what has become stale."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.graph import build
from studio.reviews import services
from studio.reviews.exports import EXPORTS
from studio.reviews.items import candidate_of, read_items
from studio.reviews.models import Decision, Review
from studio.reviews.views import DEMOS_MORE, DEMOS_SHOWN
from studio.runs.models import Artifact
from tests import builders
from tests.runs.builders import Kit, make_rows

pytestmark = pytest.mark.django_db

MANY = 510
HTMX = {"HX-Request": "true"}


def make_demos(count: int) -> tuple[Demo, ...]:
    """Demos, all different."""
    return tuple(Demo(values=row, source=f"row{n}") for n, row in enumerate(make_rows(count)))


def make_review(kit: Kit, candidate: Candidate) -> Review:
    """The review of an artifact with this candidate."""
    version = builders.make_version(kit.pipeline)
    content = {"spec": version.spec, "candidate": candidate.to_dict(), "compiler": "knn"}
    artifact = builders.make_artifact(
        kit.project,
        version=version,
        content={**content, "lm": {"model": "scripted"}, "format": "chat"},
        connection=kit.connection,
        created_by=kit.actor,
    )
    return Review.objects.create(project=kit.project, artifact=artifact)


@pytest.fixture
def state(kit: Kit) -> PredictorState:
    """The predictor as it was written."""
    return build(kit.pipeline.spec).candidate().states["classify"]


@pytest.fixture
def nearest(kit: Kit, state: PredictorState) -> Review:
    """Hundreds of demos, eight of which are shown at a time."""
    return make_review(
        kit, Candidate({"classify": replace(state, demos=make_demos(MANY), nearest=8)})
    )


@pytest.fixture
def ensemble(kit: Kit, state: PredictorState) -> Review:
    """Two members with demos of their own, the second with another instruction."""
    one = replace(state, demos=make_demos(2))
    two = replace(state, demos=make_demos(5)[2:], instruction="Sort it with care.")
    members = [Candidate({"classify": one}), Candidate({"classify": two})]
    return make_review(kit, Candidate.ensemble(members))


def test_hundreds_of_demos_come_a_page_at_a_time(nearest: Review, as_bob: Client) -> None:
    url = nearest.get_absolute_url()
    page = as_bob.get(url).content.decode()
    assert f"Shows the 8 nearest of {MANY} demos to each input" in page
    assert page.count("<article") == DEMOS_SHOWN
    assert f"the other {MANY - DEMOS_SHOWN} demos" in page
    assert f"{MANY} demos, 8 shown at a time" in page
    part = as_bob.get(f"{url}demos/?path=classify&after={DEMOS_SHOWN}", headers=HTMX)
    text = part.content.decode()
    assert "<html" not in text
    assert text.count("<article") == DEMOS_MORE
    assert f"Demo {DEMOS_SHOWN + 1} of" in text
    last = as_bob.get(f"{url}demos/?path=classify&after={MANY - 1}").content.decode()
    assert last.count("<article") == 1
    assert "Show more" not in last


def test_without_javascript_all_demos_are_one_link_away(nearest: Review, as_bob: Client) -> None:
    page = as_bob.get(f"{nearest.get_absolute_url()}?all=classify").content.decode()
    assert page.count("<article") == MANY


@pytest.mark.parametrize("after", ["", "-1", "x", "99999999999999"])
def test_a_page_of_demos_that_makes_no_sense_is_the_first_or_empty(
    nearest: Review, as_bob: Client, after: str
) -> None:
    url = f"{nearest.get_absolute_url()}demos/?path=classify&after={after}"
    assert as_bob.get(url).status_code == 200
    assert as_bob.get(f"{nearest.get_absolute_url()}demos/?path=nothing").status_code == 404


def test_demos_of_a_stranger_are_not_there(nearest: Review, as_charlie: Client) -> None:
    url = f"{nearest.get_absolute_url()}demos/?path=classify"
    assert as_charlie.get(url).status_code == 404


def test_the_last_of_hundreds_can_be_rejected_and_the_rest_stays(
    nearest: Review, bob: User
) -> None:
    last = read_items(nearest).demos[-1]
    services.decide(actor=bob, review=nearest, path="classify", demo=last.key, verdict="reject")
    services.accept_rest(actor=bob, review=nearest)
    assert read_items(nearest).rejected == 1
    assert Decision.objects.count() == MANY


def test_the_prompt_shows_as_many_as_the_lm_sees(nearest: Review, as_bob: Client) -> None:
    page = as_bob.get(nearest.get_absolute_url()).content.decode()
    prompt = page.split("The exact prompt")[1].split("</pre>")[0]
    assert prompt.count("Order ") == 8


def test_an_ensemble_is_grouped_by_member(ensemble: Review, as_bob: Client) -> None:
    items = read_items(ensemble)
    assert [member for member, _ in items.members] == ["1", "2"]
    assert [one.path for one in items.predictors] == ["1/classify", "2/classify"]
    assert [one.name for one in items.predictors] == ["classify", "classify"]
    assert [one.instruction_changed for one in items.predictors] == [False, True]
    page = as_bob.get(ensemble.get_absolute_url()).content.decode()
    assert "Member 1 of 2" in page
    assert "Member 2 of 2" in page
    assert page.count("<article") == 5


def test_a_demo_of_one_member_is_rejected_without_the_others(
    kit: Kit, ensemble: Review, bob: User, as_bob: Client
) -> None:
    item = read_items(ensemble).predictors[1].demos[0]
    answer = as_bob.post(
        f"{ensemble.get_absolute_url()}decide/",
        {"path": item.path, "demo": item.key, "verdict": "reject"},
        headers=HTMX,
    )
    assert answer.status_code == 200
    services.accept_rest(actor=bob, review=ensemble)
    from studio.reviews.items import without

    left = without(candidate_of(ensemble.artifact), read_items(ensemble).having("reject"))
    assert {path: len(state.demos) for path, state in left.states.items()} == {
        "1/classify": 2,
        "2/classify": 2,
    }


@pytest.mark.parametrize("kind", list(EXPORTS))
@pytest.mark.parametrize("which", ["nearest", "ensemble"])
def test_it_is_exported_or_refused_with_a_sentence(
    request: pytest.FixtureRequest, as_bob: Client, which: str, kind: str
) -> None:
    review: Review = request.getfixturevalue(which)
    url = f"/p/support/artifacts/{review.artifact.hash}/{kind}/"
    answer = as_bob.get(url)
    if answer.status_code == 302:
        page = as_bob.get(review.get_absolute_url()).content.decode()
        assert 'class="note note-error"' in page
        return
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    if answer["Content-Type"] == "application/json":
        assert json.loads(answer.content)
    elif kind == "dspy":
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_what_has_changed_since_stands_above_with_the_way_to_recompile(
    kit: Kit, artifact: Artifact, review: Review, as_alice: Client, as_bob: Client
) -> None:
    assert 'id="stale"' not in as_alice.get(review.get_absolute_url()).content.decode()
    kit.metric.params = {"field": "category", "strip": False}
    kit.metric.save()
    page = as_alice.get(review.get_absolute_url()).content.decode()
    assert 'id="stale"' in page
    link = f"/p/support/pipelines/triage/compile/?artifact={artifact.hash}"
    assert link in page
    form = as_alice.get(link).content.decode()
    assert f'<option value="{artifact.hash}" selected>' in form
    assert 'value="random-search" checked' in form
    assert "Filled in as the artifact was compiled" in form


def test_who_may_not_compile_is_not_offered_to(review: Review) -> None:
    viewer = User.objects.create_user("vera")
    review.project.memberships.create(user=viewer, role="viewer")
    client = Client()
    client.force_login(viewer)
    assert "Recompile" not in client.get(review.get_absolute_url()).content.decode()


def test_recompiling_starts_from_the_artifact(
    kit: Kit, artifact: Artifact, as_alice: Client
) -> None:
    run = kit.start(start_artifact=artifact)
    assert run.start_artifact == artifact
    page: Any = as_alice.get(run.get_absolute_url()).content.decode()
    assert f'to improve <code class="mono">{artifact}</code>' in page
