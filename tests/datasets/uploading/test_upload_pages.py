"""The pages of uploads: taking a file, showing what is in it, keeping it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import working
from tests import builders
from tests.datasets.builders import (
    keep_upload,
    make_csv,
    mapping_form,
    nothing_is_left,
    post_file,
    upload_file,
)

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


def test_a_file_becomes_a_dataset_in_two_pages(as_alice: Client, project: Project) -> None:
    answer = post_file(as_alice, make_csv())
    upload = Upload.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == upload.get_absolute_url()
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "Keep 4 rows as a dataset" in page
    assert "Where is my parcel?" in page
    answer = as_alice.post(upload.get_absolute_url(), mapping_form(upload, name="Messages"))
    assert answer.status_code == 302
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.slug, dataset.row_count) == ("Messages", "messages", 4)
    assert as_alice.get(upload.get_absolute_url())["Location"] == dataset.get_absolute_url()
    page = as_alice.get(dataset.get_absolute_url()).content.decode()
    assert "The box is damaged." in page


def test_keeping_twice_imports_once(as_alice: Client, alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_csv())
    form = mapping_form(upload)
    for _click in range(2):
        assert as_alice.post(upload.get_absolute_url(), form).status_code == 302
    assert Dataset.objects.count() == 1


def test_htmx_is_sent_to_the_mapping_page(as_alice: Client, project: Project) -> None:
    answer = post_file(as_alice, make_csv(), **HTMX)
    assert answer["HX-Redirect"] == Upload.objects.get().get_absolute_url()


def test_a_refused_file_says_why_on_the_upload_page(as_alice: Client, project: Project) -> None:
    answer = post_file(as_alice, b"PK\x03\x04rest")
    assert answer.status_code == 422
    assert "ZIP archive" in answer.content.decode()
    assert nothing_is_left()


def test_no_file_chosen(as_alice: Client, project: Project) -> None:
    answer = as_alice.post("/p/support/datasets/upload/", {})
    assert answer.status_code == 422
    assert "Choose a file first" in answer.content.decode()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    as_alice: Client, project: Project, settings: Any
) -> None:
    settings.STUDIO_MAX_UPLOAD_MB = 1
    answer = post_file(as_alice, "a,b\n" + "1,2\n" * 600_000)
    assert answer.status_code == 413
    assert "1 MB is the most" in answer.content.decode()
    assert nothing_is_left()


def test_uploading_needs_the_csrf_token(alice: User, project: Project) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert post_file(browser, make_csv()).status_code == 403
    assert nothing_is_left()


def test_a_stranger_cannot_open_anything(
    as_charlie: Client, alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, make_csv())
    dataset = builders.make_dataset(project)
    for url in (
        "/p/support/datasets/",
        "/p/support/datasets/upload/",
        upload.get_absolute_url(),
        dataset.get_absolute_url(),
    ):
        assert as_charlie.get(url).status_code == 404, url
    assert post_file(as_charlie, make_csv()).status_code == 404
    assert as_charlie.post(dataset.get_absolute_url() + "delete/").status_code == 404
    assert Dataset.objects.count() == 1


def test_a_viewer_looks_and_does_not_upload(alice: User, project: Project) -> None:
    dana = builders.make_user("dana")
    Membership.objects.create(project=project, user=dana, role=Role.VIEWER)
    browser = builders.make_client(dana)
    upload = upload_file(alice, project, make_csv())
    dataset = builders.make_dataset(project)
    assert browser.get(upload.get_absolute_url()).status_code == 200
    assert browser.get(dataset.get_absolute_url()).status_code == 200
    assert "Upload a file" not in browser.get("/p/support/datasets/").content.decode()
    assert browser.get("/p/support/datasets/upload/").status_code == 403
    assert post_file(browser, make_csv()).status_code == 403
    assert browser.post(upload.get_absolute_url(), mapping_form(upload)).status_code == 403
    assert browser.post(dataset.get_absolute_url() + "delete/").status_code == 403
    assert list(Dataset.objects.all()) == [dataset]


def test_an_upload_of_another_project_is_not_found(
    as_alice: Client, alice: User, project: Project
) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    upload = upload_file(alice, other, make_csv())
    assert as_alice.get(f"/p/support/datasets/upload/{upload.token}/").status_code == 404
    assert as_alice.get("/p/support/datasets/upload/nothing/").status_code == 404


def test_a_token_cannot_leave_the_upload_folder(as_alice: Client, project: Project) -> None:
    assert as_alice.get("/p/support/datasets/upload/..%2F..%2Fsecret-key/").status_code == 404


def test_changed_choices_are_checked_before_anything_is_kept(
    as_alice: Client, alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, make_csv())
    form = mapping_form(upload, split_by="random", train=50, dev=25, test=25)
    page = as_alice.post(upload.get_absolute_url(), form, follow=True).content.decode()
    assert "You changed the choices" in page
    assert not Dataset.objects.exists()
    upload.refresh_from_db()
    assert upload.report["splits"] == {"train": 2, "dev": 1, "test": 1}
    as_alice.post(upload.get_absolute_url(), mapping_form(upload))
    assert Dataset.objects.count() == 1


def test_htmx_gets_the_result_of_a_changed_choice(
    as_alice: Client, alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, make_csv())
    form = mapping_form(upload, action="check", delimiter=";")
    answer = as_alice.post(upload.get_absolute_url(), form, **HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    upload.refresh_from_db()
    assert upload.report["columns"] == ["message,category,split"]


def test_choices_that_do_not_fit_together_are_told(
    as_alice: Client, alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, make_csv())
    form = mapping_form(upload, split_by="random", train=50, dev=50, test=50)
    answer = as_alice.post(upload.get_absolute_url(), form)
    assert answer.status_code == 422
    assert "add up to 150 %" in answer.content.decode()
    assert not Dataset.objects.exists()


def test_rows_with_problems_are_only_left_out_when_a_person_says_so(
    as_alice: Client, alice: User, project: Project
) -> None:
    builders.make_signature(project)
    content = make_csv([("Hello", "billing"), ("Hm", "refund")], header=("message", "category"))
    upload = upload_file(alice, project, content)
    answer = as_alice.post(upload.get_absolute_url(), mapping_form(upload))
    assert answer.status_code == 422
    assert "Rows with problems: 1." in answer.content.decode()
    assert not Dataset.objects.exists()
    as_alice.post(upload.get_absolute_url(), mapping_form(upload, leave_out="yes"))
    assert Dataset.objects.get().row_count == 1


def test_throwing_away_leaves_nothing(as_alice: Client, alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_csv())
    as_alice.post(upload.get_absolute_url(), {"action": "discard"})
    assert nothing_is_left()


def test_cells_are_shown_as_text(as_alice: Client, alice: User, project: Project) -> None:
    rows = [("<script>alert(1)</script>", "=HYPERLINK(1)"), ("+cmd|' /C calc'!A0", "@x")]
    upload = upload_file(alice, project, make_csv(rows, header=("<b>", "formula")))
    for url in (upload.get_absolute_url(), keep_upload(alice, upload).get_absolute_url()):
        page = as_alice.get(url, follow=True).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "&lt;b&gt;" in page
        assert "=HYPERLINK(1)" in page


def test_the_page_of_a_large_file_shows_how_far_it_is(
    as_alice: Client, alice: User, project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_INLINE_IMPORT_MB = 0
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: None)
    upload = upload_file(alice, project, make_csv())
    url = upload.get_absolute_url()
    page = as_alice.get(url).content.decode()
    assert "Reading the whole file" in page
    assert "Waiting for a worker" in page
    working.work(upload.pk)
    fragment = as_alice.get(url, **HTMX).content.decode()
    assert "Keep 4 rows" in fragment
    assert "<html" not in fragment
    upload.refresh_from_db()
    as_alice.post(url, mapping_form(upload))
    assert "Importing the rows" in as_alice.get(url, **HTMX).content.decode()
    working.work(upload.pk)
    assert as_alice.get(url, **HTMX)["HX-Redirect"] == Dataset.objects.get().get_absolute_url()


def test_a_refused_upload_says_why(
    as_alice: Client, alice: User, project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_INLINE_IMPORT_MB = 0
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: None)
    upload = upload_file(alice, project, "a,b\n" + "1,2\n" * 2000 + '"x"y,1\n' * 1001)
    working.work(upload.pk)
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "No dataset can be made of this file" in page
    assert "broken quotes" in page
