"""The pages: the list, one dataset."""

from __future__ import annotations

from typing import Any

from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.models import Dataset
from tests import builders
from tests.datasets.builders import (
    keep_upload,
    make_csv,
    upload_file,
)

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


def test_rows_are_filtered_and_searched(as_alice: Client, alice: User, project: Project) -> None:
    rows = [("Überweisung fehlt", "billing", "train"), ('Parcel "lost"', "shipping", "test")]
    url = keep_upload(alice, upload_file(alice, project, make_csv(rows))).get_absolute_url()

    def found(query: str) -> list[bool]:
        page = as_alice.get(f"{url}?{query}").content.decode()
        return ["berweisung" in page, "Parcel" in page]

    assert found("split=test") == [False, True]
    assert found("q=parcel") == [False, True]
    assert found("q=%C3%9Cberweisung") == [True, False]
    assert found("q=category") == [False, False], "names of columns are not searched"
    assert found("split=nonsense&q=&page=99") == [True, True]


def test_the_rows_are_paged(as_alice: Client, alice: User, project: Project) -> None:
    rows = [(f"message {n}", "billing", "train") for n in range(1, 121)]
    url = keep_upload(alice, upload_file(alice, project, make_csv(rows))).get_absolute_url()
    page = as_alice.get(url + "?page=3&split=train").content.decode()
    assert "message 101<" in page
    assert "message 100<" not in page


def test_columns_with_any_name_are_searched(
    as_alice: Client, alice: User, project: Project
) -> None:
    header = ('größe "x"', "a.b$[0]", "it's %s")
    rows = [("one", "two", "three"), ("four", "five", "six")]
    upload = upload_file(alice, project, make_csv(rows, header=('"größe ""x"""', *header[1:])))
    dataset = keep_upload(alice, upload)
    assert tuple(dataset.columns) == header
    for word in ("one", "two", "three"):
        page = as_alice.get(f"{dataset.get_absolute_url()}?q={word}").content.decode()
        assert "three" in page, word
        assert "four" not in page, word


def test_a_dataset_is_deleted_unless_a_run_uses_it(as_alice: Client, project: Project) -> None:
    dataset = builders.make_dataset(project)
    run = builders.make_run(project, dataset=dataset)
    url = dataset.get_absolute_url() + "delete/"
    assert "1 run uses it" in as_alice.post(url, follow=True).content.decode()
    assert Dataset.objects.exists()
    run.delete()
    as_alice.post(url)
    assert not Dataset.objects.exists()
