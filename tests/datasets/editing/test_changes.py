"""Changes of single rows: what makes a version, what is refused, and how little is written."""

from __future__ import annotations

from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.editing.changes import Changes, change, change_splits, fingerprint_of, restore
from studio.datasets.editing.rewriting import MOST_ROWS
from studio.datasets.models import Block, Dataset, Place, Version
from studio.datasets.table import Table, places_of
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.builders import make_dataset, make_user, rows_of


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Six messages."""
    return make_dataset(project)


def test_a_change_writes_one_block_one_place_one_version(alice: User, project: Project) -> None:
    data = make_dataset(project, rows=[{"a": n} for n in range(2_000)])
    blocks, places = Block.objects.count(), Place.objects.count()
    version = change(actor=alice, dataset=data, changes=Changes(cells={700: {"a": "x"}}))
    assert (Block.objects.count(), Place.objects.count()) == (blocks + 1, places + 1)
    assert (version.number, version.changes, version.created_by) == (2, {"changed": 1}, alice)
    entry = AuditEntry.objects.get(action="dataset.edit")
    assert (entry.detail["version"], entry.detail["changed"]) == (2, 1)
    assert Table(data, 1).get(700) != Table(data).get(700)


def test_an_edit_asks_for_a_bounded_number_of_things(
    alice: User, project: Project, django_assert_max_num_queries: object
) -> None:
    data = make_dataset(project, rows=[{"a": n} for n in range(6_000)])
    change(actor=alice, dataset=data, changes=Changes(cells={1: {"a": "x"}}))
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        change(actor=alice, dataset=data, changes=Changes(cells={5_000: {"a": "x"}}), base=1)


def test_nothing_different_is_no_version(alice: User, dataset: Dataset) -> None:
    same = Changes(cells={1: {"category": "billing"}}, splits={1: "train"})
    assert change(actor=alice, dataset=dataset, changes=same).number == 1
    assert change(actor=alice, dataset=dataset, changes=Changes()).number == 1
    assert restore(actor=alice, dataset=dataset, number=1).number == 1
    assert change_splits(actor=alice, dataset=dataset, codes={}, message="").number == 1
    assert Version.objects.count() == 1


@pytest.mark.parametrize("one", [True, 1, 1.0, "1", [1], {"a": 1}])
@pytest.mark.parametrize("other", [True, 1, 1.0, "1", [1], {"a": 1}])
def test_another_type_is_another_value(
    alice: User, project: Project, one: object, other: object
) -> None:
    data = make_dataset(project, rows=[{"a": one}])
    change(actor=alice, dataset=data, changes=Changes(cells={1: {"a": other}}))
    is_same = type(one) is type(other)
    assert data.number == (1 if is_same else 2)
    assert repr(rows_of(data)[0].values["a"]) == repr(other)


@pytest.mark.parametrize("number", [0, -1, 7, 600, MOST_ROWS + 5])
def test_rows_that_are_not_there_are_told(alice: User, dataset: Dataset, number: int) -> None:
    for changes in (
        Changes(cells={number: {"category": "x"}}),
        Changes(removed=[number]),
        Changes(splits={number: "dev"}),
    ):
        with pytest.raises(NotFound, match=f"no row {number} in"):
            change(actor=alice, dataset=dataset, changes=changes)
    with pytest.raises(Conflict, match="cannot come back"):
        change(actor=alice, dataset=dataset, changes=Changes(back={number: "dev"}))


def test_a_removed_row_is_gone_and_can_come_back(alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(removed=[2]))
    with pytest.raises(NotFound):
        change(actor=alice, dataset=dataset, changes=Changes(cells={2: {"category": "x"}}))
    with pytest.raises(Conflict):
        change(actor=alice, dataset=dataset, changes=Changes(back={1: "dev"}))
    with pytest.raises(Invalid, match="at once"):
        change(actor=alice, dataset=dataset, changes=Changes(back={1: "dev"}, removed=[1]))
    change(actor=alice, dataset=dataset, changes=Changes(back={2: "test"}))
    assert rows_of(dataset)[1].split == "test"
    assert dataset.versions.get(number=3).changes == {"added": 1}


@pytest.mark.parametrize(
    "values",
    [
        {"": 1}, {" ": 1}, {"a\0": 1}, {"a" * 201: 1}, {"a": float("inf")}, {"a": {1, 2}},
        {"a": float("nan")},
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused(
    alice: User, dataset: Dataset, values: dict[str, Any]
) -> None:
    for changes in (Changes(cells={1: values}), Changes(added=[(values, "train")])):
        with pytest.raises(Invalid, match=r"cannot be (a column|stored)"):
            change(actor=alice, dataset=dataset, changes=changes)
    assert Version.objects.count() == 1


def test_halves_of_characters_and_zeros_are_taken_out(alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"message": "a\ud800\0b"}}))
    assert rows_of(dataset)[0].values["message"] == "ab"


def test_cells_are_bounded(alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.datasets.editing.values.MAX_CELL", 100)
    with pytest.raises(Invalid, match="has 101 characters; 100 is the most"):
        change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"message": "a" * 101}}))


def test_splits_and_empty_rows_are_refused(alice: User, dataset: Dataset) -> None:
    with pytest.raises(Invalid, match="is not a split"):
        change(actor=alice, dataset=dataset, changes=Changes(splits={1: "holdout"}))
    with pytest.raises(Invalid, match="is not a split"):
        change(actor=alice, dataset=dataset, changes=Changes(added=[({"a": 1}, "")]))
    added: list[Any] = [({"message": "x"}, "train"), ({"message": None}, "train")]
    with pytest.raises(Invalid, match="New row 2 has no value"):
        change(actor=alice, dataset=dataset, changes=Changes(added=added))


def test_a_version_that_is_not_there_is_told(alice: User, dataset: Dataset) -> None:
    with pytest.raises(NotFound, match="no version 9"):
        change(actor=alice, dataset=dataset, changes=Changes(removed=[1]), base=9)
    with pytest.raises(NotFound, match="no version 9"):
        restore(actor=alice, dataset=dataset, number=9)


def test_new_splits_fit_the_places(alice: User, dataset: Dataset) -> None:
    for codes, error in (
        ({1: b"\0"}, Conflict),
        ({1: bytes([255] * 6)}, Conflict),
        ({1: b"\7" * 6}, Invalid),
    ):
        with pytest.raises(error):
            change_splits(actor=alice, dataset=dataset, codes=codes, message="")
    assert Version.objects.count() == 1


def test_large_rows_do_not_share_a_block(
    alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.datasets.editing.appending.SIZE", 1_000)
    for _turn in range(3):
        row = ({"message": "x" * 1_100}, "train")
        change(actor=alice, dataset=dataset, changes=Changes(added=[row]))
    assert len(Table(dataset).spots) == 3


def test_the_fingerprint_does_not_need_what_the_last_change_left(
    alice: User, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"category": "x"}}))
    dataset.report.pop("tally")
    dataset.save()
    change(actor=alice, dataset=dataset, changes=Changes(cells={2: {"category": "y"}}))
    places = places_of(dataset, dataset.number)
    assert dataset.fingerprint == fingerprint_of(dataset.columns, dataset.mapping, places)
    assert dataset.report["tally"]["number"] == 3


def test_only_authors_change_anything(charlie: User, project: Project, dataset: Dataset) -> None:
    vera = make_user("vera")
    project.memberships.create(user=vera, role="viewer")
    for actor, error in ((vera, NotAllowed), (charlie, NotFound)):
        with pytest.raises(error):
            change(actor=actor, dataset=dataset, changes=Changes(removed=[1]))
        with pytest.raises(error):
            change_splits(actor=actor, dataset=dataset, codes={}, message="")
        with pytest.raises(error):
            restore(actor=actor, dataset=dataset, number=1)
    assert Version.objects.count() == 1
