"""The form of a composite: parts added, removed, and written as JSON; with and without htmx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.engine.metrics.composite import MOST_PARTS
from studio.metrics.models import Metric
from studio.metrics.parts import PartsForm
from tests import builders

URL = "/p/support/metrics/new/?kind=composite"
ONE = {
    "parts_as": "form",
    "part-0-kind": "exact_match",
    "part-0-field": "category",
    "part-0-weight": "2",
    "part-0-gate": "",
}
TWO = {
    **ONE,
    "part-1-kind": "regex",
    "part-1-field": "category",
    "part-1-pattern": "^b",
    "part-1-weight": "0",
    "part-1-gate": "1",
}


def kinds(form: PartsForm) -> list[str]:
    return [row.kind for row in form.rows]


def test_the_form_makes_the_json_that_the_engine_reads() -> None:
    form = PartsForm(TWO)
    assert form.is_valid(), form.errors
    parts = json.loads(form.params()["parts"])
    assert [(part["kind"], part["weight"], part.get("gate")) for part in parts] == [
        ("exact_match", 2, None),
        ("regex", 0, 1),
    ]
    assert parts[1]["params"]["pattern"] == "^b"


def test_a_part_is_added_and_removed_and_the_others_keep_what_was_written() -> None:
    more = PartsForm({**TWO, "parts_add": "1", "parts_kind": "python"})
    assert kinds(more) == ["exact_match", "regex", "python"]
    assert more.is_step
    assert not more.is_valid()
    assert more.rows[1].params["pattern"].value() == "^b"
    assert more.rows[2].params["code"].value().startswith("def score")
    less = PartsForm({**TWO, "parts_remove": "0"})
    assert kinds(less) == ["regex"]
    assert less.rows[0].params["pattern"].value() == "^b"
    assert less.rows[0].weight["gate"].value() == "1"
    assert less.rows[0].params.prefix == "part-0"


@pytest.mark.parametrize(
    "data", [{"parts_remove": "9"}, {"parts_remove": "x"}, {"parts_add": "1", "parts_kind": "x"}]
)
def test_a_button_that_means_nothing_changes_nothing(data: dict[str, str]) -> None:
    assert kinds(PartsForm({**TWO, **data})) == ["exact_match", "regex"]


def test_there_is_a_most_of_parts() -> None:
    data: dict[str, Any] = {"parts_as": "form", "parts_add": "1", "parts_kind": "contains"}
    for number in range(MOST_PARTS + 5):
        data[f"part-{number}-kind"] = "contains"
    form = PartsForm(data)
    assert len(form.rows) == MOST_PARTS
    assert form.is_full


def test_the_two_ways_to_write_are_one_thing() -> None:
    as_json = PartsForm({**TWO, "parts_switch": "json"})
    assert as_json.way == "json"
    text = as_json.text["parts"].value()
    back = PartsForm({"parts_as": "json", "parts": text, "parts_switch": "form"})
    assert back.way == "form"
    assert kinds(back) == ["exact_match", "regex"]
    assert back.rows[1].weight["gate"].value() == 1
    stored = PartsForm({"parts_as": "json", "parts": text})
    assert stored.is_valid()
    assert stored.params()["parts"].replace("\r\n", "\n") == text


def test_json_that_cannot_be_read_stays_as_it_was_written() -> None:
    form = PartsForm({"parts_as": "json", "parts": "[{", "parts_switch": "form"})
    assert form.way == "json"
    assert form.text["parts"].value() == "[{"
    assert "no JSON" in form.error


def test_unfinished_parts_are_not_turned_into_json() -> None:
    form = PartsForm({**ONE, "part-0-field": "", "parts_switch": "json"})
    assert form.way == "form"
    assert "Complete the parts" in form.error


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"part-0-field": ""}, "Part 1 Field: This field is required"),
        ({"part-0-weight": "-1"}, "Part 1 Weight"),
        ({"part-0-weight": "nan"}, "Part 1 Weight"),
        ({"part-0-gate": "2"}, "Part 1 Gate"),
        ({"part-0-kind": "vibes"}, "1 to 20 parts"),
        ({"part-0-weight": "0"}, "without any weight"),
    ],
)
def test_what_is_wrong_names_the_part(data: dict[str, str], sentence: str) -> None:
    form = PartsForm({**ONE, **data})
    assert not form.is_valid()
    assert sentence in " ".join(form.errors["parts"])


def test_a_composite_inside_of_a_composite_stays_json() -> None:
    inner = json.dumps([{"kind": "exact_match", "params": {"field": "a"}}])
    form = PartsForm(
        initial={"parts": json.dumps([{"kind": "composite", "params": {"parts": inner}}])}
    )
    assert form.rows[0].params["parts"].value() == inner
    assert "composite" not in [name for name, _ in form.kinds]


def test_it_works_on_the_page_with_plain_posts(as_alice: Client, project: Project) -> None:
    page = as_alice.post(URL, {"name": "Both", **ONE, "parts_add": "1", "parts_kind": "regex"})
    assert page.status_code == 200
    assert 'name="part-1-pattern"' in page.content.decode()
    assert not Metric.objects.exists()
    assert as_alice.post(URL, {"name": "Both", **TWO}).status_code == 302
    metric = Metric.objects.get()
    opened = as_alice.get(metric.get_absolute_url()).content.decode()
    assert "Part 2: Regular expression" in opened


def test_htmx_gets_the_parts_alone(as_alice: Client, project: Project) -> None:
    data = {"name": "Both", **ONE, "parts_remove": "0"}
    page = as_alice.post(URL, data, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "No part yet" in page


def test_a_stored_composite_that_cannot_be_read_is_shown_as_it_is(
    as_alice: Client, project: Project
) -> None:
    metric = builders.make_metric(project, kind="composite", params={"parts": "[oops"})
    page = as_alice.get(metric.get_absolute_url()).content.decode()
    assert "[oops" in page
    assert "no JSON" in page
