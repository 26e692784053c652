"""Reading a version: pages, rows by number, splits, and rows that are not there."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from studio.accounts.models import Project, User
from studio.datasets.blocks import ROWS, Content
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Dataset
from studio.datasets.table import Table, read_blocks
from studio.errors import NotFound
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db
COUNT = 2 * ROWS + 10


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Three blocks; every third row is for dev, every hundredth for test."""
    rows = [{"n": number, "text": f"row {number}"} for number in range(1, COUNT + 1)]
    splits = ["test" if n % 100 == 0 else "dev" if n % 3 == 0 else "train" for n in range(COUNT)]
    return make_dataset(project, rows=rows, splits=splits)


def test_rows_stand_in_order_under_their_numbers(dataset: Dataset) -> None:
    table = Table(dataset)
    rows = list(table.rows())
    assert [row.number for row in rows] == list(range(1, COUNT + 1))
    assert all(row.values == {"n": row.number, "text": f"row {row.number}"} for row in rows)
    assert len(table.spots) == 3


def test_a_split_has_its_rows_and_count(dataset: Dataset) -> None:
    table = Table(dataset)
    for split in ("train", "dev", "test"):
        rows = list(table.rows(split))
        assert {row.split for row in rows} == {split}
        assert len(rows) == table.count(split) == dataset.report["splits"][split]
    assert table.count() == COUNT == dataset.row_count


@pytest.mark.parametrize("split", ["", "dev"])
def test_pages_together_are_all_rows(dataset: Dataset, split: str) -> None:
    table = Table(dataset)
    pages = [table.page(offset, 100, split) for offset in range(0, COUNT, 100)]
    assert [row for page in pages for row in page] == list(table.rows(split))


def test_rows_that_are_not_there_are_nowhere(dataset: Dataset, alice: User) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(removed=[1, 513, COUNT]))
    table = Table(dataset)
    assert table.get(1) is None
    assert table.get(0) is None
    assert table.get(COUNT + 1) is None
    assert [row.number for row in table.at([COUNT, 3, 1, 2])] == [3, 2]
    assert [row.number for row in table.page(0, 2)] == [2, 3]
    assert table.count() == COUNT - 3
    assert Table(dataset, 1).get(1) is not None, "the version before still has it"


def test_a_version_that_was_never_made_is_not_found(dataset: Dataset) -> None:
    with pytest.raises(NotFound, match="no version 7"):
        Table(dataset, 7)


def test_a_page_reads_only_the_blocks_that_it_shows(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counting(pks: Iterable[int]) -> dict[int, Content]:
        found = list(pks)
        read.extend(found)
        return read_blocks(found)

    monkeypatch.setattr("studio.datasets.table.read_blocks", counting)
    Table(dataset).page(ROWS - 5, 10)
    assert len(read) == 2


def test_a_version_stays_itself_when_a_newer_one_comes(alice: User, dataset: Dataset) -> None:
    """Whoever loaded the dataset before says a number and gets the rows of that one."""
    loaded = Dataset.objects.get(pk=dataset.pk)
    change(actor=alice, dataset=dataset, changes=Changes(cells={7: {"n": 70}}, removed=[9]))
    was = {row.number: row.values["n"] for row in Table(loaded).rows()}
    assert (loaded.number, was[7], was[9]) == (1, 7, 9)
    assert len(was) == Table(loaded, 1).count() == COUNT
