"""Datasets: examples, fingerprints, rows that come from code."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studio.accounts.models import Project, User
from studio.datasets import services
from studio.datasets.editing.changes import Changes, change, settle
from studio.datasets.editing.rewriting import Rewrite
from studio.datasets.models import Block, Dataset, Place
from studio.datasets.splits.sealing import seal
from studio.engine.signature import Signature
from studio.errors import Conflict, Invalid, NotFound
from tests import builders
from tests.datasets.builders import keep_upload, make_csv, upload_file

FIELDS = Signature.parse("message -> category: enum[billing, shipping]").fields


def test_examples_have_field_names_and_types(project: Project) -> None:
    rows = [{"Text": "a", "n": "3"}, {"Text": "b", "n": "4"}]
    dataset = builders.make_dataset(
        project, rows=rows, splits=["train", "test"], mapping={"message": "Text", "count": "n"}
    )
    fields = Signature.parse("message -> count: int").fields
    [example] = services.examples(dataset, fields, split="train")
    assert dict(example.values) == {"message": "a", "count": 3}


def test_a_field_finds_a_column_of_its_name_without_a_mapping(project: Project) -> None:
    dataset = builders.make_dataset(
        project, rows=[{"Message ": "a", "CATEGORY": " Billing."}], splits=["train"], mapping={}
    )
    [example] = services.examples(dataset, FIELDS, split="train")
    assert dict(example.values) == {"message": "a", "category": "billing"}


def test_an_output_without_a_column_is_left_out(project: Project) -> None:
    dataset = builders.make_dataset(project, rows=[{"message": "a"}], splits=["dev"])
    [example] = services.examples(dataset, FIELDS, split="dev")
    assert dict(example.values) == {"message": "a"}


def test_an_input_without_a_column_is_told(project: Project) -> None:
    dataset = builders.make_dataset(project, rows=[{"text": "a"}], splits=["train"])
    with pytest.raises(Invalid, match=r"for the input “message”\. Its columns are text"):
        services.examples(dataset, FIELDS, split="train")


def test_rows_that_do_not_fit_are_told_with_their_numbers(project: Project) -> None:
    rows = [{"message": "a", "category": word} for word in ("billing", "refund", "x")]
    dataset = builders.make_dataset(project, rows=rows, splits=["train"] * 3)
    with pytest.raises(Invalid, match="2 rows cannot be read") as caught:
        services.examples(dataset, FIELDS, split="train")
    assert [problem[:6] for problem in caught.value.problems] == ["Row 2:", "Row 3:"]


def test_rows_from_code_make_the_same_dataset_as_a_file(alice: User, project: Project) -> None:
    uploaded = keep_upload(alice, upload_file(alice, project, make_csv()))
    rows = [(row.values, row.split) for row in builders.rows_of(uploaded)]
    made = services.add_dataset_from_rows(
        actor=alice,
        project=project,
        name="Messages",
        slug="again",
        columns=uploaded.columns,
        mapping=uploaded.mapping,
        rows=iter(rows),
    )
    assert made.fingerprint == uploaded.fingerprint
    assert made.row_count == 4
    assert made.report["labels"]["counts"] == uploaded.report["labels"]["counts"]
    assert made.report["splits"] == uploaded.report["splits"]


def test_the_fingerprint_knows_values_splits_and_mapping(alice: User, project: Project) -> None:
    base = make_csv()
    prints = {
        keep_upload(alice, upload_file(alice, project, content)).fingerprint
        for content in (
            base,
            base,
            base.replace("parcel", "letter"),
            base.replace("dev", "test"),
            base.replace("message,", "text,"),
        )
    }
    assert len(prints) == 4


def test_a_taken_address_and_a_wrong_split_keep_nothing(alice: User, project: Project) -> None:
    builders.make_dataset(project, "messages")
    for slug, split, error in (("messages", "train", Conflict), ("other", "holdout", Invalid)):
        with pytest.raises(error):
            services.add_dataset_from_rows(
                actor=alice,
                project=project,
                name="X",
                slug=slug,
                columns=["a"],
                mapping={"a": "a"},
                rows=[({"a": "1"}, split)],
            )
    assert Dataset.everything.count() == 1


def test_strangers_cannot_add_or_delete(charlie: User, project: Project) -> None:
    dataset = builders.make_dataset(project)
    with pytest.raises(NotFound):
        services.delete_dataset(actor=charlie, dataset=dataset)
    with pytest.raises(NotFound):
        services.add_dataset_from_rows(
            actor=charlie, project=project, name="X", slug="x", columns=[], mapping={}, rows=[]
        )


def test_counts_are_found_without_a_report(project: Project) -> None:
    dataset = builders.make_dataset(project)
    assert services.split_counts(dataset) == {"train": 2, "dev": 2, "test": 2}


def test_a_deleted_dataset_cannot_be_changed(alice: User, project: Project) -> None:
    dataset = builders.make_dataset(project)
    services.delete_dataset(actor=alice, dataset=Dataset.objects.get(pk=dataset.pk))
    with pytest.raises(NotFound, match="was deleted"):
        change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"message": "x"}}))
    with pytest.raises(NotFound, match="was deleted"):
        settle(alice, dataset, lambda: Rewrite(dataset), kind="edit")
    with pytest.raises(NotFound, match="was deleted"):
        seal(actor=alice, dataset=dataset)


def test_to_delete_a_dataset_no_block_is_read(alice: User, project: Project) -> None:
    rows = [{"message": f"number {n}"} for n in range(1_500)]
    dataset = builders.make_dataset(project, rows=rows)
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"message": "x"}}))
    with CaptureQueriesContext(connection) as queries:
        services.delete_dataset(actor=alice, dataset=dataset)
    read = [one["sql"] for one in queries if one["sql"].startswith("SELECT")]
    assert read
    assert not [sql for sql in read if '"data"' in sql or '"splits"' in sql.split("WHERE")[0]]
    assert not Block.objects.exists()
    assert not Place.objects.exists()
