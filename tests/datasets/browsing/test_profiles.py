"""Profiles: what the columns of a dataset look like, counted in memory that does not grow."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets import chores
from studio.datasets.browsing import profiles
from studio.datasets.browsing.profiles import ColumnProfile, about_of
from studio.datasets.charts import column_charts
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Chore, Dataset
from studio.datasets.splits.sealing import seal
from tests import builders

URL = "/p/support/datasets/messages/columns/"


def profile_of(cells: list[Any], size: int = 7) -> dict[str, Any]:
    """The profile of a column, read in blocks."""
    column = ColumnProfile()
    for at in range(0, len(cells), size):
        column.add(cells[at : at + size])
    return column.to_dict()


def test_a_column_of_labels() -> None:
    found = profile_of(["billing"] * 5 + ["returns"] * 3 + [None, "", "  "])
    assert (found["rows"], found["filled"], found["different"]) == (11, 8, 2)
    assert found["values"] == [["billing", 5], ["returns", 3]]
    assert found["kinds"] == {"text": 8}
    assert "numbers" not in found


def test_a_column_of_numbers() -> None:
    found = profile_of([1, 2.5, "4", "-3", True, "x"])
    numbers = found["numbers"]
    assert (numbers["count"], numbers["low"], numbers["high"]) == (4, -3.0, 4.0)
    assert numbers["mean"] == pytest.approx(1.125)
    assert sum(numbers["bins"]) == 4
    assert found["kinds"] == {"number": 2, "number as text": 2, "yes or no": 1, "text": 1}


def test_whole_numbers_have_a_bar_each() -> None:
    numbers = profile_of([1, 1, 2, 5])["numbers"]
    assert numbers["bins"] == [2, 1, 0, 0, 1]


def test_values_that_stand_once_are_not_called_frequent() -> None:
    found = profile_of([f"text {n}" for n in range(50)])
    assert (found["values"], found["different"]) == ([], 50)
    assert found["different_is_exact"]


def test_of_very_many_values_the_counts_are_good_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "_KEPT", 500)
    cells = ["often" if n % 4 == 0 else f"{n}" for n in range(20_000)]
    found = profile_of(cells, size=512)
    assert not found["different_is_exact"]
    assert found["different"] == pytest.approx(15_001, rel=0.35)
    assert found["values"][0] == ["often", 5_000]
    assert not found["values_are_exact"]
    numbers = found["numbers"]
    assert not numbers["is_exact"]
    assert sum(numbers["bins"]) == pytest.approx(15_000, rel=0.1)
    assert numbers["quantiles"][2] == pytest.approx(10_000, rel=0.1)
    assert (numbers["low"], numbers["high"], numbers["count"]) == (1.0, 19_999.0, 15_000)


def test_the_same_column_in_one_block_or_many() -> None:
    cells = [*range(40), None, "a", "a"]
    assert profile_of(cells, size=3) == profile_of(cells, size=1000)


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Three columns, one of which says the split."""
    rows = [{"n": n, "who": "test" if n % 3 == 2 else "other", "same": "x"} for n in range(90)]
    return builders.make_dataset(project, rows=rows, mapping={"number": "n"})


def test_the_page_of_the_columns(as_alice: Client, dataset: Dataset) -> None:
    page = as_alice.get(URL).content.decode()
    assert "of all rows" in page
    assert "0 to 89, mean 44.50, median 44" in page
    assert "90: no value stands twice" in page
    assert "always 1" in page, "the length of “x”"


def test_deleted_rows_are_not_counted(as_alice: Client, alice: User, dataset: Dataset) -> None:
    assert as_alice.get(URL).status_code == 200
    change(actor=alice, dataset=dataset, changes=Changes(removed=[90]))
    page = as_alice.get(URL).content.decode()
    assert "89 of 89" in page
    assert "0 to 88" in page


def test_sealed_rows_are_not_counted(as_alice: Client, alice: User, dataset: Dataset) -> None:
    assert "60" in as_alice.get(URL).content.decode()
    seal(actor=alice, dataset=dataset)
    page = as_alice.get(URL).content.decode()
    assert "of train and dev, because test is sealed" in page
    assert "60 of 60" in page
    assert 'title="test"' not in page


def test_a_worker_counts_a_large_one(
    as_alice: Client, alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_alice.get(URL)
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"n": 500}}))
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr("studio.datasets.claims.app.send_task", lambda name, args: None)
    page = as_alice.get(URL).content.decode()
    assert "Reading all rows" in page
    assert "Below is what version 1 looked like" in page
    assert "0 to 89" in page
    chores.work(dataset.chores.get(number=2).pk)
    answer = as_alice.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    assert "Reading all rows" not in answer
    assert "1 to 500" in answer


def test_columns_without_a_value_are_drawn(project: Project) -> None:
    dataset = builders.make_dataset(project, "empty", rows=[{"a": None, "b": ""}])
    result = chores.ask(dataset, "index", about_of(dataset)).result
    charts = column_charts(result, dataset)
    assert [(one.name, one.kinds, one.filled, one.numbers) for one in charts] == [
        ("a", "empty", 0, None),
        ("b", "empty", 0, None),
    ]


def test_an_open_profile_made_while_unsealed_has_no_test_rows(
    alice: User, project: Project
) -> None:
    """A worker may come to it when the split is unsealed, and it may be looked at sealed again."""
    dataset = builders.make_dataset(project)
    chore = chores.ask(dataset, Chore.Kind.INDEX, "profile-open")
    counts = dataset.report["splits"]
    assert chore.result["rows"] == counts["train"] + counts["dev"]
