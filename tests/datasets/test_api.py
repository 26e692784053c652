"""Datasets for programs."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import working
from tests import builders
from tests.datasets.builders import (
    make_csv,
    make_file,
    make_labelled_csv,
    nothing_is_left,
    upload_file,
)

URL = "/api/projects/support/datasets/"


def send(client: Client, content: str | bytes, name: str = "messages.csv", **said: Any) -> Any:
    return client.post(URL, {"file": make_file(content, name), **said})


def test_a_file_becomes_a_dataset_in_one_request(as_alice: Client, project: Project) -> None:
    answer = send(as_alice, make_csv(), name="m.csv")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["splits"] == {"train": 2, "dev": 1, "test": 1}
    assert as_alice.get(URL).json() == [answer.json()]
    assert as_alice.get(URL + "m/").json()["fingerprint"] == Dataset.objects.get().fingerprint


def test_choices_are_taken(as_alice: Client, project: Project) -> None:
    builders.make_signature(project)
    content = make_labelled_csv(10).replace("message,category", "Text,Label")
    mapping = json.dumps({"message": "Text", "category": "Label"})
    answer = as_alice.post(
        URL,
        {
            "file": make_file(content),
            "name": "Mine",
            "signature": "triage",
            "mapping": mapping,
            "train": 80,
            "dev": 10,
            "test": 10,
        },
    )
    assert answer.status_code == 201, answer.json()
    assert answer.json()["mapping"] == {"message": "Text", "category": "Label"}
    assert answer.json()["splits"] == {"train": 8, "dev": 1, "test": 1}
    assert answer.json()["name"] == "Mine"


def test_a_mapping_without_a_signature_is_taken(as_alice: Client, project: Project) -> None:
    mapping = json.dumps({"question": "message"})
    answer = send(as_alice, make_csv(), mapping=mapping)
    assert answer.json()["mapping"] == {"question": "message"}
    answer = send(as_alice, make_csv(), mapping=json.dumps({"\0": "message"}))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_file_without_column_names_needs_a_word(as_alice: Client, project: Project) -> None:
    content = "Where is it?,3\nWhy?,4\n"
    answer = send(as_alice, content)
    assert answer.status_code == 422
    assert "looks like data" in answer.json()["message"]
    assert nothing_is_left()
    answer = send(as_alice, content, header="data")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["columns"] == ["column 1", "column 2"]


def test_problems_are_listed_and_nothing_is_kept(as_alice: Client, project: Project) -> None:
    content = "message,note\nhi,x\na,b,c\n"
    answer = send(as_alice, content)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["row"] == 2
    assert nothing_is_left()
    assert send(as_alice, content, leave_out="true").status_code == 201


def test_wrong_requests_get_a_sentence(as_alice: Client, project: Project) -> None:
    assert "Send the file" in as_alice.post(URL, {"name": "x"}).json()["message"]
    assert send(as_alice, b"PK\x03\x04").status_code == 422
    assert send(as_alice, make_csv(), signature="none").status_code == 400
    assert send(as_alice, make_csv(), mapping="{").status_code == 400
    answer = send(as_alice, make_csv(), split_column="nothing")
    assert "Choose the column" in answer.json()["message"]
    assert nothing_is_left()


def test_a_large_file_is_kept_in_a_second_request(
    as_alice: Client, project: Project, settings: Any, monkeypatch: Any
) -> None:
    settings.STUDIO_INLINE_IMPORT_MB = 0
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: None)
    answer = send(as_alice, make_csv())
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    url = f"{URL}uploads/{answer.json()['token']}/"
    working.work(Upload.objects.get().pk)
    assert as_alice.get(url).json()["state"] == "ready"
    assert as_alice.post(url, {}, "application/json").status_code == 202
    working.work(Upload.objects.get().pk)
    assert as_alice.get(url).json()["dataset"] == "messages"


def test_strangers_and_viewers_are_refused(as_charlie: Client, project: Project) -> None:
    dana = builders.make_user("dana")
    Membership.objects.create(project=project, user=dana, role=Role.VIEWER)
    assert send(as_charlie, make_csv()).status_code == 404
    assert as_charlie.get(URL).status_code == 404
    assert send(builders.make_client(dana), make_csv()).status_code == 403
    assert builders.make_client(dana).get(URL).json() == []
    assert Client().get(URL).status_code == 401
    assert nothing_is_left()


def test_somebody_elses_upload_is_not_found(
    as_alice: Client, alice: User, project: Project
) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    made = upload_file(alice, other, make_csv())
    assert as_alice.get(f"{URL}uploads/{made.token}/").status_code == 404


def test_a_mapping_nested_too_deeply_is_refused(as_alice: Client, project: Project) -> None:
    said = {"file": make_file(make_csv()), "mapping": "[" * 200_000}
    answer = as_alice.post(URL, said)
    assert answer.status_code in (400, 422)
