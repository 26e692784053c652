"""Tries and rows of evaluations that become rows of a dataset."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.datasets.models import Dataset
from studio.runs.models import Run
from tests.builders import make_dataset, make_run, make_signature, rows_of


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Six messages, mapped to `message -> category`."""
    make_signature(project, "triage")
    return make_dataset(project, report={"choices": {"signature": "triage"}})


@pytest.fixture
def tried(project: Project) -> Run:
    """A try that has answered."""
    return make_run(
        project,
        kind=Run.Kind.TRY,
        state="succeeded",
        params={"inputs": {"message": "Where is my <box>?"}},
        report={"outputs": {"category": "billing"}},
    )


def url_of(run: Run, example: str = "") -> str:
    """Of the page that adds it."""
    part = f"results/{example}/" if example else ""
    return f"/p/support/runs/{run.pk}/{part}to-dataset/"


def form(**said: Any) -> dict[str, Any]:
    """What the page sends."""
    return {
        "dataset": "messages", "split": "dev", "action": "add",
        "input:message": "Where is my <box>?", "kind:input:message": "text",
        "output:category": "shipping", "kind:output:category": "text", **said,
    }  # fmt: skip


def test_a_try_is_corrected_and_added(as_alice: Client, tried: Run, dataset: Dataset) -> None:
    page = as_alice.get(url_of(tried)).content.decode()
    assert "Where is my &lt;box&gt;?</textarea>" in page
    assert '<option value="billing" selected>' in page
    assert as_alice.post(url_of(tried), form()).status_code == 302
    row = rows_of(dataset)[-1]
    assert row.values == {"message": "Where is my <box>?", "category": "shipping"}
    assert row.split == "dev"
    assert dataset.versions.get(number=2).message.startswith("From a try of")


def test_its_page_leads_there(as_alice: Client, as_bob: Client, tried: Run) -> None:
    assert url_of(tried) in as_alice.get(tried.get_absolute_url()).content.decode()


def test_inputs_that_are_there_already_are_told(
    as_alice: Client, tried: Run, dataset: Dataset
) -> None:
    said = form(**{"input:message": "When will my order arrive?"})
    asked = as_alice.post(url_of(tried), said)
    assert asked.status_code == 422
    assert "Row 6 of “Messages” has the same inputs already" in asked.content.decode()
    assert as_alice.post(url_of(tried), {**said, "again": "yes"}).status_code == 302
    assert len(rows_of(dataset)) == 7


def test_a_label_that_is_none_asks_first(as_alice: Client, tried: Run, dataset: Dataset) -> None:
    said = form(**{"output:category": "refund"})
    assert as_alice.post(url_of(tried), said).status_code == 422
    assert as_alice.post(url_of(tried), {**said, "sure": "yes"}).status_code == 302


def test_a_sealed_test_split_takes_nothing(as_alice: Client, tried: Run, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    assert '<option value="test"' not in as_alice.get(url_of(tried)).content.decode()
    assert as_alice.post(url_of(tried), form(split="test")).status_code == 422
    assert dataset.versions.count() == 1


@pytest.mark.parametrize("said", [{"dataset": "nope"}, {"split": "holdout"}, {"split": ""}])
def test_what_is_said_wrong_is_told(
    as_alice: Client, tried: Run, dataset: Dataset, said: dict[str, str]
) -> None:
    assert as_alice.post(url_of(tried), form(**said)).status_code in (404, 422)
    assert dataset.versions.count() == 1


def test_without_a_dataset_it_says_what_to_do(as_alice: Client, tried: Run) -> None:
    assert "No dataset yet" in as_alice.get(url_of(tried)).content.decode()
    assert as_alice.post(url_of(tried), form(dataset="")).status_code == 422


def test_a_try_that_runs_is_not_added(as_alice: Client, project: Project) -> None:
    for kind, state in ((Run.Kind.TRY, "queued"), (Run.Kind.COMPILE, "succeeded")):
        run = make_run(project, kind=kind, state=state)
        assert as_alice.get(url_of(run)).status_code == 422


def evaluated(project: Project, dataset: Dataset, split: str = "dev") -> Run:
    """An evaluation with one answer."""
    run = make_run(
        project, kind=Run.Kind.EVALUATE, state="succeeded", compiler="", dataset=dataset,
        dataset_number=1, params={"split": split},
    )  # fmt: skip
    run.scores.create(
        candidate="c" * 64, example="e" * 64, value=0.0, split=split, number=2,
        gold={"message": "My parcel?", "category": "billing"},
        prediction={"values": {"category": "shipping"}, "steps": []},
    )  # fmt: skip
    return run


def test_a_row_of_an_evaluation_is_added(
    as_alice: Client, project: Project, dataset: Dataset
) -> None:
    run = evaluated(project, dataset)
    page = as_alice.get(url_of(run, "e" * 64)).content.decode()
    assert "My parcel?</textarea>" in page
    assert 'It was answered: <span class="whitespace-pre-wrap">shipping</span>' in page
    as_alice.post(url_of(run, "e" * 64), form(**{"input:message": "My parcel?"}))
    assert rows_of(dataset)[-1].values == {"message": "My parcel?", "category": "shipping"}
    assert as_alice.get(url_of(run, "f" * 64)).status_code == 404


def test_a_row_of_a_sealed_test_split_is_not_shown(
    as_alice: Client, project: Project, dataset: Dataset
) -> None:
    run = evaluated(project, dataset, "test")
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    answer = as_alice.get(url_of(run, "e" * 64))
    assert answer.status_code == 409
    assert "My parcel?" not in answer.content.decode()


def test_only_authors_add(as_charlie: Client, project: Project, tried: Run) -> None:
    from tests.builders import make_client, make_user

    vera = make_user("vera")
    project.memberships.create(user=vera, role="viewer")
    assert as_charlie.post(url_of(tried), form()).status_code == 404
    assert make_client(vera).post(url_of(tried), form()).status_code == 403
