"""The page of a dataset's splits: look first, then split; take it back; seal and unseal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Dataset, Opening
from tests.builders import make_client, make_dataset, make_project, make_user, rows_of

pytestmark = pytest.mark.django_db

URL = "/p/support/datasets/messages/splits/"


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    return make_project(admin=alice, reviewer=bob, viewer=make_user("vera"))


@pytest.fixture
def browser(alice: User) -> Client:
    return make_client(alice)


@pytest.fixture
def dataset(project: Project) -> Dataset:
    rows = [
        {"message": f"message {n}", "category": ("billing", "shipping")[n % 2], "who": f"c{n % 9}"}
        for n in range(100)
    ]
    return make_dataset(
        project, rows=rows, splits=["train"] * 100, mapping={"message": "message"},
        label_column="category",
    )  # fmt: skip


def form(**changes: Any) -> dict[str, Any]:
    """What the page's form sends."""
    shares = {"train": 60, "dev": 20, "test": 20, "unit": "percent", "seed": 0}
    return {"way": "random", "group": "", "inputs": ["message"], **shares, **changes}


def checked_in(answer: Any) -> str:
    found = re.search(r'name="checked" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def look_and_split(browser: Client, **changes: Any) -> Any:
    """Press Preview, then the button under what is shown."""
    shown = browser.post(URL, form(**changes, action="preview"))
    assert shown.status_code == 200
    return browser.post(URL, form(**changes, action="split", checked=checked_in(shown)))


def test_the_page_shows_how_it_is_split(browser: Client, dataset: Dataset) -> None:
    page = browser.get(URL).content.decode()
    assert 'aria-label="train 100, dev 0, test 0"' in page
    assert "No two rows have the same inputs." in page
    assert "The test split is not sealed" in page


def test_a_preview_changes_nothing(browser: Client, dataset: Dataset) -> None:
    page = browser.post(URL, form(action="preview")).content.decode()
    assert "40 of 100 rows move" in page
    assert "Split: move 40 rows" in page
    dataset.refresh_from_db()
    assert dataset.number == 1


def test_look_split_and_take_it_back(browser: Client, dataset: Dataset) -> None:
    assert look_and_split(browser, way="stratified", column="category").status_code == 302
    counts = Dataset.objects.get().report["splits"]
    assert counts == {"train": 60, "dev": 20, "test": 20}
    page = browser.get(URL).content.decode()
    assert "Undo the last split" in page
    assert browser.post(f"{URL}undo/", {"number": 2}).status_code == 302
    assert Dataset.objects.get().report["splits"] == {"train": 100, "dev": 0, "test": 0}
    assert "Undo the last split" not in browser.get(URL).content.decode()


def test_only_the_last_version_is_taken_back(
    browser: Client, dataset: Dataset, alice: User
) -> None:
    look_and_split(browser)
    dataset.refresh_from_db()
    change(actor=alice, dataset=dataset, changes=Changes(removed=[1]))
    page = browser.post(f"{URL}undo/", {"number": 2}, follow=True).content.decode()
    assert "Restore the version that you want" in page
    assert Dataset.objects.get().number == 3


def test_what_is_done_is_what_was_looked_at(
    browser: Client, dataset: Dataset, alice: User
) -> None:
    shown = checked_in(browser.post(URL, form(action="preview")))
    other = browser.post(URL, form(action="split", checked=shown, seed=5))
    assert "others than those that you looked at" in other.content.decode()
    change(actor=alice, dataset=dataset, changes=Changes(removed=[1]))
    later = browser.post(URL, form(action="split", checked=shown))
    assert "others than those that you looked at" in later.content.decode()
    dataset.refresh_from_db()
    assert dataset.number == 2


def test_a_column_of_values_gets_a_select_for_each(browser: Client, project: Project) -> None:
    words = ("Train", "validation", "TEST", "later")
    rows = [{"message": f"m{n}", "set": words[n % 4]} for n in range(100)]
    make_dataset(project, rows=rows, splits=["dev"] * 100, mapping={"message": "message"})
    first = {"way": "column", "column": "set", "group": "", "inputs": ["message"]}
    page = browser.post(URL, {**first, "action": "preview"}).content.decode()
    for at, split in enumerate(("train", "dev", "test")):
        select = re.search(rf'<select name="value-{at}".*?</select>', page, re.S)
        assert select
        assert f'<option value="{split}" selected>' in select[0]
    assert "stays where it is" in page
    values = {f"value-{at}": split for at, split in enumerate(("train", "dev", "test", "train"))}
    sent = {**first, **values, "values_of": "set", "together": "on"}
    shown = browser.post(URL, {**sent, "action": "preview"})
    browser.post(URL, {**sent, "action": "split", "checked": checked_in(shown)})
    assert Dataset.objects.get().report["splits"] == {"train": 50, "dev": 25, "test": 25}


def test_another_column_forgets_the_values_of_the_first(browser: Client, project: Project) -> None:
    rows = [{"message": f"m{n}", "one": "x", "two": "dev"} for n in range(10)]
    make_dataset(project, rows=rows, splits=["train"] * 10, mapping={"message": "message"})
    sent = {"way": "column", "column": "two", "inputs": ["message"], "together": "on"}
    sent |= {"values_of": "one", "value-0": "test", "action": "preview"}
    page = browser.post(URL, sent).content.decode()
    assert 'name="values_of" value="two"' in page
    assert re.search(r'name="value-0".*?<option value="dev" selected>', page, re.S)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train": 70}, "The shares add up to 110 %"),
        ({"train": "many"}, "Enter a whole number"),
        ({"train": -1}, "greater than or equal to 0"),
        ({"seed": ""}, "This field is required"),
        ({"seed": 2**31}, "less than or equal to"),
        ({"way": "stratified", "column": ""}, "Choose the column"),
        ({"way": "stratified", "column": "nothing"}, "Select a valid choice"),
        ({"way": "group", "group": ""}, "Choose the column"),
        ({"way": "by heart"}, "Select a valid choice"),
        ({"unit": "tons"}, "Select a valid choice"),
        ({"keep": ["exam"]}, "Select a valid choice"),
        ({"keep": ["train"]}, "Every row is in a split that is left untouched"),
        ({"inputs": ["nothing"]}, "Select a valid choice"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(
    browser: Client, dataset: Dataset, changes: dict[str, Any], sentence: str
) -> None:
    answer = browser.post(URL, form(**changes, action="split", checked="x"))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    dataset.refresh_from_db()
    assert dataset.number == 1


def test_htmx_gets_the_workbench_alone(browser: Client, dataset: Dataset) -> None:
    headers = {"HX-Request": "true"}
    part = browser.post(URL, form(action="preview"), headers=headers).content.decode()
    assert '<div id="workbench">' in part
    assert "<html" not in part
    shown = browser.post(URL, form(action="preview"), headers=headers)
    sent = form(action="split", checked=checked_in(shown))
    done = browser.post(URL, sent, headers=headers)
    assert done["HX-Redirect"] == URL


def test_values_are_shown_inert(browser: Client, project: Project) -> None:
    evil = "<script>alert(1)</script>"
    rows = [{"message": f"m{n}", "who": evil} for n in range(30)]
    make_dataset(project, rows=rows, mapping={"message": "message"}, label_column="who")
    page = browser.post(URL, form(way="group", group="who", action="preview")).content.decode()
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_viewers_look_and_strangers_do_not(dataset: Dataset) -> None:
    vera = make_client(User.objects.get(username="vera"))
    page = vera.get(URL).content.decode()
    assert "Preview" not in page
    assert vera.post(URL, form(action="split", checked="x")).status_code == 403
    assert vera.post(f"{URL}undo/", {"number": 1}).status_code in (302, 403)
    assert vera.post(f"{URL}seal/").status_code == 403
    assert vera.post(f"{URL}unseal/").status_code == 403
    charlie = make_client(make_user("charlie"))
    for path in ("", "undo/", "seal/", "unseal/"):
        assert charlie.post(f"{URL}{path}").status_code == 404
    assert charlie.get(URL).status_code == 404
    assert Client().get(URL).status_code == 302
    dataset.refresh_from_db()
    assert (dataset.number, dataset.sealed) == (1, False)


def test_a_dataset_without_rows_says_what_to_do(
    browser: Client, dataset: Dataset, alice: User
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(removed=range(1, 101)))
    assert "There is no row to split" in browser.get(URL).content.decode()
    assert browser.post(URL, form(action="preview")).status_code == 422


def test_seal_and_unseal(browser: Client, dataset: Dataset, bob: User) -> None:
    refused = browser.post(f"{URL}seal/", follow=True).content.decode()
    assert "has no test rows to seal" in refused
    look_and_split(browser)
    reviewer = make_client(bob)
    page = reviewer.post(f"{URL}seal/", follow=True).content.decode()
    assert "The test split is sealed" in page
    assert "An admin of the project can unseal it" in page
    about = " ".join(reviewer.get("/p/support/datasets/messages/").content.decode().split())
    assert ">sealed</a>, never opened." in about
    assert "sealed already" in reviewer.post(f"{URL}seal/", follow=True).content.decode()
    assert reviewer.post(f"{URL}unseal/", {"reason": "I am curious today"}).status_code == 403
    short = browser.post(f"{URL}unseal/", {"reason": " why  "}, follow=True).content.decode()
    assert "Say why the test split is unsealed" in short
    done = browser.post(f"{URL}unseal/", {"reason": "The labels are wrong."}, follow=True)
    assert "Unsealed: The labels are wrong." in done.content.decode()
    assert not Dataset.objects.get().sealed
    assert Opening.objects.get().created_by is not None


def test_a_sealed_test_split_is_kept_whatever_is_chosen(browser: Client, dataset: Dataset) -> None:
    look_and_split(browser)
    browser.post(f"{URL}seal/")
    before = {row.number for row in rows_of(dataset, "test")}
    page = browser.get(URL).content.decode()
    assert re.search(r'name="keep" value="test"[^>]*checked', page)
    look_and_split(browser, seed=9, keep=[])
    assert {row.number for row in rows_of(dataset, "test")} == before
    undone = browser.post(f"{URL}undo/", {"number": 3}, follow=True).content.decode()
    assert "As version 2 was." in undone
    assert {row.number for row in rows_of(dataset, "test")} == before


def test_taking_back_what_would_break_the_seal_is_refused(
    browser: Client, dataset: Dataset
) -> None:
    look_and_split(browser)
    browser.post(f"{URL}seal/")
    page = browser.post(f"{URL}undo/", {"number": 2}, follow=True).content.decode()
    assert "The test split is sealed, and this would change which rows are in it" in page
    assert Dataset.objects.get().number == 2


def test_values_that_only_sealed_rows_have_are_not_listed(
    browser: Client, project: Project
) -> None:
    rows = [{"message": f"m{n}", "who": "secret" if n < 30 else "open"} for n in range(60)]
    splits = ["test"] * 30 + ["train"] * 30
    make_dataset(project, rows=rows, splits=splits, mapping={"message": "message"}, sealed=True)
    sent = {"way": "column", "column": "who", "inputs": ["message"], "action": "preview"}
    page = browser.post(URL, sent).content.decode()
    assert "secret" not in page
    page = browser.post(URL, form(way="group", group="who", action="preview")).content.decode()
    assert "secret" not in page
    assert "a group of the sealed test" in page
