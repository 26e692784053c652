"""What a scan says of a dataset, kind by kind."""

from __future__ import annotations

import json

from studio.accounts.models import Project
from studio.datasets.models import Waiver
from studio.datasets.scanning.collecting import LISTED
from tests.builders import make_connection, make_dataset, make_signature
from tests.datasets.scanning.builders import listed, make_messages, scan

ASKED = "Where is my parcel today, please?"
LONG = "my {} has not come yet although it was sent last week by the {} you chose"


def test_a_test_row_in_train_is_a_leak(project: Project) -> None:
    dataset = make_messages(
        project, (ASKED, "shipping", "train"), (ASKED.upper(), "shipping", "test")
    )
    found = scan(dataset)
    assert listed(found, "leak") == [[2, 1]]
    assert found["kinds"]["leak"]["open"][0]["exact"]
    assert found["inputs"] == ["message"]
    assert found["label"] == "category"


def test_a_test_row_nearly_on_dev_is_a_leak(project: Project) -> None:
    rows = [(LONG.format(what, "courier"), "shipping", split)
            for what, split in (("parcel", "dev"), ("package", "test"))]  # fmt: skip
    assert listed(scan(make_messages(project, *rows)), "leak") == [[2, 1]]


def test_nearly_the_same_with_another_label_is_a_conflict_and_no_leak(project: Project) -> None:
    dataset = make_messages(
        project,
        (LONG.format("parcel", "courier"), "shipping", "train"),
        (LONG.format("refund", "courier"), "billing", "test"),
    )
    found = scan(dataset)
    assert listed(found, "leak") == []
    assert listed(found, "conflict") == [[1, 2]]


def test_the_same_with_another_label_is_both(project: Project) -> None:
    found = scan(make_messages(project, (ASKED, "a", "train"), (ASKED, "b", "test")))
    assert listed(found, "leak") == [[2, 1]]
    assert listed(found, "conflict") == [[1, 2]]


def test_train_and_dev_overlap(project: Project) -> None:
    found = scan(make_messages(project, (ASKED, "a", "train"), (ASKED, "a", "dev")))
    assert listed(found, "overlap") == [[2, 1]]
    assert listed(found, "leak") == []


def test_repetitions_inside_of_a_split_come_as_clusters(project: Project) -> None:
    rows = [(ASKED, "a", "train")] * 3 + [
        (LONG.format("lamp", "courier"), "a", "dev"),
        (LONG.format("lamps", "courier"), "a", "dev"),
    ]
    found = scan(make_messages(project, *rows))
    assert listed(found, "duplicate") == [[1, 2, 3]]
    assert listed(found, "near") == [[4, 5]]


def test_rare_missing_and_uneven_labels(project: Project) -> None:
    rows = [(f"text {n}", "many", ("train", "dev", "test")[n % 3]) for n in range(130)]
    rows += [(f"other {n}", "some", "train") for n in range(6)] + [("one more", "rare", "train")]
    found = scan(make_messages(project, *rows))
    said = [one["what"] for one in found["kinds"]["balance"]["open"]]
    assert said[0] == "“rare” has only 1 row: fewer than 5 say nothing of it."
    assert said[1] == "“some” does not occur in dev and test."
    assert said[2].startswith("“many” has 130 rows and “rare” 1")
    assert "right in 95% of 137 rows" in found["baseline"]


def test_values_that_do_not_fit_the_signature(project: Project) -> None:
    make_signature(project)
    dataset = make_messages(
        project,
        ("a text", "shipping", "train"),
        ("a secret text", "nothing of the kind", "train"),
        report={"choices": {"signature": "triage"}},
    )
    found = scan(dataset)
    assert listed(found, "type") == [[2]]
    assert "nothing of the kind" not in json.dumps(found["kinds"]["type"])


def test_personal_data_is_hinted_at_and_not_kept(project: Project) -> None:
    found = scan(make_messages(project, ("I am bob@firm.de, call +49 30 1234567", "a", "test")))
    assert found["kinds"]["personal"]["open"][0]["types"] == ["email", "phone"]
    assert "firm" not in json.dumps(found)
    assert "1234567" not in json.dumps(found)


def test_empty_long_and_damaged_inputs(project: Project) -> None:
    make_connection(project, "local", kind="embedded")
    dataset = make_messages(
        project, ("...", "a", "train"), ("word " * 1_000, "a", "dev"), ("cafÃ©", "a", "test")
    )
    found = scan(dataset)
    assert listed(found, "empty") == [[1]]
    assert listed(found, "long") == [[2]]
    assert listed(found, "encoding") == [[3]]


def test_groups_in_several_splits(project: Project) -> None:
    rows = [{"message": f"text {n} of all", "customer_id": f"c{n // 2}"} for n in range(24)]
    splits = ["train", "train"] * 11 + ["train", "test"]
    found = scan(make_dataset(project, rows=rows, splits=splits))
    assert listed(found, "group") == [[23, 24]]


def test_rows_are_compared_by_chosen_columns_alone(project: Project) -> None:
    rows = [{"message": ASKED, "note": "the first of two notes", "category": "a"},
            {"message": ASKED, "note": "quite another one it is", "category": "a"}]  # fmt: skip
    dataset = make_dataset(project, rows=rows, splits=["train", "test"], label_column="category")
    assert listed(scan(dataset), "leak") == []
    assert listed(scan(dataset, about="message"), "leak") == [[2, 1]]


def test_counts_are_exact_and_lists_bounded(project: Project) -> None:
    rows = [(f"me{n}@firm.de", "a", "train") for n in range(LISTED + 30)]
    found = scan(make_messages(project, *rows))["kinds"]["personal"]
    assert found["count"] == LISTED + 30
    assert len(found["open"]) == LISTED


def test_a_waived_finding_makes_room_in_the_list(project: Project) -> None:
    dataset = make_messages(project, (ASKED, "a", "train"), (ASKED, "a", "test"))
    key = scan(dataset)["kinds"]["leak"]["open"][0]["key"]
    Waiver.objects.create(dataset=dataset, kind="leak", key=key, reason="on purpose")
    found = scan(dataset)["kinds"]["leak"]
    assert (found["count"], found["waived"], found["open"]) == (1, 1, [])
    assert found["closed"][0]["key"] == key


def test_a_dataset_without_rows_or_columns(project: Project) -> None:
    assert scan(make_dataset(project, rows=[]))["kinds"] == {}
