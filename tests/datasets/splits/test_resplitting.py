"""Splitting a dataset anew: what is planned is what is done, and rows stay what they are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.editing.changes import Changes, change, newest, restore
from studio.datasets.models import Block, Dataset, Place
from studio.datasets.splits.choices import Choice, describe, input_columns
from studio.datasets.splits.resplitting import look, make_plan, split_anew
from studio.errors import Conflict, Invalid, NotAllowed
from tests.builders import (
    make_dataset,
    make_project,
    make_signature,
    make_user,
    rows_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice)


def make_messages(project: Project, count: int = 100, **fields: Any) -> Dataset:
    """Messages of three categories by ten customers, all of them for training."""
    labels = ("billing", "billing", "shipping", "refund")
    rows = [
        {
            "message": f"message {n}",
            "category": labels[n % 4],
            "customer": f"customer {n % 10}",
            "fold": ("Training", "validation", "TEST", "extra")[n % 4],
        }
        for n in range(count)
    ]
    fields = {"splits": ["train"] * count, "label_column": "category", **fields}
    return make_dataset(project, rows=rows, mapping={"message": "message"}, **fields)


def splits_of(dataset: Dataset) -> dict[int, str]:
    return {row.number: row.split for row in rows_of(dataset)}


def refused(dataset: Dataset, choice: Choice) -> str:
    """The field that the refusal is about."""
    with pytest.raises(Invalid) as caught:
        make_plan(dataset, choice)
    return str(caught.value.problems[0]["field"])


def test_at_random_by_shares(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    version = split_anew(actor=alice, dataset=dataset, choice=Choice(seed=3))
    assert Counter(splits_of(dataset).values()) == {"train": 60, "dev": 20, "test": 20}
    assert version.kind == "split"
    assert version.message == "At random; train 60 %, dev 20 %, test 20 %; seed 3"
    assert version.changes == {"moved": 40}
    assert AuditEntry.objects.get(action="dataset.split").actor == alice


def test_the_plan_says_what_is_done(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    choice = Choice(way="stratified", column="category", seed=8)
    plan = make_plan(dataset, choice)
    assert splits_of(dataset) == dict.fromkeys(range(1, 101), "train")
    split_anew(actor=alice, dataset=dataset, choice=choice)
    found = rows_of(dataset)
    assert Counter(row.split for row in found) == plan.after
    for label, counts in plan.labels.items():
        mine = Counter(row.split for row in found if row.values["category"] == label)
        assert mine == counts
    assert plan.moved == sum(row.split != "train" for row in found)


def test_a_column_is_spread_evenly(project: Project) -> None:
    plan = make_plan(make_messages(project), Choice(way="stratified", column="category"))
    assert plan.labels == {
        "billing": {"train": 30, "dev": 10, "test": 10},
        "shipping": {"train": 15, "dev": 5, "test": 5},
        "refund": {"train": 15, "dev": 5, "test": 5},
    }
    assert plan.off == 0


def test_shares_in_rows_with_a_rest(project: Project) -> None:
    dataset = make_messages(project)
    plan = make_plan(dataset, Choice(unit="rows", shares=(None, 7, 5)))
    assert plan.after == {"train": 88, "dev": 7, "test": 5}
    assert refused(dataset, Choice(unit="rows", shares=(90, 7, 5))) == "train"
    assert refused(dataset, Choice(unit="rows", shares=(None, 70, 50))) == "train"
    assert refused(dataset, Choice(unit="rows", shares=(None, None, 5))) == "train"


def test_a_percentage_that_is_left_empty_takes_the_rest(project: Project) -> None:
    plan = make_plan(make_messages(project), Choice(shares=(None, 10, 15)))
    assert plan.after == {"train": 75, "dev": 10, "test": 15}


def test_a_split_that_is_kept_neither_loses_nor_gains_rows(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    split_anew(actor=alice, dataset=dataset, choice=Choice())
    before = {number for number, split in splits_of(dataset).items() if split == "test"}
    split_anew(actor=alice, dataset=dataset, choice=Choice(seed=9, keep=("test",)))
    after = splits_of(dataset)
    assert {number for number, split in after.items() if split == "test"} == before
    # The others share the rest as 60 to 20.
    assert Counter(after.values()) == {"train": 60, "dev": 20, "test": 20}


def test_no_group_is_in_two_splits(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    plan = make_plan(dataset, Choice(way="group", group="customer"))
    assert plan.after == {"train": 60, "dev": 20, "test": 20}
    assert plan.groups is not None
    assert (plan.groups.count, plan.groups.across) == (10, 0)
    split_anew(actor=alice, dataset=dataset, choice=plan.choice)
    places: dict[str, set[str]] = {}
    for row in rows_of(dataset):
        places.setdefault(row.values["customer"], set()).add(row.split)
    assert all(len(found) == 1 for found in places.values())


def test_groups_that_share_an_input_stay_together(project: Project, alice: User) -> None:
    rows = [{"message": f"m{n}", "customer": f"c{n}"} for n in range(60)]
    rows += [{"message": "the SAME  thing ", "customer": "c1"}]
    rows += [{"message": "the same thing", "customer": "c2"}]
    dataset = make_dataset(project, rows=rows, mapping={"message": "message"})
    split_anew(actor=alice, dataset=dataset, choice=Choice(way="group", group="customer"))
    found = {row.split for row in rows_of(dataset) if row.values["customer"] in ("c1", "c2")}
    assert len(found) == 1


def test_a_group_that_is_too_large_is_told(project: Project) -> None:
    rows = [{"message": f"m{n}", "customer": "big" if n < 90 else f"c{n}"} for n in range(100)]
    dataset = make_dataset(project, rows=rows, mapping={"message": "message"})
    plan = make_plan(dataset, Choice(way="group", group="customer"))
    assert plan.after == {"train": 90, "dev": 5, "test": 5}
    assert plan.off == 30
    assert any("30 points of percent" in warning for warning in plan.warnings)
    assert plan.groups is not None
    assert (plan.groups.largest[0].name, plan.groups.largest[0].rows) == ("big", 90)


def test_rows_without_a_group_are_no_group(project: Project) -> None:
    rows = [{"message": f"m{n}", "customer": ""} for n in range(100)]
    dataset = make_dataset(project, rows=rows, mapping={"message": "message"})
    plan = make_plan(dataset, Choice(way="group", group="customer"))
    assert plan.after == {"train": 60, "dev": 20, "test": 20}
    assert plan.groups is not None
    assert (plan.groups.count, plan.groups.without) == (0, 100)


def test_groups_across_splits_are_told_with_every_way(project: Project) -> None:
    plan = make_plan(make_messages(project), Choice(group="customer"))
    assert plan.groups is not None
    assert plan.groups.across_before == 0
    assert plan.groups.across == 10
    assert any("10 groups would be in more than one split" in one for one in plan.warnings)


def test_a_columns_values_say_the_splits(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    values = {"Training": "train", "validation": "dev", "TEST": "test"}
    choice = Choice(way="column", column="fold", values=values)
    split_anew(actor=alice, dataset=dataset, choice=choice)
    for row in rows_of(dataset):
        assert row.split == values.get(row.values["fold"], "train")


def test_equal_inputs_of_different_values_go_where_most_say(project: Project) -> None:
    rows = [{"message": text, "fold": fold} for text, fold in (
        ("Hello", "a"), ("hello ", "b"), ("HELLO", "b"), ("x", "b"), (" X", "a"), ("y", "c"),
    )]  # fmt: skip
    dataset = make_dataset(project, rows=rows, splits=["dev"] * 6, mapping={"m": "message"})
    values = {"a": "train", "b": "test"}
    plan = make_plan(dataset, Choice(way="column", column="fold", values=values))
    assert plan.after == {"train": 0, "dev": 1, "test": 5}
    assert plan.duplicates["across"] == 0
    apart = Choice(way="column", column="fold", values=values, together=False)
    plan = make_plan(dataset, apart)
    assert plan.after == {"train": 2, "dev": 1, "test": 3}
    assert plan.duplicates["across"] == 3


def test_equal_inputs_go_together_case_and_blanks_aside(project: Project, alice: User) -> None:
    texts = ["Straße nach  Rom", "STRASSE nach rom ", "\tstrasse\nnach rom"]
    rows = [{"message": f"m{n}", "category": "a"} for n in range(50)]
    rows += [{"message": text, "category": "a"} for text in texts]
    for seed in range(5):
        dataset = make_dataset(
            project, f"messages-{seed}", rows=rows, mapping={"message": "message"}
        )
        split_anew(actor=alice, dataset=dataset, choice=Choice(seed=seed))
        assert len({row.split for row in rows_of(dataset)[-3:]}) == 1
        assert look(dataset)["across"] == 0


def test_leaks_into_a_kept_split_remain_and_are_told(project: Project) -> None:
    rows = [{"message": f"m{n}"} for n in range(60)] + [{"message": "m0"}]
    splits = ["test", *["train"] * 60]
    dataset = make_dataset(project, rows=rows, splits=splits)
    plan = make_plan(dataset, Choice(keep=("test",), shares=(80, 20, None)))
    assert plan.duplicates["across"] == 1
    assert any("because test stays untouched" in warning for warning in plan.warnings)


def test_small_splits_and_missing_labels_are_told(project: Project) -> None:
    plan = make_plan(make_messages(project), Choice(unit="rows", shares=(None, 2, 0)))
    assert any("Only 2 rows would be in dev" in warning for warning in plan.warnings)
    assert any("No row would be in test" in warning for warning in plan.warnings)
    assert any(warning.startswith("No row with “") for warning in plan.warnings)


def test_nothing_is_written_but_a_byte_a_row(project: Project, alice: User) -> None:
    dataset = make_messages(project, 2_000)
    blocks, places = Block.objects.count(), Place.objects.count()
    split_anew(actor=alice, dataset=dataset, choice=Choice())
    assert Block.objects.count() == blocks
    assert Place.objects.count() == 2 * places


def test_a_version_can_be_taken_back(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    before = dataset.fingerprint
    split_anew(actor=alice, dataset=dataset, choice=Choice())
    assert dataset.fingerprint != before
    restore(actor=alice, dataset=dataset, number=1)
    assert dataset.fingerprint == before


def test_the_report_says_what_is_true_now(project: Project, alice: User) -> None:
    labels = {"column": "category", "counts": {"billing": {"train": 100, "dev": 0, "test": 0}}}
    dataset = make_messages(project, report={"labels": labels, "choices": {"seed": 1}})
    split_anew(actor=alice, dataset=dataset, choice=Choice(seed=4, group="customer"))
    report = Dataset.objects.get().report
    assert report["choices"]["group"] == "customer"
    assert report["splits"] == {"train": 60, "dev": 20, "test": 20}
    assert report["duplicates"]["across"] == 0
    assert sum(report["labels"]["counts"]["billing"].values()) == 50
    assert report["choices"]["seed"] == 4


def test_deleted_rows_are_not_drawn_and_stay_deleted(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    change(actor=alice, dataset=dataset, changes=Changes(removed=range(1, 51)))
    version = split_anew(actor=alice, dataset=dataset, choice=Choice())
    assert version.splits == {"train": 30, "dev": 10, "test": 10}
    assert min(splits_of(dataset)) == 51


def test_splitting_again_in_the_same_way_makes_no_version(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    split_anew(actor=alice, dataset=dataset, choice=Choice())
    assert split_anew(actor=alice, dataset=dataset, choice=Choice()).number == 2


def test_what_was_looked_at_has_to_be_the_newest(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    change(actor=alice, dataset=dataset, changes=Changes(removed=[1]))
    with pytest.raises(Conflict):
        split_anew(actor=alice, dataset=dataset, choice=Choice(), base=1)
    assert newest(dataset).number == 2


def test_an_edit_is_seen_by_the_next_plan(project: Project, alice: User) -> None:
    """What was read of a version is remembered; of another version it is not."""
    dataset = make_messages(project)
    assert make_plan(dataset, Choice()).duplicates["rows"] == 0
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"message": "MESSAGE 1 "}}))
    assert make_plan(dataset, Choice()).duplicates["rows"] == 1


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (Choice(way="by heart"), "way"),
        (Choice(unit="tons"), "unit"),
        (Choice(way="stratified"), "column"),
        (Choice(way="stratified", column="nothing"), "column"),
        (Choice(way="group"), "group"),
        (Choice(group="nothing"), "group"),
        (Choice(inputs=("nothing",)), "inputs"),
        (Choice(keep=("exam",)), "keep"),
        (Choice(keep=("train",)), "keep"),
        (Choice(keep=("train", "dev", "test")), "keep"),
        (Choice(shares=(60, 30, 20)), "train"),
        (Choice(shares=(60, 20, 10)), "train"),
        (Choice(shares=(-20, 60, 60)), "train"),
        (Choice(seed=-1), "seed"),
        (Choice(way="column", column="fold"), "values"),
        (Choice(way="column", column="fold", values={"TEST": "exam"}), "keep"),
        (Choice(way="column", column="fold", values={"a": "dev"}, keep=("dev",)), "values"),
        (Choice(way="column", column="message", values={"a": "dev"}), "column"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    project: Project, choice: Choice, field: str
) -> None:
    assert refused(make_messages(project), choice) == field


def test_a_column_of_too_many_values_cannot_be_spread(project: Project) -> None:
    dataset = make_messages(project, 1_200)
    assert refused(dataset, Choice(way="stratified", column="message")) == "column"


def test_a_dataset_without_rows_cannot_be_split(project: Project, alice: User) -> None:
    dataset = make_messages(project)
    change(actor=alice, dataset=dataset, changes=Changes(removed=range(1, 101)))
    with pytest.raises(Invalid):
        make_plan(dataset, Choice())


def test_only_authors_split(project: Project) -> None:
    vera = make_user("vera")
    project.memberships.create(user=vera, role="viewer")
    dataset = make_messages(project)
    with pytest.raises(NotAllowed):
        split_anew(actor=vera, dataset=dataset, choice=Choice())


def test_inputs_are_those_of_the_signature_or_what_is_no_label(project: Project) -> None:
    make_signature(project, "triage")
    report = {"choices": {"signature": "triage"}}
    mapping = {"message": "message", "category": "category", "fold": "fold"}
    assert input_columns(make_messages(project, report=report)) == ("message",)
    dataset = make_messages(project, slug="other")
    dataset.mapping = mapping
    assert input_columns(dataset) == ("message", "fold")
    dataset.mapping = {}
    assert input_columns(dataset) == ("message",)


def test_the_description_says_every_choice() -> None:
    choice = Choice(way="group", group="customer", shares=(None, 20, 5), keep=("test",), seed=2)
    said = "By group “customer”; train the rest, dev 20 %; seed 2; test untouched"
    assert describe(choice) == said
    assert describe(Choice(way="column", column="fold")) == "As “fold” says"
