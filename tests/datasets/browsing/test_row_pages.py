"""The pages of rows: search, filters, order, columns, one row, and what leads to others."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets import chores
from studio.datasets.browsing import ordering, searching
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Chore, Dataset
from studio.datasets.splits.sealing import seal
from tests import builders

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
URL = "/p/support/datasets/messages/"


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Rows of two blocks: a word every tenth row, a label, a number that falls."""
    rows = [
        {
            "message": f"message {n}" + (" zebra" if n % 10 == 0 else ""),
            "label": "billing" if n % 2 else "returns",
            "n": 1000 - n,
        }
        for n in range(1, 701)
    ]
    return builders.make_dataset(project, rows=rows)


def show(client: Client, query: str = "", **extra: Any) -> str:
    answer = client.get(URL + query, **extra)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-row="(\d+)"', page)]


def link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', page)
    return found.group(1) if found else ""


def test_one_goes_through_all_rows(as_alice: Client, dataset: Dataset) -> None:
    page, found = show(as_alice), list[int]()
    assert "1 to 50 of 700" in page
    while True:
        found += numbers(page)
        if not link(page, "next"):
            break
        page = show(as_alice, link(page, "next"))
    assert found == list(range(1, 701))
    assert numbers(show(as_alice, link(page, "prev"))) == list(range(601, 651))


def test_one_goes_through_a_search_and_back(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice, "?q=ZEBRA")
    assert numbers(page) == list(range(10, 501, 10))
    assert link(page, "prev") == ""
    page = show(as_alice, link(page, "next"))
    assert numbers(page) == list(range(510, 701, 10))
    assert link(page, "next") == ""
    page = show(as_alice, link(page, "prev"))
    assert numbers(page) == list(range(10, 501, 10))
    assert link(page, "prev") == ""
    assert numbers(show(as_alice, link(page, "next"))) == list(range(510, 701, 10))


def test_when_the_time_is_over_the_page_goes_on_by_itself(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching.Deadline, "over", lambda self: True)
    page = show(as_alice, "?where=message&how=has&what=zebra")
    assert numbers(page) == list(range(10, 501, 10))
    page = show(as_alice, "?where=n&how=below&what=310")
    assert numbers(page) == []
    assert "Looked through 512 of 700 rows" in page
    further = re.search(r'id="further" hx-get="[^"?]*(\?[^"]*)"', page)
    alone = re.search(r'href="(\?[^"]*)">Look further', page)
    assert further
    assert alone
    more = show(as_alice, further.group(1), **HTMX)
    assert "<html" not in more
    assert numbers(more) == list(range(691, 701))
    assert 'id="row-pager" hx-swap-oob="true"' in more
    assert "10 rows that fit" in more
    assert numbers(show(as_alice, alone.group(1))) == list(range(691, 701))


def test_a_sorted_search_is_looked_through_first(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching.Deadline, "over", lambda self: True)
    page = show(as_alice, "?q=zebra&sort=n")
    assert numbers(page) == []
    further = re.search(r'id="further" hx-get="[^"?]*(\?[^"]*)"', page)
    assert further
    more = show(as_alice, further.group(1), **HTMX)
    assert numbers(more) == list(range(700, 200, -10))
    assert "1 to 50 of 70 rows that fit" in more
    assert numbers(show(as_alice, "?q=zebra&sort=n&page=2")) == list(range(200, 0, -10))


def test_columns_are_sorted_up_down_and_not(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice)
    for order, first in (("ascending", 700), ("descending", 1), ("", 1)):
        there = re.search(r'href="(\?[^"]*|\?)" hx-get="[^"]*" title="Sort by n"', page)
        assert there
        page = show(as_alice, there.group(1))
        assert numbers(page)[0] == first
        assert (f'aria-sort="{order}"' in page) == bool(order)


def test_filters_are_shown_and_taken_away(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice, "?where=label&how=is&what=returns&where=n&how=above&what=990")
    assert numbers(page) == [2, 4, 6, 8]
    assert "label is “returns”" in page
    gone = re.search(r'href="([^"]*)"[^>]*aria-label="Take the filter away: label', page)
    assert gone
    assert numbers(show(as_alice, gone.group(1))) == list(range(1, 10))


def test_a_filter_that_is_none_is_told(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice, "?where=nothing&how=is&what=1")
    assert "There is no column “nothing” to filter by." in page
    assert numbers(page)[:2] == [1, 2]
    assert "There is no column “x” to sort by." in show(as_alice, "?sort=x")


def test_only_chosen_columns_are_shown(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice, "?show=n&show=nothing")
    assert 'data-cell="n"' in page
    assert 'data-cell="message"' not in page


@pytest.mark.parametrize(
    "query",
    [
        "?page=0", "?page=99999999", "?page=-1", "?page=x", "?after=9999999999",
        "?before=0&q=zebra",
        "?q=%00", "?q=zebra&after=700&have=50", "?have=9999&q=zebra", "?split=x", "?version=",
        "?where=n", "?where=n&how=is", "?sort=", "?q=" + "a" * 5000, "?before=5&after=3&q=zebra",
    ],
)  # fmt: skip
def test_odd_addresses_are_no_errors(as_alice: Client, dataset: Dataset, query: str) -> None:
    show(as_alice, query)
    show(as_alice, query, **HTMX)


def test_nothing_found_says_what_to_do(as_alice: Client, dataset: Dataset) -> None:
    page = show(as_alice, "?q=giraffe")
    assert "No row fits" in page
    assert "All rows" in page


def test_a_large_dataset_is_sorted_with_a_progress_bar(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr("studio.datasets.claims.app.send_task", lambda name, args: None)
    page = show(as_alice, "?sort=n")
    assert "Sorting the rows" in page
    assert 'hx-trigger="load delay:1s"' in page
    chores.work(Chore.objects.get(kind="order").pk)
    assert numbers(show(as_alice, "?sort=n", **HTMX))[:2] == [700, 699]


def test_a_sorting_that_failed_can_be_done_again(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "AT_ONCE_ROWS", 10)
    chore = Chore.objects.create(
        dataset=dataset, number=1, kind="order", about="n", state="failed", error="It broke."
    )
    page = show(as_alice, "?sort=n")
    assert "It broke." in page
    answer = as_alice.post(URL + "again/", {"chore": chore.pk, "next": "?sort=n"})
    assert answer["Location"] == URL + "?sort=n"
    assert numbers(show(as_alice, "?sort=n"))[:2] == [700, 699]
    away = as_alice.post(URL + "again/", {"chore": chore.pk, "next": "//evil.example/"})
    assert away["Location"] == URL
    assert as_alice.post(URL + "again/", {"chore": "x"}).status_code == 404


def test_somebody_elses_chore_is_not_done_again(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    other = builders.make_dataset(builders.make_project("Other", "other"))
    chore = Chore.objects.create(
        dataset=other, number=1, kind="index", about="profile", state="failed"
    )
    assert as_alice.post(URL + "again/", {"chore": chore.pk}).status_code == 404
    chore.refresh_from_db()
    assert chore.state == "failed"


def test_looking_at_a_large_dataset_asks_for_its_index(
    as_alice: Client,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 10)
    told: list[Any] = []
    monkeypatch.setattr(
        "studio.datasets.claims.app.send_task", lambda name, args: told.append(args)
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert "The search becomes faster in a moment" in show(as_alice, "?q=zebra")
    assert told == [[Chore.objects.get(kind="index").pk]]
    chores.work(told[0][0])
    assert "The search becomes faster" not in show(as_alice, "?q=zebra")


def test_an_older_version_is_looked_at(as_alice: Client, alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={5: {"message": "giraffe"}}))
    page = show(as_alice, "?version=1")
    assert "Version 1, not the newest" in page
    assert "giraffe" not in page
    assert "giraffe" in show(as_alice)
    assert as_alice.get(URL + "?version=7").status_code == 404


def test_the_page_of_a_row(as_alice: Client, alice: User, project: Project) -> None:
    rows: list[dict[str, Any]] = [
        {"m": "<b>one</b>", "j": {"a": [1]}},
        {"m": "two"},
        {"m": "", "j": None},
    ]
    dataset = builders.make_dataset(project, rows=rows)
    change(
        actor=alice, dataset=dataset, message="Mended",
        changes=Changes(cells={1: {"m": "mended"}}, splits={1: "test"}),
    )  # fmt: skip
    change(actor=alice, dataset=dataset, changes=Changes(removed=[2]))
    answer = as_alice.get(URL + "rows/1/")
    page = answer.content.decode()
    assert "mended" in page
    assert "&lt;b&gt;one&lt;/b&gt;" in page, "what it was, in its history"
    assert "moved from train to test" in page
    assert "Mended" in page
    assert "[\n    1\n  ]" in html.unescape(page)
    assert f'{URL}rows/3/"' in page, "row 2 is deleted"
    old = as_alice.get(URL + "rows/2/?version=1").content.decode()
    assert "as it was in version 1" in old
    assert as_alice.get(URL + "rows/2/").status_code == 404
    assert as_alice.get(URL + "rows/4/").status_code == 404


def test_sealed_rows_are_on_no_page(as_alice: Client, alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(splits={1: "test"}))
    seal(actor=alice, dataset=dataset)
    assert numbers(show(as_alice))[:2] == [2, 4]
    assert numbers(show(as_alice, "?version=1"))[:2] == [2, 4]
    page = show(as_alice, "?split=test")
    assert numbers(page) == []
    assert "The test split is sealed" in page
    assert '<option value="test"' not in page
    for number in (1, 3):
        for query in ("", "?version=1"):
            assert as_alice.get(f"{URL}rows/{number}/{query}").status_code == 404
    assert "message 3<" not in as_alice.get(URL + "columns/").content.decode()


def test_the_history_of_a_row_that_is_sealed_now_is_hidden(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={3: {"message": "secret"}}))
    change(actor=alice, dataset=dataset, changes=Changes(splits={3: "train"}))
    seal(actor=alice, dataset=dataset)
    page = as_alice.get(URL + "rows/3/").content.decode()
    assert "Nothing has changed it" in page, "its older values were for test"


def test_every_member_looks_and_no_stranger(as_charlie: Client, dataset: Dataset) -> None:
    dana = builders.make_user("dana")
    Membership.objects.create(project=dataset.project, user=dana, role=Role.VIEWER)
    viewer = builders.make_client(dana)
    for path in ("", "rows/1/", "columns/"):
        assert as_charlie.get(URL + path).status_code == 404
        assert viewer.get(URL + path).status_code == 200
    assert as_charlie.post(URL + "again/").status_code == 404
