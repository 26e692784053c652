"""Artifacts as files: what is in them, who gets them, and what cannot be written."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.graph import build
from studio.engine.saving.programs import load_program
from studio.errors import Invalid, NotFound
from studio.reviews.exports import EXPORTS, export_artifact
from studio.reviews.models import Review
from studio.runs.models import Artifact
from tests import builders

pytestmark = pytest.mark.django_db

DEMO = Demo(values={"message": "Zwei Rechnungen für “März” 🙂", "category": "billing"})
COMPILED = Candidate({"classify": PredictorState(instruction="Sort it\nwell.", demos=(DEMO,))})


def make_compiled(
    project: Project, candidate: Candidate = COMPILED, *, spec: Any = None, **content: Any
) -> Artifact:
    """An artifact of the one-step pipeline, compiled into `candidate`."""
    version = builders.make_version(builders.make_pipeline(project, spec=spec))
    content = {
        "spec": version.spec,
        "candidate": candidate.to_dict(),
        "format": "chat",
        "compiler": "random-search",
        "lm": {"kind": "scripted", "model": "support-triage", "base_url": "http://10.0.0.7/v1"},
        **content,
    }
    return builders.make_artifact(project, version=version, content=content)


@pytest.fixture
def compiled(project: Project) -> Artifact:
    """What somebody compiled."""
    return make_compiled(project)


def address(artifact: Artifact, kind: str) -> str:
    return f"/p/{artifact.project.slug}/artifacts/{artifact.hash}/{kind}/"


def test_a_program_comes_back_as_it_was(alice: User, compiled: Artifact) -> None:
    file = export_artifact(actor=alice, artifact=compiled, kind="program")
    loaded = load_program(file.content)
    assert loaded.spec == compiled.content["spec"]
    assert loaded.candidate == COMPILED
    provenance = json.loads(file.content)["provenance"]
    assert provenance["artifact"] == compiled.hash
    assert (provenance["pipeline"], provenance["lm"]) == ("Triage", "support-triage")
    assert b"10.0.0.7" not in file.content, "the address of the LM stays here"


def test_messages_and_rows_hold_what_the_lm_reads(alice: User, compiled: Artifact) -> None:
    told = json.loads(export_artifact(actor=alice, artifact=compiled, kind="messages").content)
    assert told["layout"] == "chat"
    assert "Sort it\nwell." in json.dumps(told["predictors"]["classify"], indent=0).replace(
        "\\n", "\n"
    )
    rows = export_artifact(actor=alice, artifact=compiled, kind="finetuning").content
    assert rows.endswith(b"\n")
    (row,) = [json.loads(line) for line in rows.decode().splitlines()]
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
    assert "März” 🙂" in row["messages"][1]["content"]
    assert "billing" in row["messages"][2]["content"]


def test_messages_of_a_base_model_are_a_prompt(alice: User, project: Project) -> None:
    artifact = make_compiled(project, format="completion")
    told = json.loads(export_artifact(actor=alice, artifact=artifact, kind="messages").content)
    assert told["layout"] == "completion"
    assert "{{message}}" in told["predictors"]["classify"]["prompt"]


def test_dspy_gets_two_files_and_the_same_archive_each_time(
    alice: User, compiled: Artifact
) -> None:
    file = export_artifact(actor=alice, artifact=compiled, kind="dspy")
    assert file.content == export_artifact(actor=alice, artifact=compiled, kind="dspy").content
    with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
        assert packed.namelist() == ["program.py", "program.json"]
        assert packed.testzip() is None
        compile(packed.read("program.py"), "program.py", "exec")
        state = json.loads(packed.read("program.json"))
    assert state["steps['classify']"]["signature"]["instructions"] == "Sort it\nwell."


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_kind_is_a_download_with_a_safe_name(
    compiled: Artifact, as_bob: Client, kind: str
) -> None:
    answer = as_bob.get(address(compiled, kind))
    assert answer.status_code == 200
    assert answer.content
    assert answer.headers["Content-Type"] == EXPORTS[kind].media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="triage-[0-9a-f]{12}[a-z.-]+"', disposition)


def test_a_step_that_dspy_does_not_have_is_told_on_the_page(
    project: Project, as_alice: Client
) -> None:
    spec = builders.make_spec(kind="majority")
    artifact = make_compiled(project, build(spec).candidate(), spec=spec)
    without_review = as_alice.get(address(artifact, "dspy"), follow=True)
    assert without_review.redirect_chain == [("/p/support/reviews/", 302)]
    page = without_review.content.decode()
    assert "“classify” is of a kind (Majority) that DSPy has no equal for" in page
    assert "export it as messages" in page
    review = Review.objects.create(project=project, artifact=artifact)
    answer = as_alice.get(address(artifact, "dspy"))
    assert answer.headers["Location"] == review.get_absolute_url()


def test_the_reason_stands_on_the_page(project: Project, as_alice: Client) -> None:
    spec = builders.make_spec()
    fields = spec["nodes"][0]["fields"] + spec["nodes"][1]["signature"]["fields"][:1]
    for field in fields:
        field["name"] = "config"
    spec["edges"][0] |= {"source_field": "config", "target_field": "config"}
    state = PredictorState(instruction="Sort it.")
    artifact = make_compiled(project, Candidate({"classify": state}), spec=spec)
    Review.objects.create(project=project, artifact=artifact)
    page = as_alice.get(address(artifact, "dspy"), follow=True).content.decode()
    assert "a name that DSPy keeps for itself" in page
    page = as_alice.get(address(artifact, "finetuning"), follow=True).content.decode()
    assert "no rows to learn from" in page


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_artifact_that_does_not_fit_its_pipeline_says_so(
    alice: User, project: Project, kind: str
) -> None:
    for artifact in (
        make_compiled(project, Candidate({"other": PredictorState(instruction="x")})),
        builders.make_artifact(project),
        builders.make_artifact(project, content={"spec": {"version": 99}, "candidate": {}}),
    ):
        with pytest.raises(Invalid):
            export_artifact(actor=alice, artifact=artifact, kind=kind)


def test_a_kind_that_does_not_exist_is_404(
    alice: User, compiled: Artifact, as_alice: Client
) -> None:
    with pytest.raises(NotFound, match="Choose program, messages, finetuning, dspy"):
        export_artifact(actor=alice, artifact=compiled, kind="pickle")
    assert as_alice.get(address(compiled, "pickle")).status_code == 404
    assert as_alice.get(f"/p/support/artifacts/{'0' * 64}/program/").status_code == 404
    assert as_alice.post(address(compiled, "program")).status_code == 405


def test_a_viewer_may_and_a_stranger_cannot_tell_that_it_is_there(
    compiled: Artifact, charlie: User, as_charlie: Client, client: Client
) -> None:
    viewer = builders.make_user("vera")
    compiled.project.memberships.create(user=viewer, role="viewer")
    assert builders.make_client(viewer).get(address(compiled, "program")).status_code == 200
    assert as_charlie.get(address(compiled, "program")).status_code == 404
    with pytest.raises(NotFound):
        export_artifact(actor=charlie, artifact=compiled, kind="program")
    assert client.get(address(compiled, "program")).status_code == 302, "sign in first"


def test_an_artifact_of_another_project_is_not_found(
    compiled: Artifact, alice: User, as_alice: Client
) -> None:
    builders.make_project("Other", "other", admin=alice)
    assert as_alice.get(f"/p/other/artifacts/{compiled.hash}/program/").status_code == 404


def test_the_page_of_a_review_offers_every_kind(review: Review, as_bob: Client) -> None:
    page = as_bob.get(review.get_absolute_url()).content.decode()
    for kind, export in EXPORTS.items():
        assert f'href="{address(review.artifact, kind)}"' in page
        assert export.title in page
        assert as_bob.get(address(review.artifact, kind)).status_code == 200
