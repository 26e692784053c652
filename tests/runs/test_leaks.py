"""A compile is not started while test rows are given away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from studio.datasets import chores
from studio.datasets.models import Chore, Dataset
from studio.datasets.scanning import findings, waiving
from studio.datasets.scanning.scan import make_scan
from studio.errors import Invalid
from studio.runs import leaks, services
from studio.runs.execute import execute
from studio.runs.models import Run
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, make_rows

REASON = "The same person asked twice."
LEAK = "Row 49 \\(test\\) equals row 1 \\(train\\)"


@pytest.fixture
def leaky(kit: Kit) -> Kit:
    """Its last row, for test, asks what its first one does."""
    rows = make_rows(48)
    rows.append({**rows[0], "message": rows[0]["message"].upper()})
    splits = [("train", "dev", "test")[n % 3] for n in range(48)] + ["test"]
    dataset = builders.make_dataset(kit.project, "leaky", rows=rows, splits=splits)
    return replace(kit, dataset=dataset)


def by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every dataset is too large to be scanned at once."""
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 0)
    monkeypatch.setattr(chores, "_kick", lambda _pk: None)


def test_a_leak_stops_the_start(leaky: Kit) -> None:
    with pytest.raises(Invalid, match=LEAK) as error:
        leaky.start()
    assert "/p/support/datasets/leaky/findings/?kind=leak" in str(error.value)
    assert error.value.problems[0]["field"] == "dataset"
    assert not Run.objects.exists()


def test_waived_it_starts(leaky: Kit) -> None:
    findings.ask_scan(leaky.dataset)
    waiving.waive(actor=leaky.actor, dataset=leaky.dataset, kind="leak", keys=None, reason=REASON)
    assert leaky.start().state == "queued"


def test_resolved_it_starts(leaky: Kit) -> None:
    findings.ask_scan(leaky.dataset)
    findings.resolve(
        actor=leaky.actor, dataset=leaky.dataset, kind="leak", action="delete-test", keys=None
    )
    assert leaky.start().dataset_number == 2


def test_rows_that_differ_in_a_number_are_no_leak(kit: Kit) -> None:
    rows = [{"message": f"message {n} of all that came", "category": "billing"} for n in range(9)]
    dataset = builders.make_dataset(kit.project, "numbers", rows=rows)
    assert replace(kit, dataset=dataset).start().state == "queued"


def test_only_what_the_pipeline_is_given_is_compared(kit: Kit) -> None:
    rows = [{**row, "remark": f"remark {n} of its own"} for n, row in enumerate(make_rows(48))]
    rows.append({**rows[0], "remark": "quite another remark"})
    splits = [("train", "dev", "test")[n % 3] for n in range(48)] + ["test"]
    dataset = builders.make_dataset(kit.project, "leaky", rows=rows, splits=splits)
    assert findings.ask_scan(dataset).stops == 0
    with pytest.raises(Invalid, match=LEAK) as error:
        replace(kit, dataset=dataset).start()
    assert "inputs=message" in str(error.value)


def test_a_large_dataset_is_scanned_by_the_job(
    leaky: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_a_worker(monkeypatch)
    run = leaky.compile()
    assert run.state == "failed"
    assert "Row 49 (test) equals row 1 (train)" in run.error
    assert run.calls == 0
    assert Chore.objects.get(kind="scan").state == "done"


def test_a_large_dataset_without_leaks_compiles(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    by_a_worker(monkeypatch)
    assert kit.compile().state == "succeeded"


def test_a_scan_that_failed_stops_it_too(kit: Kit) -> None:
    Chore.objects.create(
        dataset=kit.dataset, number=1, kind="scan", state="failed", error="The disk was full."
    )
    with pytest.raises(Invalid, match=r"could not be scanned.*The disk was full"):
        kit.start()


def test_the_form_says_so_before_one_presses(leaky: Kit, as_alice: Client) -> None:
    url = f"/p/support/pipelines/{leaky.pipeline.slug}/compile/estimate/"
    text = as_alice.get(url, leaky.form()).content.decode()
    assert "The dataset leaks" in text
    assert "Row 49 (test) equals row 1 (train)." in text
    assert "/p/support/datasets/leaky/findings/?kind=leak" in text


def test_the_form_is_refused_at_the_dataset(leaky: Kit, as_alice: Client) -> None:
    url = f"/p/support/pipelines/{leaky.pipeline.slug}/compile/"
    answer = as_alice.post(url, leaky.form())
    assert answer.status_code == 422
    assert "Row 49 (test) equals row 1 (train)." in answer.content.decode()


def test_the_form_says_that_a_scan_is_going_on(
    leaky: Kit, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_a_worker(monkeypatch)
    url = f"/p/support/pipelines/{leaky.pipeline.slug}/compile/estimate/"
    assert "is being scanned for leaks" in as_alice.get(url, leaky.form()).content.decode()


def test_train_and_dev_that_overlap_only_warn(kit: Kit, as_alice: Client) -> None:
    rows = make_rows(48)
    rows.append(dict(rows[0]))
    splits = [("train", "dev", "test")[n % 3] for n in range(48)] + ["dev"]
    dataset = builders.make_dataset(kit.project, "overlapping", rows=rows, splits=splits)
    other = replace(kit, dataset=dataset)
    url = f"/p/support/pipelines/{kit.pipeline.slug}/compile/estimate/"
    text = as_alice.get(url, other.form()).content.decode()
    assert "nearly the same in train and dev" in text
    assert other.start().state == "queued"


def test_the_api_names_the_dataset(leaky: Kit, as_alice: Client) -> None:
    said: dict[str, Any] = {
        "dataset": "leaky", "metric": leaky.metric.slug, "connections": [leaky.connection.slug],
        "compiler": "random-search",
    }  # fmt: skip
    url = f"/api/projects/support/pipelines/{leaky.pipeline.slug}/compile/"
    answer = as_alice.post(url, said, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == "dataset"
    assert Dataset.objects.get(slug="leaky").chores.filter(kind="scan").count() <= 1


def test_a_scan_ends_when_the_run_is_cancelled(
    leaky: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_a_worker(monkeypatch)
    run = leaky.start()

    def endless(_chore: Chore, beat: chores.Beat) -> dict[str, Any]:
        services.cancel(actor=leaky.actor, run=run)
        for _time in range(100):
            beat(0.5)
        return {}

    monkeypatch.setitem(chores.CHORES, "scan", endless)
    assert execute(run.pk) == State.CANCELLED
    chore = Chore.objects.get(kind="scan")
    assert (chore.state, chore.owner) == ("waiting", "")


def test_the_lease_is_renewed_while_the_run_scans(
    leaky: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_a_worker(monkeypatch)
    run = leaky.start()
    beats = []

    def scan(chore: Chore, beat: chores.Beat) -> dict[str, Any]:
        long_ago = timezone.now() - timedelta(days=1)
        Run.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
        beat(0.5)
        beats.append(not Run.objects.filter(pk=run.pk, heartbeat_at=long_ago).exists())
        return make_scan(chore, beat)

    monkeypatch.setitem(chores.CHORES, "scan", scan)
    assert execute(run.pk) == State.FAILED
    assert beats == [True]


def test_a_scan_that_somebody_else_does_holds_no_cancel_up(
    leaky: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_a_worker(monkeypatch)
    monkeypatch.setattr(leaks, "LOOK_EVERY_S", 60.0)
    run = leaky.start()
    Chore.objects.update_or_create(
        dataset=leaky.dataset, number=1, kind="scan",
        defaults={"owner": "another", "heartbeat_at": timezone.now()},
    )  # fmt: skip

    looks = []

    def cancel(now: Run) -> None:
        looks.append(now.pk)
        if len(looks) == 2:
            services.cancel(actor=leaky.actor, run=now)

    assert execute(run.pk, on_look=cancel) == State.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_told_of_a_scan_when_it_can_find_it(
    leaky: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 0)
    told = []

    def kick(pk: int) -> None:
        told.append((pk, connection.in_atomic_block))

    monkeypatch.setattr(chores, "_kick", kick)
    leaky.start(kick=False)
    assert told == [(Chore.objects.get(kind="scan").pk, False)]
