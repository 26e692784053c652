"""Rows for programs: pages, filters, order, one row; and what does not come through."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets import chores
from studio.datasets.browsing import ordering
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Dataset
from studio.datasets.splits.sealing import seal
from tests import builders


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Rows of two blocks, with a label every third row."""
    rows = [
        {"message": f"message {n}", "n": n, "label": None if n % 3 else "billing"}
        for n in range(1, 701)
    ]
    return builders.make_dataset(project, rows=rows)


def get(client: Client, path: str = "rows/", **query: Any) -> Any:
    return client.get(f"/api/projects/support/datasets/messages/{path}", query)


def numbers(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["number"] for row in answer.json()["rows"]]


def all_numbers(client: Client, **query: Any) -> list[int]:
    """What all pages hold."""
    found: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        answer = get(client, cursor=cursor, **query)
        found += numbers(answer)
        cursor = answer.json()["next"]
    return found


def test_rows_come_in_pages(as_alice: Client, dataset: Dataset) -> None:
    answer = get(as_alice, limit=2)
    assert answer.json() == {
        "rows": [
            {"number": 1, "split": "train", "values": {"message": "message 1", "n": 1}},
            {"number": 2, "split": "dev", "values": {"message": "message 2", "n": 2}},
        ],
        "next": 2,
        "looked": 2,
        "of": 700,
    }
    assert all_numbers(as_alice, limit=300) == list(range(1, 701))
    assert all_numbers(as_alice, limit=100, split="test") == list(range(3, 701, 3))


def test_rows_are_looked_for(as_alice: Client, dataset: Dataset) -> None:
    assert all_numbers(as_alice, q="MESSAGE 69", limit=4) == [69, *range(690, 700)]
    found = all_numbers(
        as_alice, where=["label", "n"], how=["is", "above"], what=["billing", "680"], limit=3
    )
    assert found == [681, 684, 687, 690, 693, 696, 699]


def test_rows_are_sorted(as_alice: Client, dataset: Dataset) -> None:
    assert numbers(get(as_alice, sort="-n", limit=3)) == [700, 699, 698]
    assert numbers(get(as_alice, sort="label", limit=2)) == [3, 6]
    assert all_numbers(as_alice, sort="-n", q="message 69", limit=4) == [*range(699, 689, -1), 69]


def test_an_older_version_is_read(as_alice: Client, alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={5: {"message": "zebra"}}))
    assert numbers(get(as_alice, q="zebra")) == [5]
    assert numbers(get(as_alice, q="zebra", version=1)) == []
    assert get(as_alice, "rows/5/").json()["values"]["message"] == "zebra"
    assert get(as_alice, "rows/5/", version=1).json()["values"]["message"] == "message 5"
    assert get(as_alice, version=9).status_code == 404


def test_while_a_worker_sorts_one_asks_again(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr("studio.datasets.claims.app.send_task", lambda name, args: None)
    answer = get(as_alice, sort="n")
    assert (answer.status_code, answer.json()["rows"]) == (202, [])
    assert answer.json()["progress"] == 0
    chores.work(dataset.chores.get(kind="order").pk)
    assert numbers(get(as_alice, sort="n", limit=2)) == [1, 2]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"cursor": "-1"}, {"cursor": "9" * 12},
        {"where": "nothing", "how": "is", "what": "1"}, {"where": "n", "how": "like", "what": "1"},
        {"sort": "nothing"},
    ],
    ids=str,
)  # fmt: skip
def test_questions_that_are_none_are_refused(
    as_alice: Client, dataset: Dataset, query: dict[str, str]
) -> None:
    answer = get(as_alice, **query)
    assert answer.status_code == 422
    assert answer.json()["message"]


def test_a_sealed_test_split_does_not_come_through(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(splits={1: "test"}))
    seal(actor=alice, dataset=dataset)
    for query in ({}, {"split": "test"}, {"q": "message"}, {"sort": "n"}, {"version": 1}):
        found = set(all_numbers(as_alice, limit=500, **query))
        assert not found & {1, 3, 6, 699}, query
    for path in ("rows/1/", "rows/3/", "rows/1/?version=1"):
        assert get(as_alice, path).status_code == 404
    assert get(as_alice, "rows/2/").status_code == 200


def test_strangers_see_no_rows(as_charlie: Client, dataset: Dataset) -> None:
    assert get(as_charlie).status_code == 404
    assert get(as_charlie, "rows/1/").status_code == 404
    assert get(Client()).status_code == 401


def test_a_row_that_is_not_there(as_alice: Client, alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(removed=[7]))
    assert get(as_alice, "rows/7/").status_code == 404
    assert get(as_alice, "rows/7/", version=1).status_code == 200
    assert get(as_alice, "rows/99999999999/").status_code == 404
    assert get(as_alice, "rows/1/", version="x").status_code == 422
