"""Splits through the API: read, plan, split, seal, unseal, and the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.models import Dataset
from studio.datasets.splits.sealing import open_test, seal
from tests.builders import make_client, make_dataset, make_project, make_run, make_user, rows_of

pytestmark = pytest.mark.django_db

URL = "/api/projects/support/datasets/messages"


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, viewer=make_user("vera"))


@pytest.fixture
def api(alice: User) -> Client:
    return make_client(alice)


@pytest.fixture
def dataset(project: Project) -> Dataset:
    rows = [{"message": f"message {n}", "who": f"c{n % 9}"} for n in range(100)]
    return make_dataset(project, rows=rows, splits=["train"] * 100, mapping={"m": "message"})


def post(api: Client, path: str, **body: Any) -> Any:
    return api.post(f"{URL}/{path}/", body, content_type="application/json")


def test_splits_are_read(api: Client, dataset: Dataset) -> None:
    told = api.get(f"{URL}/splits/").json()
    assert told["version"] == 1
    assert told["splits"] == {"train": 100, "dev": 0, "test": 0}
    assert told["repeated_inputs"] == {"rows": 0, "across": 0, "shown": []}
    assert told["inputs"] == ["message"]
    assert (told["sealed"], told["openings"]) == (False, 0)


def test_a_preview_and_then_the_split(api: Client, dataset: Dataset) -> None:
    choice = {"way": "group", "group": "who", "seed": 3, "shares": {"dev": 20, "test": 20}}
    plan = post(api, "splits", **choice, preview=True)
    assert plan.status_code == 200
    assert plan.json()["groups"]["across"] == 0
    done = post(api, "splits", **choice, version=plan.json()["version"])
    assert done.status_code == 201
    assert done.json()["version"] == 2
    assert done.json()["splits"] == plan.json()["after"]
    assert "train the rest" in done.json()["last"]


def test_an_older_version_is_refused(api: Client, dataset: Dataset) -> None:
    post(api, "splits")
    assert post(api, "splits", seed=4, version=1).status_code == 409
    assert Dataset.objects.get().number == 2


@pytest.mark.parametrize(
    "body",
    [
        {"way": "by heart"},
        {"way": "group"},
        {"way": "group", "group": "nothing"},
        {"shares": {"train": 60, "dev": 60, "test": 60}},
        {"shares": {"train": -1}},
        {"shares": [60, 20, 20]},
        {"seed": "one"},
        {"seed": 2**40},
        {"keep": ["exam"]},
        {"keep": "test and more"},
        {"values": {"a": "exam"}},
        {"inputs": [{"no": "text"}]},
        {"version": 0},
    ],
)
def test_what_cannot_be_is_refused(api: Client, dataset: Dataset, body: dict[str, Any]) -> None:
    assert post(api, "splits", **body).status_code in (400, 422)
    assert Dataset.objects.get().number == 1


def test_seal_open_and_unseal(api: Client, dataset: Dataset, alice: User) -> None:
    assert post(api, "seal").status_code == 422
    post(api, "splits")
    assert post(api, "seal").json()["sealed"] is True
    before = [row.number for row in rows_of(dataset, "test")]
    assert post(api, "splits", seed=8).status_code == 201
    assert [row.number for row in rows_of(dataset, "test")] == before
    run = make_run(dataset.project)
    open_test(actor=alice, dataset=dataset, number=3, run=run.pk, purpose="Compile Triage v1")
    (entry,) = api.get(f"{URL}/openings/").json()
    assert (entry["purpose"], entry["run"], entry["by"], entry["number"]) == (
        "Compile Triage v1", str(run.pk), "alice", 3,
    )  # fmt: skip
    assert post(api, "unseal").status_code in (400, 422)
    assert post(api, "unseal", reason="short").status_code == 422
    assert post(api, "unseal", reason="The labels are wrong.").json()["sealed"] is False
    assert len(api.get(f"{URL}/openings/").json()) == 2


def test_who_may(dataset: Dataset, alice: User) -> None:
    vera = make_client(User.objects.get(username="vera"))
    assert vera.get(f"{URL}/splits/").status_code == 200
    assert vera.get(f"{URL}/openings/").status_code == 200
    assert post(vera, "splits").status_code == 403
    assert post(vera, "splits", preview=True).status_code == 403
    assert post(vera, "seal").status_code == 403
    charlie = make_client(make_user("charlie"))
    for path in ("splits", "seal", "unseal"):
        assert post(charlie, path, reason="Because I can.").status_code == 404
    assert charlie.get(f"{URL}/openings/").status_code == 404
    assert Client().get(f"{URL}/splits/").status_code == 401
    assert Dataset.objects.get().number == 1


def test_only_admins_unseal(project: Project, dataset: Dataset, alice: User) -> None:
    bob = make_user("bob")
    project.memberships.create(user=bob, role="reviewer")
    post(make_client(alice), "splits")
    seal(actor=bob, dataset=Dataset.objects.get())
    answer = post(make_client(bob), "unseal", reason="I would like to look.")
    assert answer.status_code == 403
    assert Dataset.objects.get().sealed
