"""An artifact says what has changed since it was compiled."""

from __future__ import annotations

from typing import Any

import pytest

from studio.runs.artifacts import edit_artifact
from studio.runs.equipment import collections_hash
from studio.runs.models import Artifact
from studio.runs.roles import candidate_of
from studio.runs.staleness import read_staleness
from tests import builders
from tests.runs.builders import Kit, make_rows

pytestmark = pytest.mark.django_db

FAST = {"candidates": 0, "max_bootstrapped": 0, "max_labeled": 2}


@pytest.fixture
def artifact(kit: Kit) -> Artifact:
    """What a compile ended in."""
    run = kit.compile(params=FAST)
    return Artifact.objects.get(hash=run.report["artifact"])


def changes(artifact: Artifact) -> dict[str, str]:
    """What is said of the artifact as the database has it now."""
    fresh = Artifact.objects.get(pk=artifact.pk)
    return {change.what: change.sentence for change in read_staleness(fresh)}


def redraw(kit: Kit, spec: dict[str, Any]) -> None:
    """Save another drawing."""
    kit.pipeline.spec = spec
    kit.pipeline.save()


def test_nothing_is_said_when_nothing_changed(artifact: Artifact) -> None:
    assert changes(artifact) == {}


def test_where_a_node_lies_is_no_change(kit: Kit, artifact: Artifact) -> None:
    spec = builders.make_spec()
    spec["nodes"][1]["position"] = {"x": 7, "y": 7}
    redraw(kit, spec)
    assert changes(artifact) == {}


def test_a_changed_instruction_is_a_changed_pipeline(kit: Kit, artifact: Artifact) -> None:
    spec = builders.make_spec()
    spec["nodes"][1]["signature"]["instruction"] = "Sort it."
    redraw(kit, spec)
    assert changes(artifact) == {
        "pipeline": "The pipeline Triage was changed after version 1.",
    }


def test_a_new_bound_is_a_changed_constraint_and_nothing_else(
    kit: Kit, artifact: Artifact
) -> None:
    spec = builders.make_spec()
    spec["nodes"][1]["signature"]["fields"][0]["constraints"] = {"max_length": 500}
    redraw(kit, spec)
    found = changes(artifact)
    assert list(found) == ["constraints"]
    assert "must satisfy" in found["constraints"]


def test_a_changed_dataset_is_named(kit: Kit, artifact: Artifact) -> None:
    kit.dataset.fingerprint, kit.dataset.row_count = "other", 50
    kit.dataset.save()
    assert changes(artifact) == {
        "dataset": "The dataset Messages was changed; it has 50 rows now."
    }


def test_a_dataset_that_is_gone_is_said(kit: Kit, artifact: Artifact) -> None:
    kit.dataset.delete()
    assert changes(artifact) == {"dataset": "The dataset that it learned from was deleted."}


def test_the_same_rows_under_another_name_are_the_same(kit: Kit, artifact: Artifact) -> None:
    kit.dataset.delete()
    builders.make_dataset(kit.project, "again", rows=make_rows())
    assert changes(artifact) == {}


def test_a_changed_metric_is_named(kit: Kit, artifact: Artifact) -> None:
    kit.metric.params = {"field": "category", "normalise": False}
    kit.metric.save()
    assert "The metric Exact was changed" in changes(artifact)["metric"]


def test_a_metric_that_is_gone_is_said(kit: Kit, artifact: Artifact) -> None:
    kit.metric.delete()
    assert changes(artifact) == {"metric": "The metric that it was chosen by was deleted."}


def test_another_model_behind_the_connection_is_named(kit: Kit, artifact: Artifact) -> None:
    kit.connection.model = "echo"
    kit.connection.save()
    sentence = changes(artifact)["lm"]
    assert "leads to echo now" in sentence
    assert "compiled for support-triage" in sentence


def test_the_same_model_at_another_server_is_named(kit: Kit, artifact: Artifact) -> None:
    kit.connection.base_url = "http://other/v1"
    kit.connection.save()
    assert "support-triage at http://other/v1" in changes(artifact)["lm"]


def test_another_format_is_a_change_of_the_lm(kit: Kit, artifact: Artifact) -> None:
    kit.connection.format = "json"
    kit.connection.save()
    assert "its format" in changes(artifact)["lm"]


def test_a_new_key_or_price_is_no_change(kit: Kit, artifact: Artifact) -> None:
    kit.connection.encrypted_key = "x"
    kit.connection.prompt_price = 3
    kit.connection.concurrency = 1
    kit.connection.save()
    assert changes(artifact) == {}


def test_a_connection_that_is_gone_is_said(kit: Kit, artifact: Artifact) -> None:
    kit.connection.delete()
    assert "was deleted" in changes(artifact)["lm"]


@pytest.mark.parametrize("role", ["teacher", "proposer"])
def test_a_role_that_changed_or_went_is_said(kit: Kit, role: str) -> None:
    helper = builders.make_connection(kit.project, "helper")
    run = kit.compile(params=FAST, **{role: helper})
    artifact = Artifact.objects.get(hash=run.report["artifact"])
    assert changes(artifact) == {}
    helper.model = "other"
    helper.save()
    assert "changed" in changes(artifact)[role]
    helper.delete()
    assert "deleted" in changes(artifact)[role]


def test_a_collection_that_changed_or_went_is_said(kit: Kit, artifact: Artifact) -> None:
    shelf = builders.make_dataset(
        kit.project, "shelf", rows=[{"text": "A rule."}], splits=["train"]
    )
    spec = {
        "nodes": [
            {"id": "r", "kind": "retrieve", "name": "look", "params": {"collection": "shelf"}}
        ]
    }
    then = collections_hash(spec, kit.project)
    assert then, "the step names its collection"
    artifact.content = {
        **artifact.content,
        "spec": spec,
        "hashes": {**artifact.content["hashes"], "collections": then},
    }
    artifact.save()
    assert "collections" not in changes(artifact)
    shelf.fingerprint = "other"
    shelf.save()
    assert "looks into was changed" in changes(artifact)["collections"]
    shelf.delete()
    assert "shelf" in changes(artifact)["collections"]


def test_an_edited_artifact_is_as_stale_as_its_parent(kit: Kit, artifact: Artifact) -> None:
    candidate = candidate_of(artifact)
    edited, _ = edit_artifact(
        actor=kit.actor, parent=artifact, candidate=type(candidate)(candidate.states)
    )
    assert changes(edited) == {}
    kit.dataset.delete()
    assert set(changes(edited)) == {"dataset"}


def test_hashes_that_an_old_artifact_does_not_have_are_not_compared(
    kit: Kit, artifact: Artifact
) -> None:
    artifact.content = {**artifact.content, "hashes": {}}
    artifact.save()
    kit.dataset.delete()
    kit.metric.delete()
    assert changes(artifact) == {}


def test_a_run_that_is_gone_leaves_what_can_be_compared(kit: Kit, artifact: Artifact) -> None:
    assert artifact.run is not None
    artifact.run.delete()
    assert changes(artifact) == {}
    kit.metric.delete()
    assert set(changes(artifact)) == {"metric"}
