"""Bulk edits: every operation, its preview, whom it concerns, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from studio.accounts.models import Project, User
from studio.datasets import blocks
from studio.datasets.browsing.filtering import Condition, Query
from studio.datasets.editing import operations
from studio.datasets.editing.bulk import Preview, Selection, apply, preview
from studio.datasets.editing.changes import Changes, change, get_version, restore
from studio.datasets.editing.operations import OPERATIONS, Operation
from studio.datasets.models import Block, Dataset, Place, Version
from studio.errors import Conflict, Invalid, NotFound
from tests.builders import make_dataset, rows_of

ALL = Selection()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows a block, so that few rows have many blocks."""
    monkeypatch.setattr(blocks, "ROWS", 4)


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Ten messages in three blocks, labelled in turn."""
    rows = [
        {"text": f"  Message   {n} ", "label": "A" if n % 2 else "b", "n": n} for n in range(1, 11)
    ]
    labels = {"A": {"train": 4, "dev": 0, "test": 1}, "b": {"train": 4, "dev": 0, "test": 1}}
    splits = ["train"] * 8 + ["test"] * 2
    report = {"labels": {"column": "label", "counts": labels}}
    return make_dataset(project, rows=rows, splits=splits, report=report, label_column="label")


def values(dataset: Dataset, column: str) -> list[Any]:
    """A column's values."""
    return [row.values.get(column) for row in rows_of(dataset)]


def run(alice: User, dataset: Dataset, selection: Selection = ALL, **what: Any) -> Preview:
    """Preview and apply; both say the same."""
    operation = Operation(**what)
    seen = preview(dataset, operation, selection)
    assert seen.is_whole
    before = dataset.number
    version = apply(
        actor=alice, dataset=dataset, operation=operation, selection=selection, base=before
    )
    count = sum(version.changes.values()) if version.number > before else 0
    assert seen.rows == count
    return seen


def test_a_column_is_set_where_it_differs(alice: User, dataset: Dataset) -> None:
    seen = run(alice, dataset, kind="set", column="label", value="b")
    assert (seen.rows, seen.found) == (5, 10)
    assert [(one.number, one.was, one.now) for one in seen.changes[:2]] == [
        (1, "A", "b"),
        (3, "A", "b"),
    ]
    assert set(values(dataset, "label")) == {"b"}
    assert dataset.report["labels"]["counts"] == {"b": {"train": 8, "dev": 0, "test": 2}}
    version = get_version(dataset, 2)
    assert (version.kind, version.changes) == (Version.Kind.EDIT, {"changed": 5})
    assert version.message == "“label” set to “b”"


def test_what_changes_nothing_makes_no_version(alice: User, dataset: Dataset) -> None:
    seen = run(alice, dataset, kind="replace", column="text", find="nowhere", replacement="x")
    assert (seen.rows, dataset.number) == (0, 1)


def test_blocks_without_a_change_are_shared(alice: User, dataset: Dataset) -> None:
    before = set(Block.objects.values_list("pk", flat=True))
    run(alice, dataset, kind="replace", column="text", find="10", replacement="ten")
    assert Block.objects.exclude(pk__in=before).count() == 1
    assert Place.objects.filter(dataset=dataset, first=2).count() == 1


def test_find_and_replace_takes_texts_literally(alice: User, dataset: Dataset) -> None:
    run(alice, dataset, kind="replace", column="text", find="message", replacement=r"\1.")
    assert dataset.number == 1
    run(
        alice, dataset, kind="replace", column="text", find="MESSAGE", replacement=r"\1.",
        any_case=True,
    )  # fmt: skip
    assert values(dataset, "text")[0] == "  \\1.   1 "


def test_a_pattern_has_groups(alice: User, dataset: Dataset) -> None:
    run(
        alice, dataset, kind="replace", column="text", find=r"\s*(\w+)\s+(\d+)\s*",
        replacement=r"\2 \1", is_regex=True,
    )  # fmt: skip
    assert values(dataset, "text")[-1] == "10 Message"


@pytest.mark.parametrize(
    ("find", "replacement", "why"),
    [("(", "x", "is not a pattern"), ("x", r"\1", "is not a pattern"), ("", "x", "to be found")],
)
def test_patterns_that_are_none_are_refused(
    alice: User, dataset: Dataset, find: str, replacement: str, why: str
) -> None:
    operation = Operation(
        kind="replace", column="text", find=find, replacement=replacement, is_regex=True
    )
    with pytest.raises(Invalid, match=why):
        preview(dataset, operation, ALL)
    with pytest.raises(Invalid, match=why):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)


def test_a_pattern_that_never_ends_is_stopped(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.datasets.editing.operations.REPLACE_SECONDS", 0.05)
    dataset = make_dataset(project, rows=[{"text": "a" * 60 + "!"}])
    operation = Operation(
        kind="replace", column="text", find=r"^(a|aa|a?)+$", replacement="", is_regex=True
    )
    with pytest.raises(Invalid, match="takes longer than"):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)
    assert Version.objects.filter(dataset=dataset).count() == 1


def test_a_cell_does_not_grow_beyond_bounds(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.datasets.editing.operations.MAX_CELL", 1_000)
    dataset = make_dataset(project, rows=[{"text": "a" * 100}])
    operation = Operation(kind="replace", column="text", find="a", replacement="b" * 100)
    with pytest.raises(Invalid, match="more than 1,000 characters"):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)


def test_blanks_are_tidied_and_breaks_stay(alice: User, project: Project) -> None:
    dataset = make_dataset(
        project, rows=[{"t": " a \t b \n\n  c\u00a0 "}, {"t": "a b"}, {"t": " "}, {"t": 3}]
    )
    seen = run(alice, dataset, kind="trim", column="t")
    assert values(dataset, "t") == ["a b\n\nc", "a b", None, 3]
    assert seen.rows == 2


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("lower", "über uns"),
        ("upper", "ÜBER UNS"),
        ("title", "Über Uns"),
        ("sentence", "Über uns"),
    ],
)
def test_letters_change_case(alice: User, project: Project, case: str, expected: str) -> None:
    dataset = make_dataset(project, rows=[{"t": "üBER uns"}, {"t": 3}])
    run(alice, dataset, kind="case", column="t", case=case)
    assert values(dataset, "t") == [expected, 3]


def test_rows_move_to_a_split(alice: User, dataset: Dataset) -> None:
    condition = Condition("label", "is", "A")
    seen = run(
        alice, dataset, Selection(query=Query(conditions=(condition,))), kind="split", split="dev"
    )
    assert (seen.rows, seen.found) == (5, 5)
    assert (seen.changes[0].was, seen.changes[0].now) == ("train", "dev")
    assert dataset.report["splits"] == {"train": 4, "dev": 5, "test": 1}
    assert get_version(dataset, 2).kind == Version.Kind.SPLIT
    assert not Block.objects.filter(places=None).exists()


def test_ticked_rows_are_deleted(alice: User, dataset: Dataset) -> None:
    run(alice, dataset, Selection(numbers={2, 9, 99}), kind="delete")
    assert [row.number for row in rows_of(dataset)] == [1, 3, 4, 5, 6, 7, 8, 10]
    assert get_version(dataset, 2).changes == {"removed": 2}


def test_a_column_gets_another_name(alice: User, dataset: Dataset) -> None:
    before = dict(dataset.report["labels"]["counts"])
    run(alice, dataset, Selection(numbers={1}), kind="rename", column="label", name=" topic ")
    assert dataset.columns == ["text", "topic", "n"]
    assert dataset.mapping == {"text": "text", "label": "topic", "n": "n"}
    assert dataset.label_column == "topic"
    assert dataset.report["labels"] == {"column": "topic", "counts": before}
    assert values(dataset, "topic")[:2] == ["A", "b"]
    assert values(dataset, "label") == [None] * 10
    restore(actor=alice, dataset=dataset, number=1)
    assert values(dataset, "label")[:2] == ["A", "b"]
    assert dataset.columns == ["text", "label", "n"]


def test_a_column_is_dropped(alice: User, dataset: Dataset) -> None:
    run(alice, dataset, kind="drop", column="label")
    assert dataset.columns == ["text", "n"]
    assert dataset.mapping == {"text": "text", "n": "n"}
    assert (dataset.label_column, dataset.report["labels"]) == ("", {})
    assert values(dataset, "label") == [None] * 10


def test_the_last_column_stays(alice: User, project: Project) -> None:
    dataset = make_dataset(project, rows=[{"t": "a"}])
    with pytest.raises(Invalid, match="last column"):
        apply(
            actor=alice, dataset=dataset, operation=Operation(kind="drop", column="t"),
            selection=ALL,
        )  # fmt: skip


def test_a_column_is_added(alice: User, dataset: Dataset) -> None:
    run(alice, dataset, kind="add", name="source", value={"by": ["hand"]})
    assert values(dataset, "source") == [{"by": ["hand"]}] * 10
    apply(
        actor=alice, dataset=dataset, operation=Operation(kind="add", name="empty"), selection=ALL
    )
    assert dataset.columns == ["text", "label", "n", "source", "empty"]
    assert get_version(dataset, 3).changes == {}


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"kind": "explode"}, "Say what is to be done"),
        ({"kind": "set"}, "Choose a column"),
        ({"kind": "set", "column": "nope"}, "There is no column “nope”"),
        ({"kind": "set", "column": "text", "value": float("nan")}, "no JSON"),
        ({"kind": "case", "column": "text", "case": "x"}, "Choose a case"),
        ({"kind": "split", "split": "validation"}, "Choose a split"),
        ({"kind": "rename", "column": "text", "name": "label"}, "There is a column “label”"),
        ({"kind": "add", "name": "  "}, "cannot be a column"),
        ({"kind": "add", "name": "a\0"}, "cannot be a column"),
    ],
)
def test_what_is_not_said_right_is_refused(
    alice: User, dataset: Dataset, what: dict[str, Any], why: str
) -> None:
    operation = Operation(**what)
    with pytest.raises(Invalid, match=why):
        preview(dataset, operation, ALL)
    with pytest.raises(Invalid, match=why):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)
    assert Version.objects.filter(dataset=dataset).count() == 1


def test_every_operation_says_itself() -> None:
    for kind in OPERATIONS.values():
        assert kind.title
        assert kind.sentence.endswith(".")


def test_a_dataset_that_was_changed_is_looked_at_again(
    alice: User, bob: User, dataset: Dataset
) -> None:
    change(actor=bob, dataset=dataset, changes=Changes(cells={1: {"label": "c"}}))
    operation = Operation(kind="set", column="label", value="x")
    with pytest.raises(Conflict, match="Look at it again"):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL, base=1)


def test_somebody_elses_change_in_between_is_kept(
    alice: User, bob: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.datasets.editing import bulk

    real, times = bulk._swap, list[int]()

    def swap(*args: Any) -> None:
        real(*args)
        if not times:
            times.append(1)
            other = Dataset.objects.get(pk=dataset.pk)
            change(actor=bob, dataset=other, changes=Changes(cells={10: {"n": "theirs"}}))

    monkeypatch.setattr(bulk, "_swap", swap)
    operation = Operation(kind="set", column="label", value="x")
    version = apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)
    assert version.number == 3
    assert values(dataset, "label") == ["x"] * 10
    assert values(dataset, "n")[-1] == "theirs"


def test_sealed_test_rows_are_left_alone(alice: User, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    dataset.refresh_from_db()
    seen = run(alice, dataset, kind="set", column="label", value="x")
    assert (seen.rows, seen.found) == (8, 8)
    assert values(dataset, "label")[-2:] == ["A", "b"]
    with pytest.raises(Conflict, match="sealed"):
        run(alice, dataset, kind="split", split="test")
    with pytest.raises(Conflict, match="sealed"):
        apply(
            actor=alice, dataset=dataset, operation=Operation(kind="drop", column="n"),
            selection=ALL,
        )  # fmt: skip


def test_a_long_preview_says_how_far_it_looked(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.datasets.editing.bulk.PREVIEW_SECONDS", -1.0)
    seen = preview(dataset, Operation(kind="set", column="label", value="x"), ALL)
    assert not seen.is_whole
    assert (seen.looked_at, seen.rows, seen.total) == (4, 4, 10)


def test_strangers_cannot_do_it(charlie: User, dataset: Dataset) -> None:
    operation = Operation(kind="delete")
    with pytest.raises(NotFound):
        apply(actor=charlie, dataset=dataset, operation=operation, selection=ALL)
    assert Dataset.objects.get(pk=dataset.pk).row_count == 10


def test_a_pattern_that_is_slow_in_many_cells_is_stopped(
    alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "REPLACE_ALL_SECONDS", -1.0)
    operation = Operation(kind="replace", column="text", find="e", replacement="E")
    with pytest.raises(Invalid, match="for all cells"):
        preview(dataset, operation, ALL)
    with pytest.raises(Invalid, match="for all cells"):
        apply(actor=alice, dataset=dataset, operation=operation, selection=ALL)
    assert dataset.number == 1
