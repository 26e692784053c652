"""The pages of evaluations: the form, the list, one of them, several side by side, files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from studio.accounts.models import Project
from studio.datasets.splits.sealing import seal
from studio.reviews.models import Review
from studio.runs.models import Artifact, Run, ScoreRow
from tests import builders
from tests.runs.builders import Kit, Lab
from tests.runs.evaluating import evaluate, noisy, start

pytestmark = pytest.mark.django_db


def page_of(kit: Kit, name: str, *args: Any) -> str:
    """The address of a page of the project."""
    return reverse(f"runs:{name}", args=[kit.project.slug, *args])


def form_of(kit: Kit, **values: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    return {
        "subject": "now",
        "dataset": kit.dataset.pk,
        "number": "",
        "split": "dev",
        "metric": kit.metric.pk,
        "connection": kit.connection.pk,
        "repeats": "1",
        "rows": "all",
        "count": "",
        "seed": "0",
        "max_calls": "500",
        "max_cost": "",
        **values,
    }


def as_htmx(client: Client, url: str) -> str:
    """A fragment."""
    answer = client.get(url, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


# ---- the form


def test_the_form_starts_an_evaluation(kit: Kit, as_alice: Client) -> None:
    url = page_of(kit, "evaluate", kit.pipeline.slug)
    page = as_alice.get(url).content.decode()
    assert "Start evaluating" in page
    assert "about 16 calls" in page
    answer = as_alice.post(url, form_of(kit, repeats="3", rows="first", count="4"))
    run = Run.objects.get()
    assert answer["Location"] == run.get_absolute_url()
    assert run.params["repeats"] == 3
    assert (run.params["rows"], run.params["count"]) == ("first", 4)
    assert run.max_calls == 500


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"repeats": "11"}, "at most 10 times"),
        ({"repeats": "x"}, "Enter a whole number"),
        ({"rows": "random"}, "Say how many rows"),
        ({"max_calls": "0"}, "could never ask the LM"),
        ({"number": "9"}, "has no version 9"),
        ({"subject": "version:77"}, "is not there any more"),
        ({"connection": ""}, "Choose the language model that answers"),
        ({"max_cost": "-1"}, "Allow at least"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(
    kit: Kit, as_alice: Client, values: dict[str, str], sentence: str
) -> None:
    answer = as_alice.post(page_of(kit, "evaluate", kit.pipeline.slug), form_of(kit, **values))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Run.objects.exists()


def test_a_split_without_rows_is_told_at_its_field(
    kit: Kit, project: Project, as_alice: Client
) -> None:
    dataset = builders.make_dataset(project, "train-only", splits=["train"] * 6)
    url = page_of(kit, "evaluate", kit.pipeline.slug)
    answer = as_alice.post(url, form_of(kit, dataset=dataset.pk))
    assert answer.status_code == 422
    assert "has no dev rows" in answer.content.decode()


def test_the_estimate_follows_the_form(kit: Kit, as_alice: Client) -> None:
    url = page_of(kit, "evaluate-estimate", kit.pipeline.slug)

    def told(**values: Any) -> str:
        return as_alice.get(url, form_of(kit, **values)).content.decode()

    assert "about 64 calls" in told(repeats="4")
    assert "about 9 calls" in told(rows="first", count="3", repeats="3")
    assert "enough for about 5 of 16 rows" in told(max_calls="5")
    assert "No estimate yet" in told(repeats="")


def test_a_sealed_test_split_is_said_to_be_counted(kit: Kit, as_alice: Client) -> None:
    seal(actor=kit.actor, dataset=kit.dataset)
    url = page_of(kit, "evaluate-estimate", kit.pipeline.slug)
    told = as_alice.get(url, form_of(kit, split="test")).content.decode()
    assert "This opens it, and is counted" in told
    assert "opens it" not in as_alice.get(url, form_of(kit)).content.decode()


def test_the_form_opens_as_a_run_was(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit, repeats=2, rows="random", count=7, seed=5)
    page = as_alice.get(page_of(kit, "evaluate", kit.pipeline.slug) + f"?run={run.pk}")
    html = page.content.decode()
    assert '<option value="version:1" selected>' in html
    assert 'name="count" value="7"' in html
    for wrong in ("nonsense", kit.start().pk):
        answer = as_alice.get(page_of(kit, "evaluate", kit.pipeline.slug) + f"?run={wrong}")
        assert answer.status_code == 404


def test_without_what_it_needs_the_form_says_what_to_add(
    project: Project, as_alice: Client
) -> None:
    pipeline = builders.make_pipeline(project)
    page = as_alice.get(reverse("runs:evaluate", args=[project.slug, pipeline.slug]))
    assert "Evaluating needs a little more" in page.content.decode()


def test_a_dataset_leads_to_its_pipelines(kit: Kit, as_alice: Client) -> None:
    page = as_alice.get(page_of(kit, "evaluate-choose") + f"?dataset={kit.dataset.slug}")
    assert f"/evaluate/?dataset={kit.dataset.slug}" in page.content.decode()


# ---- one evaluation


def test_the_page_shows_score_rows_and_reasons(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit)
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert f"{run.report['score']['value']:.3f}" in page
    assert "95 % interval" in page
    assert page.count("Steps<span") == 16
    assert "Order 1." in page


def test_while_it_runs_its_page_asks_again_and_stops_when_it_has_ended(
    kit: Kit, as_alice: Client
) -> None:
    run = start(kit)
    live = as_htmx(as_alice, f"{run.get_absolute_url()}?part_of=live&was=queued-")
    assert 'hx-trigger="every 1s"' in live
    assert "Waiting for a worker" in live
    rows = as_htmx(as_alice, f"{run.get_absolute_url()}?part_of=rows")
    assert "No row is answered yet" in rows
    assert 'hx-trigger="every 3s"' in rows
    run = evaluate(kit)
    answer = as_alice.get(
        f"{run.get_absolute_url()}?part_of=live&was=running-", headers={"HX-Request": "true"}
    )
    assert answer["HX-Refresh"] == "true"
    assert "hx-get" not in answer.content.decode().split("</div>")[0]


def test_rows_are_filtered_searched_and_sorted(kit: Kit, lab: Lab, as_alice: Client) -> None:
    run = evaluate(kit, split="all")
    wrong = ScoreRow.objects.filter(run=run, value=0).count()
    assert wrong

    def rows(query: str) -> str:
        return as_htmx(as_alice, f"{run.get_absolute_url()}?part_of=rows&{query}")

    assert f"{wrong} row" in rows("show=wrong")
    assert "1 row<" in rows("q=ORDER 13.")
    assert "No row fits" in rows("q=nothing like it")
    assert "48 rows" in rows("show=nonsense&sort=nonsense&page=99")
    assert rows("sort=score").index("0.000") < rows("sort=score").index("1.000")
    table = rows("hide=reason&hide=cost&hide=inputs")
    assert "Cost</th>" not in table
    assert "Score</th>" in table


def test_a_row_is_shown_with_every_step(kit: Kit, lab: Lab, as_alice: Client) -> None:
    lab.make = noisy()
    run = evaluate(kit, repeats=2)
    score = ScoreRow.objects.filter(run=run).order_by("number").first()
    assert score is not None
    url = page_of(kit, "result-row", run.pk, score.example)
    page = as_alice.get(url).content.decode()
    assert "Answer 2" in page
    assert "Sort the message into one category." in page
    assert "<html" not in as_htmx(as_alice, url)
    assert as_alice.get(page_of(kit, "result-row", run.pk, "0" * 64)).status_code == 404


def test_what_an_lm_wrote_is_shown_inert(kit: Kit, project: Project, as_alice: Client) -> None:
    rows = [
        {"message": f"<script>alert({n})</script> invoice", "category": "billing"}
        for n in range(6)
    ]
    run = evaluate(kit, dataset=builders.make_dataset(project, "sly", rows=rows))
    assert "<script>alert(" not in as_alice.get(run.get_absolute_url()).content.decode()


def test_a_sealed_test_split_shows_its_score_and_no_row(kit: Kit, as_alice: Client) -> None:
    seal(actor=kit.actor, dataset=kit.dataset)
    kit.dataset.refresh_from_db()
    run = evaluate(kit, split="test")
    page = as_alice.get(run.get_absolute_url() + "?by=category").content.decode()
    assert f"{run.report['score']['value']:.3f}" in page
    assert "The rows are sealed" in page
    example = ScoreRow.objects.filter(run=run).values_list("example", flat=True)[0]
    assert as_alice.get(page_of(kit, "result-row", run.pk, example)).status_code == 409
    for kind in ("csv", "jsonl"):
        told = b"".join(as_alice.get(page_of(kit, "export", run.pk, kind))).decode()
        assert "Order" not in told


# ---- caps


def test_at_a_cap_the_page_offers_to_go_on(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit, max_calls=6)
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert "A cap is reached: 10 answers are missing" in page
    assert 'name="max_calls" type="number" min="1" value="18"' in page
    assert 'hx-trigger="every' not in page, "what is typed stays"
    url = page_of(kit, "go-on", run.pk)
    assert as_alice.post(url, {"max_calls": "4"}).status_code == 422
    assert as_alice.post(url, {"max_calls": "x"}).status_code == 422
    assert as_alice.post(url, {"max_calls": "40"}).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.max_calls) == ("queued", 40)


# ---- slices


def test_slices_show_where_it_is_good(kit: Kit, as_alice: Client) -> None:
    run = evaluate(kit, split="all")
    page = as_alice.get(run.get_absolute_url() + "?by=category").content.decode()
    assert "cut by its values" in page
    assert "?by=category&amp;part=shipping" in page
    part = as_htmx(as_alice, f"{run.get_absolute_url()}?part_of=rows&by=category&part=shipping")
    assert "24 rows" in part
    gone = as_htmx(as_alice, f"{run.get_absolute_url()}?part_of=slices&by=nothing")
    assert "has no column “nothing”" in gone


# ---- the list, and several side by side


def test_the_list_names_what_was_scored_on_what(kit: Kit, as_alice: Client) -> None:
    url = page_of(kit, "evaluations", kit.pipeline.slug)
    assert "Nothing was evaluated yet" in as_alice.get(url).content.decode()
    run = evaluate(kit)
    page = as_alice.get(url).content.decode()
    assert "Version 1" in page
    assert "Messages v1, dev" in page
    assert "Exact v1" in page
    assert f"{run.report['score']['value']:.3f}" in page


def test_evaluations_are_compared_with_a_baseline(kit: Kit, lab: Lab, as_alice: Client) -> None:
    base = evaluate(kit, split="all")
    lab.make = noisy()
    other, third = evaluate(kit, split="all"), evaluate(kit, split="all")
    url = f"{page_of(kit, 'compare')}?base={base.pk}&run={other.pk}&run={third.pk}&run={base.pk}"
    page = as_alice.get(url + "&by=category").content.decode()
    assert "2 evaluations against a baseline" in page
    assert "Holm" in page
    assert "permutation test" in page
    assert "Rows that flipped" in page
    worse = as_alice.get(url + "&way=worse&of=C").content.decode()
    assert 'value="C" selected' in worse


@pytest.mark.parametrize("query", ["", "base=x", "base=00000000-0000-0000-0000-000000000000"])
def test_what_cannot_be_compared_is_told(kit: Kit, as_alice: Client, query: str) -> None:
    answer = as_alice.get(f"{page_of(kit, 'compare')}?{query}")
    assert answer.status_code in (404, 422)


def test_different_splits_are_not_compared(kit: Kit, as_alice: Client) -> None:
    one, other = evaluate(kit), evaluate(kit, split="train")
    answer = as_alice.get(f"{page_of(kit, 'compare')}?base={one.pk}&run={other.pk}")
    assert answer.status_code == 422
    assert "of different splits" in answer.content.decode()


# ---- files


def test_the_rows_are_taken_away_as_csv_and_jsonl(
    kit: Kit, project: Project, as_alice: Client
) -> None:
    rows = [{"message": f"=cmd|' /C {n}'!A0 invoice", "category": "billing"} for n in range(6)]
    dataset = builders.make_dataset(project, "sly", rows=rows)
    run = evaluate(kit, dataset=dataset, repeats=2)
    answer = as_alice.get(page_of(kit, "export", run.pk, "csv"))
    assert answer["Content-Disposition"].endswith('.csv"')
    table = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert len(table) == 4
    assert {line["repetition"] for line in table} == {"1", "2"}
    assert all(line["input_message"].startswith("'=") for line in table)
    assert {line["answer_category"] for line in table} <= {"billing", "shipping"}
    lines = b"".join(as_alice.get(page_of(kit, "export", run.pk, "jsonl"))).decode()
    told = [json.loads(line) for line in lines.splitlines()]
    assert len(told) == 4
    assert told[0]["inputs"]["message"].startswith("=cmd")
    assert told[0]["steps"][0]["prompt"]
    assert as_alice.get(page_of(kit, "export", run.pk, "xlsx")).status_code == 404


# ---- who may


def test_strangers_find_nothing_and_viewers_start_nothing(kit: Kit, as_charlie: Client) -> None:
    run = evaluate(kit)
    example = ScoreRow.objects.filter(run=run).values_list("example", flat=True)[0]
    slug = kit.pipeline.slug
    for url in (
        run.get_absolute_url(),
        page_of(kit, "evaluate", slug),
        page_of(kit, "evaluate-estimate", slug),
        page_of(kit, "evaluations", slug),
        page_of(kit, "evaluate-choose"),
        page_of(kit, "compare") + f"?base={run.pk}&run={run.pk}",
        page_of(kit, "export", run.pk, "csv"),
        page_of(kit, "result-row", run.pk, example),
    ):
        assert as_charlie.get(url).status_code == 404, url
    assert as_charlie.post(page_of(kit, "go-on", run.pk), {}).status_code == 404
    vera = builders.make_user("vera")
    kit.project.memberships.create(user=vera, role="viewer")
    client = builders.make_client(vera)
    assert client.get(page_of(kit, "evaluate", slug)).status_code == 403
    assert client.get(run.get_absolute_url()).status_code == 200
    assert "Evaluate again" not in client.get(run.get_absolute_url()).content.decode()
    paused = evaluate(kit, max_calls=2)
    assert client.post(page_of(kit, "go-on", paused.pk), {"max_calls": "9"}).status_code == 403


def test_the_form_is_reached_from_where_people_stand(kit: Kit, as_alice: Client) -> None:
    compiled = kit.compile()
    hash_, slug = compiled.report["artifact"], kit.pipeline.slug
    form = page_of(kit, "evaluate", slug)
    places = {
        reverse("pipelines:versions", args=["support", slug]): f"{form}?subject=version:1",
        reverse("pipelines:pipelines", args=["support"]): page_of(kit, "evaluations", slug),
        kit.dataset.get_absolute_url(): f"{page_of(kit, 'evaluate-choose')}?dataset=messages",
        compiled.get_absolute_url(): f"{form}?subject=artifact:{hash_}",
        page_of(kit, "compile", slug): form,
    }
    for place, link in places.items():
        assert f'href="{link}"' in as_alice.get(place).content.decode(), place
    page = as_alice.get(f"{form}?subject=artifact:{hash_}").content.decode()
    assert f'<option value="artifact:{hash_}" selected>' in page
    assert as_alice.get(f"{form}?subject=artifact:{'0' * 64}").status_code == 404


def test_a_release_is_scored_as_what_it_points_to(kit: Kit, as_alice: Client) -> None:
    artifact = Artifact.objects.get(hash=kit.compile().report["artifact"])
    review = Review.objects.create(project=kit.project, artifact=artifact)
    kit.project.releases.create(pipeline=kit.pipeline, artifact=artifact, label="staging")
    form = page_of(kit, "evaluate", kit.pipeline.slug)
    releases = as_alice.get(reverse("reviews:releases", args=["support"])).content.decode()
    assert f'href="{form}?subject=release:staging"' in releases
    assert (
        f'href="{form}?subject=artifact:{artifact.hash}"'
        in as_alice.get(review.get_absolute_url()).content.decode()
    )
    answer = as_alice.post(form, form_of(kit, subject="release:staging", connection=""))
    run = Run.objects.get(kind="evaluate")
    assert answer["Location"] == run.get_absolute_url()
    assert (run.params["artifact"], run.params["label"]) == (artifact.hash, "staging")
    assert f"staging, artifact {artifact}" in as_alice.get(answer["Location"]).content.decode()
