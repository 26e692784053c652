"""A step that is answered by a language model of its own: in every run, and when released."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.errors import Conflict, Invalid
from studio.lms.models import Connection
from studio.lms.services import delete_connection
from studio.pipelines.lm_overrides import lm_problems, require_lms
from studio.pipelines.services import freeze
from studio.reviews import releases
from studio.reviews import services as reviews
from studio.runs import services
from studio.runs.execute import execute
from studio.runs.models import Artifact, Run
from studio.runs.staleness import read_staleness
from studio.runs.states import State
from studio.serving import api, predict
from studio.serving import services as serving
from tests import builders
from tests.engine.test_rehearsal import drawing, end, step
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db

FAST = {"candidates": 0, "max_bootstrapped": 0, "max_labeled": 2}


def two_steps(lm: str = "polite") -> dict[str, Any]:
    """classify, and then words for it, written by another LM."""
    spec = builders.make_spec()
    spec["nodes"][2]["fields"].append(builders.make_field("reply"))
    spec["nodes"].append(
        {
            **spec["nodes"][1],
            "id": "n4",
            "name": "word",
            "lm": lm,
            "signature": {
                "fields": [
                    builders.make_field("message", role="input"),
                    builders.make_field("reply", role="output"),
                ],
                "instruction": "Answer kindly.",
            },
        }
    )
    spec["edges"] += [
        builders.make_edge("e3", "n1", "message", "n4", "message"),
        builders.make_edge("e4", "n4", "reply", "n3", "reply"),
    ]
    return spec


def polite() -> ScriptedLM:
    """Says the same to everything."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, "Dear customer"))

    return ScriptedLM(answer, name="polite", default_format="xml")


@pytest.fixture
def own(kit: Kit, lab: Lab) -> Connection:
    """The LM of the step `word`."""
    lab.makers["polite"] = polite
    kit.pipeline.spec = two_steps()
    kit.pipeline.save()
    return builders.make_connection(kit.project, "polite", model="support-triage")


def try_it(kit: Kit, **options: Any) -> Run:
    run = kit.start_try(**options)
    execute(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def artifact(kit: Kit, own: Connection) -> Artifact:
    """What a compile ended in."""
    run = kit.compile(params=FAST)
    assert run.state == State.SUCCEEDED, run.error
    return Artifact.objects.get(hash=run.report["artifact"])


def test_a_try_asks_each_step_where_it_says(kit: Kit, lab: Lab, own: Connection) -> None:
    run = try_it(kit)
    assert run.report["outputs"] == {"category": "billing", "reply": "Dear customer"}
    assert lab.calls_of(own) == 1
    assert lab.calls_of(kit.connection) == 1
    # One budget, and one meter, for both.
    assert run.calls == 2
    assert set(run.fingerprints) == {"pipeline", "lm", "lm:polite"}


def test_the_cap_holds_for_all_lms_together(kit: Kit, lab: Lab, own: Connection) -> None:
    run = kit.start_try()
    Run.objects.update(max_calls=1)
    assert execute(run.pk) == State.FAILED
    assert lab.calls == 1


def test_only_the_lms_of_what_runs_are_needed(kit: Kit, lab: Lab, own: Connection) -> None:
    own.delete()
    with pytest.raises(Invalid, match="no language model “polite”"):
        try_it(kit)
    run = try_it(kit, until="classify")
    assert run.report["outputs"] == {"category": "billing"}
    assert "lm:polite" not in run.fingerprints
    with pytest.raises(Invalid, match="no language model “polite”"):
        try_it(kit, until="word")


def test_a_compile_and_an_evaluate_ask_it_too(
    kit: Kit, lab: Lab, own: Connection, artifact: Artifact
) -> None:
    compiled = lab.calls_of(own)
    assert compiled > 0
    assert artifact.content["lms"] == {
        "polite": {"kind": "scripted", "model": "support-triage", "base_url": "", "format": ""}
    }
    assert "lm:polite" in artifact.content["hashes"]
    run = services.start_evaluate(
        actor=kit.actor,
        version=artifact.version,
        dataset=kit.dataset,
        metric=kit.metric,
        connection=kit.connection,
        max_calls=500,
        artifact=artifact.hash,
        kick=False,
    )
    assert execute(run.pk) == State.SUCCEEDED
    assert lab.calls_of(own) > compiled
    # Whatever format the program was compiled for, this one has its own.
    requests = [request for lm in lab.of["polite"] for request in lm.requests]
    assert {read_prompt(request).layout for request in requests} == {"xml"}


def test_a_run_does_not_go_on_with_another_lm(kit: Kit, own: Connection) -> None:
    run = kit.start(params=FAST)
    own.model = "another"
    own.save()
    assert execute(run.pk) == State.FAILED
    run.refresh_from_db()
    assert run.error == (
        "The LM connection “polite” was changed since this run was started. Start a new run."
    )
    own.delete()
    Run.objects.update(state=State.QUEUED)
    assert execute(run.pk) == State.FAILED
    run.refresh_from_db()
    assert run.error == "The LM connection “polite” of this run was deleted. Start a new run."


def test_what_a_run_needs_cannot_be_deleted(kit: Kit, own: Connection, admin: User) -> None:
    run = kit.start(params=FAST)
    with pytest.raises(Conflict, match="Polite is used by a run that has not ended"):
        delete_connection(actor=admin, connection=own)
    services.cancel(actor=kit.actor, run=run)
    delete_connection(actor=admin, connection=own)
    assert not Connection.objects.filter(slug="polite").exists()


def test_what_a_teacher_asks_cannot_be_deleted(
    kit: Kit, own: Connection, artifact: Artifact, admin: User
) -> None:
    plain = builders.make_pipeline(kit.project, "plain", spec=two_steps(lm=""))
    run = kit.start(pipeline=plain, params=FAST, teacher_artifact=artifact)
    assert not any(name.startswith("lm:") for name in run.fingerprints)
    with pytest.raises(Conflict, match="Polite is used by a run that has not ended"):
        delete_connection(actor=admin, connection=own)
    services.cancel(actor=kit.actor, run=run)
    delete_connection(actor=admin, connection=own)


@pytest.fixture
def admin(kit: Kit) -> User:
    """Somebody who may delete connections."""
    user = builders.make_user("ada")
    kit.project.memberships.create(user=user, role="admin")
    return user


def test_an_artifact_says_that_it_was_changed(own: Connection, artifact: Artifact) -> None:
    assert read_staleness(artifact) == ()
    own.model = "another"
    own.save()
    (change,) = read_staleness(artifact)
    assert change.what == "lms"
    assert change.sentence == (
        "The connection Polite, which a step of it asks, was changed: its model, or how it is "
        "asked."
    )
    own.delete()
    (change,) = read_staleness(artifact)
    assert "“polite”, which a step of it asks, was deleted" in change.sentence


def test_nothing_is_taken_over_across_a_change(kit: Kit, lab: Lab, own: Connection) -> None:
    first = kit.compile(params=FAST)
    again = kit.compile(params=FAST, reuse=True)
    assert again.saved["answers"] > 0 or again.saved["runs"] > 0
    own.model = "another"
    own.save()
    changed = kit.compile(params=FAST, reuse=True)
    assert changed.calls == first.calls
    assert not changed.saved.get("answers")


@pytest.fixture
def secret(kit: Kit, artifact: Artifact, bob: User, alice: User) -> str:
    """A key to the release of the artifact."""
    predict.forget()
    api.throttle.clear()
    review = reviews.open_review(actor=kit.actor, artifact=artifact)
    reviews.accept_rest(actor=bob, review=review)
    reviews.approve(actor=bob, review=review, hash=artifact.hash)
    releases.release(actor=bob, artifact=artifact)
    return serving.create_key(actor=alice, project=kit.project, name="shop")[1]


def call(secret: str) -> Any:
    """One call of the release."""
    return Client().post(
        "/api/projects/support/pipelines/triage/releases/production/predict",
        json.dumps({"inputs": {"message": "The invoice is wrong."}}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )


def test_a_release_asks_it(lab: Lab, own: Connection, secret: str) -> None:
    before = lab.calls_of(own)
    answer = call(secret)
    assert answer.status_code == 200
    assert answer.json()["outputs"] == {"category": "billing", "reply": "Dear customer"}
    assert lab.calls_of(own) == before + 1


@pytest.mark.parametrize("change", ["model", "format", "gone"])
def test_a_release_does_not_answer_by_another_lm(
    own: Connection, secret: str, admin: User, change: str
) -> None:
    if change == "gone":
        with pytest.raises(Conflict, match="answers for the release “production” of Triage"):
            delete_connection(actor=admin, connection=own)
        own.delete()
    else:
        setattr(own, change, "chat")
        own.save()
    answer = call(secret)
    assert answer.status_code == 503
    assert ("was deleted" if change == "gone" else "Polite") in answer.json()["message"]


def test_a_name_that_nobody_has_is_told_with_its_place(kit: Kit, as_alice: Client) -> None:
    inner = drawing(
        [end("input", "question"), step("ask", "question", "x", lm="lost"), end("output", "x")]
    )
    spec = two_steps("nobody")
    spec["nodes"].append(step("deep", "question", "x", kind="map", parts={"body": inner}))
    told = lm_problems(spec, kit.project)
    assert [(one.code, one.node, one.inside) for one in told] == [
        ("unknown-lm", "n4", ()),
        ("unknown-lm", "deep", ("body", "ask")),
    ]
    assert told[0].message == (
        "word: there is no language model “nobody” in Support. Choose another one for this step, "
        "or none: then the one of the run answers."
    )
    with pytest.raises(Invalid, match=r"cannot run yet: word: .* \(and 1 more\)"):
        require_lms(spec, kit.project)
    # Another project's connection is none of this one's.
    other = builders.make_project("Other", "other")
    builders.make_connection(other, "nobody")
    assert len(lm_problems(spec, kit.project)) == 2
    assert lm_problems({"nodes": 5}, kit.project) == []
    kit.pipeline.spec = two_steps("nobody")
    kit.pipeline.save()
    with pytest.raises(Invalid, match="no language model “nobody”"):
        freeze(actor=kit.actor, pipeline=kit.pipeline)
    body = as_alice.get("/api/projects/support/pipelines/triage/").json()
    assert [problem["code"] for problem in body["problems"]] == ["unknown-lm"]
    checked = as_alice.post(
        "/api/projects/support/pipelines/triage/check/",
        json.dumps({"spec": two_steps("scripted")}),
        content_type="application/json",
    )
    assert checked.json() == {"problems": []}


def test_a_pinned_demo_is_no_test_example(kit: Kit, lab: Lab) -> None:
    rows = [row.values for row in builders.rows_of(kit.dataset, "test")]
    kit.pipeline.spec["nodes"][1]["demos"] = [
        {"message": rows[0]["message"].upper(), "category": rows[0]["category"]}
    ]
    kit.pipeline.save()
    run = services.start_evaluate(
        actor=kit.actor,
        version=freeze(actor=kit.actor, pipeline=kit.pipeline),
        dataset=kit.dataset,
        metric=kit.metric,
        connection=kit.connection,
        max_calls=500,
        kick=False,
    )
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert run.report["confirmed_on"] == len(rows) - 1
    compiled = kit.compile(params=FAST)
    assert compiled.report["confirmed_on"] == len(rows) - 1
