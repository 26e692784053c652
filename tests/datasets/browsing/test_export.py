"""Datasets as files: whole, inert in CSV, and without what is sealed."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Dataset
from tests.builders import make_client, make_dataset, make_user

pytestmark = pytest.mark.django_db
ROWS: list[dict[str, Any]] = [
    {"text": "=SUM(A1)", "n": 1, "more": {"a": [1]}},
    {"text": "a, “b”\nc", "n": -2.5},
    {"text": "'quoted", "n": 0},
]


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Three odd rows: train, dev, test."""
    return make_dataset(project, "odd", rows=ROWS)


def fetch(client: Client, kind: str, query: str = "") -> str:
    answer = client.get(f"/p/support/datasets/odd/export/{kind}/{query}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_json_lines_hold_every_value_as_it_is(as_alice: Client, dataset: Dataset) -> None:
    lines = [json.loads(line) for line in fetch(as_alice, "jsonl").splitlines()]
    splits = ["train", "dev", "test"]
    assert lines == [{**row, "split": split} for row, split in zip(ROWS, splits, strict=True)]


def test_csv_runs_nothing(as_alice: Client, dataset: Dataset) -> None:
    header, *rows = csv.reader(fetch(as_alice, "csv").splitlines(keepends=True))
    assert header == ["text", "n", "more", "split"]
    assert rows[0] == ["'=SUM(A1)", "1", '{"a":[1]}', "train"]
    assert rows[1] == ["a, “b”\nc", "-2.5", "", "dev"]


def test_a_split_a_version_and_a_name(as_alice: Client, alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"text": "new"}}))
    answer = as_alice.get("/p/support/datasets/odd/export/jsonl/?split=train&version=1")
    assert 'filename="odd-v1-train.jsonl"' in answer["Content-Disposition"]
    assert "=SUM" in fetch(as_alice, "jsonl", "?split=train&version=1")
    assert json.loads(fetch(as_alice, "jsonl", "?split=train"))["text"] == "new"
    entry = AuditEntry.objects.filter(action="dataset.export").latest("pk")
    assert entry.subject == dataset.name


def test_a_column_that_is_called_split_stays(as_alice: Client, project: Project) -> None:
    make_dataset(project, "odd", rows=[{"split": "left"}])
    assert json.loads(fetch(as_alice, "jsonl")) == {"split": "left", "split_": "train"}


def test_sealed_rows_stay_here(as_alice: Client, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    assert "quoted" not in fetch(as_alice, "csv")
    assert fetch(as_alice, "jsonl", "?split=test") == ""


@pytest.mark.parametrize("query", ["?split=all", "?version=x", "?version=0", f"?version={9**30}"])
def test_nonsense_is_refused(as_alice: Client, dataset: Dataset, query: str) -> None:
    assert as_alice.get(f"/p/support/datasets/odd/export/csv/{query}").status_code == 422


def test_what_is_not_there_is_not_found(as_alice: Client, dataset: Dataset) -> None:
    assert as_alice.get("/p/support/datasets/odd/export/csv/?version=7").status_code == 404
    assert as_alice.get("/p/support/datasets/odd/export/xlsx/").status_code == 404
    stranger = make_client(make_user("charlie"))
    assert stranger.get("/p/support/datasets/odd/export/csv/").status_code == 404
