"""Programs evaluate, read what came out, and compare; every wrong input is a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from studio.datasets.splits.sealing import seal
from studio.runs.models import Run
from tests.runs.builders import Kit, Lab
from tests.runs.evaluating import evaluate, noisy, start

pytestmark = pytest.mark.django_db


def url_of(name: str, *args: Any) -> str:
    """An address of the API."""
    return reverse(f"api:runs:{name}", args=["support", *args])


def send(client: Client, url: str, **values: Any) -> Any:
    """The answer to JSON."""
    return client.post(url, values, content_type="application/json")


def ask(client: Client, **values: Any) -> Any:
    """The answer to the least that an evaluation needs."""
    least = {"dataset": "messages", "metric": "exact", "connection": "scripted", "split": "dev"}
    return send(client, url_of("evaluate", "triage"), **{**least, **values})


def test_an_evaluation_is_queued_with_what_was_asked(kit: Kit, as_alice: Client) -> None:
    answer = ask(
        as_alice, repeats=3, rows="random", count=5, seed=9, max_calls=70, number=1, reuse=False
    )
    assert answer.status_code == 202, answer.content
    run = Run.objects.get(pk=answer.json()["run"])
    told = {name: run.params[name] for name in ("split", "repeats", "rows", "count")}
    assert told == {"split": "dev", "repeats": 3, "rows": "random", "count": 5}
    assert (run.seed, run.max_calls, run.dataset_number, run.reuse) == (9, 70, 1, False)


@pytest.mark.parametrize(
    ("values", "status", "sentence"),
    [
        ({"subject": "version:4"}, 404, "no version 4"),
        ({"subject": "everything"}, 422, "cannot be evaluated"),
        ({"repeats": 99}, 400, "10"),
        ({"split": "holdout"}, 400, "holdout"),
        ({"rows": "first"}, 422, "how many rows"),
        ({"maxcalls": 5}, 400, "Not known here"),
        ({"dataset": "nowhere"}, 404, "no dataset"),
        ({"connection": ""}, 422, "language model"),
        ({"number": 3}, 404, "no version 3"),
        ({"max_cost": -1}, 422, "more than 0"),
    ],
)
def test_what_does_not_fit_is_a_sentence(
    kit: Kit, as_alice: Client, values: dict[str, Any], status: int, sentence: str
) -> None:
    answer = ask(as_alice, **values)
    assert answer.status_code == status, answer.content
    assert sentence in answer.content.decode()
    assert not Run.objects.exists()


def test_results_are_read_with_slices(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit, split="all")
    url = url_of("results", run.pk)
    told = as_alice.get(url, {"by": "category", "show": "wrong"}).json()
    assert told["counts"]["wrong"] == told["total"] == len(told["rows"])
    assert {row["state"] for row in told["rows"]} == {"wrong"}
    assert {one["name"] for one in told["slices"]} == {"billing", "shipping"}
    assert told["score"] == run.report["score"]
    assert as_alice.get(url, {"offset": "47"}).json()["rows"][0]["row"] == 48
    for wrong in ({"by": "nothing"}, {"offset": "-1"}, {"offset": "²"}):
        assert as_alice.get(url, wrong).status_code == 422


def test_a_sealed_row_is_never_told(kit: Kit, as_alice: Client) -> None:
    seal(actor=kit.actor, dataset=kit.dataset)
    kit.dataset.refresh_from_db()
    run = evaluate(kit, split="test")
    told = as_alice.get(url_of("results", run.pk)).json()
    assert told["rows"] == []
    assert told["hidden"] == 16
    assert told["score"]["value"] == run.report["score"]["value"]


def test_evaluations_are_listed_and_compared(kit: Kit, lab: Lab, as_alice: Client) -> None:
    base = evaluate(kit)
    lab.make = noisy()
    other = evaluate(kit, repeats=2)
    listed = as_alice.get(url_of("evaluations", "triage")).json()["evaluations"]
    assert [one["run"] for one in listed] == [str(other.pk), str(base.pk)]
    told = as_alice.get(url_of("compare"), {"base": str(base.pk), "run": str(other.pk)}).json()
    (against,) = told["against"]
    assert against["matched"] == 16
    assert against["adjusted"] == against["p_value"]
    assert "Holm" in told["test"]
    assert as_alice.get(url_of("compare"), {"base": str(base.pk)}).status_code == 422
    assert as_alice.get(url_of("compare"), {"base": "x", "run": "y"}).status_code == 404


def test_very_many_named_evaluations_are_not_all_looked_up(
    kit: Kit, as_alice: Client, django_assert_max_num_queries: Any
) -> None:
    runs = [str(start(kit).pk) for _ in range(9)]
    with django_assert_max_num_queries(20):
        answer = as_alice.get(url_of("compare"), {"base": runs[0], "run": runs * 50})
    assert answer.status_code == 422
    assert "At most 5" in answer.json()["message"]


def test_caps_are_raised(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit, max_calls=3)
    url = url_of("go-on", run.pk)
    assert send(as_alice, url, max_calls=2).status_code == 422
    assert send(as_alice, url, max_call=9).status_code == 400
    assert send(as_alice, url, max_calls=9).status_code == 200
    run.refresh_from_db()
    assert run.max_calls == 9
    assert send(as_alice, url, max_calls=12).status_code == 409


def test_strangers_and_viewers(kit: Kit, as_charlie: Client) -> None:
    run = evaluate(kit, max_calls=3)
    assert ask(as_charlie).status_code == 404
    assert send(as_charlie, url_of("go-on", run.pk), max_calls=9).status_code == 404
    for url in (
        url_of("results", run.pk),
        url_of("evaluations", "triage"),
        url_of("compare") + f"?base={run.pk}&run={run.pk}",
    ):
        assert as_charlie.get(url).status_code == 404
        assert Client().get(url).status_code == 401


def test_a_compile_is_no_evaluation(kit: Kit, as_alice: Client) -> None:
    run = kit.start()
    assert as_alice.get(url_of("results", run.pk)).status_code == 404
    assert send(as_alice, url_of("go-on", run.pk), max_calls=9).status_code == 404
