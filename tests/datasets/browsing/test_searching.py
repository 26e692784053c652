"""Searching: the same rows as by looking at each of them, however often it is interrupted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from studio.accounts.models import Project, User
from studio.datasets import chores
from studio.datasets.browsing import indexing
from studio.datasets.browsing.filtering import Condition, Query
from studio.datasets.browsing.finding import find_all
from studio.datasets.browsing.indexing import Index
from studio.datasets.browsing.searching import (
    Deadline,
    find_rows,
    next_row,
    open_splits,
    search,
    search_back,
    visible_table,
)
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import BlockIndex, Chore, Dataset
from studio.datasets.splits.sealing import seal
from studio.datasets.table import Table
from studio.datasets.uploading.judging import text_of
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db

WORDS = [
    "where",
    "is",
    "my",
    "parcel",
    "invoice",
    "was",
    "wrong",
    "help",
    "Straße",
    "refund",
    "late",
]
QUERIES = [
    Query(text="parcel"),
    Query(text="my parcel"),
    Query(text="STRASSE"),
    Query(text="row-17"),
    Query(text="nothing like this"),
    Query(text="refund", splits=("dev",)),
    Query(conditions=(Condition("label", "is", "a"),)),
    Query(conditions=(Condition("label", "not", "a"), Condition("n", "above", "90"))),
    Query(conditions=(Condition("label", "empty"),)),
    Query(conditions=(Condition("id", "is", "row-1700"),)),
    Query(text="late", conditions=(Condition("n", "below", "3"),), splits=("train", "test")),
]


def make_rows(count: int = 1_800) -> list[dict[str, Any]]:
    """Rows of a few blocks."""
    chance = random.Random(5)
    return [
        {
            "id": f"row-{n}",
            "text": " ".join(chance.choices(WORDS, k=3)),
            "label": chance.choice(["a", "b", None, ""]) if n > 600 else "b",
            "n": chance.randint(0, 100),
        }
        for n in range(1, count + 1)
    ]


@pytest.fixture
def dataset(project: Project, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """One of four blocks; groups of two blocks."""
    monkeypatch.setattr(indexing, "GROUP", 2)
    monkeypatch.setattr(indexing, "SMALL", 1)
    return make_dataset(project, rows=make_rows())


def index(dataset: Dataset) -> Chore:
    return chores.ask(dataset, "index")


def by_hand(dataset: Dataset, query: Query) -> list[int]:
    """The rows that fit, found by looking at each."""
    found = []
    for row in Table(dataset).rows():
        cells = [row.values.get(name) for name in ("id", "text", "label", "n")]
        fits = any(query.phrase in text_of(cell).casefold() for cell in cells)
        for one in query.conditions:
            fits = fits and bool(one.holds([row.values.get(one.column)], [0]))
        if fits and row.split in query.splits:
            found.append(row.number)
    return found


def step_by_step(dataset: Dataset, query: Query, limit: int, seconds: float) -> list[int]:
    """All rows that a search finds, page by page."""
    found: list[int] = []
    start: int | None = 0
    looked = 0
    while start is not None:
        page = search(Table(dataset), query, limit=limit, start=start, deadline=Deadline(seconds))
        assert looked <= page.looked <= dataset.row_count
        looked = page.looked
        assert len(page.rows) == limit or page.cursor is None or not page.ended
        found += [row.number for row in page.rows]
        start = page.cursor
    assert looked == dataset.row_count
    return found


@pytest.mark.parametrize("query", QUERIES, ids=str)
@pytest.mark.parametrize("indexed", [True, False])
def test_a_search_finds_what_is_there(dataset: Dataset, query: Query, indexed: bool) -> None:
    if indexed:
        index(dataset)
    expected = by_hand(dataset, query)
    assert step_by_step(dataset, query, 50, 10.0) == expected
    assert step_by_step(dataset, query, 7, 0.0) == expected, "when the time is always over"
    table = Table(dataset)
    for _time in range(9):
        all_of_them = find_all(table, query, Deadline(0.0))
        if all_of_them.ended:
            break
    assert list(all_of_them.numbers) == expected
    assert list(find_all(table, query, Deadline(0.0)).numbers) == expected, "kept"


def test_the_searches_above_say_something(dataset: Dataset) -> None:
    counts = [len(by_hand(dataset, query)) for query in QUERIES]
    assert counts.count(0) == 1
    assert max(counts) > 300


@pytest.mark.parametrize("seconds", [10.0, 0.0])
def test_a_search_goes_back(dataset: Dataset, seconds: float) -> None:
    index(dataset)
    query, found = Query(text="invoice"), list[int]()
    end: int | None = 10**6
    while end is not None:
        page = search_back(Table(dataset), query, limit=40, end=end, deadline=Deadline(seconds))
        found = [row.number for row in page.rows] + found
        end = page.cursor
    assert found == by_hand(dataset, query)


def test_blocks_that_cannot_hold_it_are_not_read(dataset: Dataset) -> None:
    index(dataset)

    def asked(query: Query) -> list[bool]:
        look = Index(dataset, query)
        return [look.may_hold(spot.block) for spot in Table(dataset).spots]

    assert asked(Query(text="row-1700")) == [False, False, False, True]
    assert asked(Query(conditions=(Condition("label", "is", "a"),))) == [False, True, True, True]
    assert asked(Query(text="absent")) == [False] * 4
    assert asked(Query(text="parcel")) == [True] * 4


def test_a_changed_row_is_found_before_and_after_it_is_indexed(
    dataset: Dataset, alice: User
) -> None:
    index(dataset)
    change(actor=alice, dataset=dataset, changes=Changes(cells={700: {"text": "zebra"}}))
    for _time in range(2):
        rows, more = find_rows(dataset, text="ZEBRA")
        assert [(row.number, more) for row in rows] == [(700, False)]
        assert index(dataset).result == {"blocks": 1}
    assert find_rows(dataset, text="zebra", number=1) == ([], False)


def test_many_small_groups_become_one(dataset: Dataset, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(indexing, "GROUP", 64)
    monkeypatch.setattr(indexing, "SMALL", 32)
    monkeypatch.setattr(indexing, "MOST_SMALL", 3)
    for n in range(5):
        index(dataset)
        change(actor=alice, dataset=dataset, changes=Changes(cells={n + 1: {"text": f"zebra{n}"}}))
    index(dataset)
    assert BlockIndex.objects.count() <= 4
    assert [row.number for row in find_rows(dataset, text="zebra")[0]] == [1, 2, 3, 4, 5]


def test_an_index_that_is_there_is_not_made_again(dataset: Dataset, alice: User) -> None:
    assert index(dataset).result == {"blocks": 4}
    change(actor=alice, dataset=dataset, changes=Changes(splits={1: "test"}))
    assert index(dataset).result == {"blocks": 0}
    assert indexing.is_indexed(dataset)


def test_rows_are_found_for_trying_things_on(dataset: Dataset) -> None:
    rows, more = find_rows(dataset, splits=("train", "dev"), skip=30, limit=20)
    assert [row.split for row in rows[:3]] == ["train", "dev", "train"]
    assert (len(rows), more, rows[0].number) == (20, True, 46)
    rows, more = find_rows(dataset, splits=("dev",), text="row-17", limit=1000)
    assert {row.split for row in rows} == {"dev"}
    assert not more


def test_a_sealed_test_split_is_never_found(dataset: Dataset, alice: User) -> None:
    index(dataset)
    change(actor=alice, dataset=dataset, changes=Changes(splits={1: "test"}))
    seal(actor=alice, dataset=dataset)
    assert open_splits(dataset) == ("train", "dev")
    assert open_splits(dataset, "test") == ()
    assert find_rows(dataset, splits=("test",)) == ([], False)
    assert find_rows(dataset, text="row-3", splits=("test",)) == ([], False)
    assert {row.split for row in find_rows(dataset, text="row-1")[0]} == {"train", "dev"}
    old = visible_table(dataset, 1)
    row = old.get(1)
    assert row is not None
    assert row.split == "test", "in version 1 it was for train, and would be shown"
    assert 1 not in [row.number for row in find_rows(dataset, text="row-1", number=1)[0]]


def test_rows_beside_a_row(dataset: Dataset, alice: User) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(removed=[512, 513]))
    table = Table(dataset)
    everything = ("train", "dev", "test")
    assert next_row(table, everything, 511, 1) == 514
    assert next_row(table, everything, 514, -1) == 511
    assert next_row(table, ("train",), 511, 1) == 514
    assert next_row(table, everything, 1, -1) is None
    assert next_row(table, everything, 1_800, 1) is None
