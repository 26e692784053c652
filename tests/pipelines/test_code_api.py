"""The drawing as code and back, through the canvas' door."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.engine.graph import empty_spec
from studio.pipelines.models import Pipeline
from tests.builders import make_client, make_pipeline, make_project, make_spec, make_user

pytestmark = pytest.mark.django_db
URL = "/api/projects/support/pipelines/triage/"


@pytest.fixture(autouse=True)
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return make_pipeline(project)


def post(client: Client, door: str, body: Any, url: str = URL) -> Any:
    """POST it as JSON."""
    data = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"{url}{door}/", data, content_type="application/json")


def test_a_drawing_is_written_as_python_and_as_dspy(as_alice: Client) -> None:
    answer = post(as_alice, "code", {"spec": make_spec()})
    assert answer.status_code == 200
    found = answer.json()
    assert "classify = pipeline.step(" in found["python"]
    assert "class Pipeline(dspy.Module):" in found["dspy"]
    assert (found["python_problem"], found["dspy_problem"]) == ("", "")


def test_what_dspy_lacks_is_named_and_nothing_half_is_written(as_alice: Client) -> None:
    spec = make_spec(kind="best_of_n")
    spec["nodes"][1]["params"] = {"rubric": "It is short."}
    found = post(as_alice, "code", {"spec": spec}).json()
    assert found["dspy"] == ""
    assert "The step “classify” is of a kind (BestOfN)" in found["dspy_problem"]
    assert "best_of_n" in found["python"]


def test_an_unfinished_drawing_has_code_and_a_reason_why_there_is_no_dspy(
    as_alice: Client,
) -> None:
    found = post(as_alice, "code", {"spec": empty_spec()}).json()
    assert "Drawing(" in found["python"]
    assert "has no fields yet" in found["dspy_problem"]


def test_the_code_reads_back_into_the_same_drawing(as_alice: Client, pipeline: Pipeline) -> None:
    text = post(as_alice, "code", {"spec": make_spec()}).json()["python"]
    answer = post(as_alice, "read-code", {"text": text, "spec": make_spec()})
    assert answer.json() == {"spec": make_spec(), "problems": []}
    pipeline.refresh_from_db()
    assert pipeline.revision == 1, "nothing is saved"


def test_a_change_of_the_code_changes_the_drawing_and_tells_its_problems(as_alice: Client) -> None:
    text = post(as_alice, "code", {"spec": make_spec()}).json()["python"]
    text = text.replace('"classify"', '"sort_it"').replace("category=classify.category", "")
    answer = post(as_alice, "read-code", {"text": text, "spec": make_spec()}).json()
    assert answer["spec"]["nodes"][1]["name"] == "sort_it"
    assert [node["id"] for node in answer["spec"]["nodes"]] == ["n1", "n2", "n3"]
    assert {problem["code"] for problem in answer["problems"]} == {"no-fields"}


def test_code_that_does_not_read_is_refused_by_line(as_alice: Client) -> None:
    text = "from studio.engine.drawing import Drawing\nimport os\nos.system('true')\n"
    answer = post(as_alice, "read-code", {"text": text, "spec": make_spec()})
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Line 2: “import os” draws nothing")
    assert [problem["line"] for problem in answer.json()["problems"]] == [2, 3]


@pytest.mark.parametrize(
    ("door", "body", "says"),
    [
        ("code", {}, "no pipeline"),
        ("code", "{", "not JSON"),
        ("code", {"spec": {"version": 9}}, "version 9"),
        ("code", {"spec": {**make_spec(), "x": "\ud800"}}, "no text can"),
        ("code", {"spec": {**make_spec(), "x": "y" * 1_100_000}}, "1,000,000 is the most"),
        ("read-code", {}, "text of the code is missing"),
        ("read-code", {"text": 1}, "text of the code is missing"),
        ("read-code", {"text": "a\0"}, "character zero"),
        ("read-code", {"text": "'\ud800'"}, "UTF-8"),
        ("read-code", {"text": "#" * 1_000_001}, "longer than 1,000,000"),
        ("read-code", {"text": "x", "spec": {"version": 9}}, "version 9"),
        ("read-code", {"text": "x", "spec": [1]}, "no pipeline"),
    ],
    ids=lambda value: str(value)[:30].encode(errors="replace").decode(),
)
def test_bad_input_gets_a_sentence(as_alice: Client, door: str, body: Any, says: str) -> None:
    answer = post(as_alice, door, body)
    assert answer.status_code == 422
    assert says in answer.json()["message"]


def test_text_that_no_database_takes_is_refused(as_alice: Client) -> None:
    text = (
        'from studio.engine.drawing import Drawing\na = Drawing(inputs="x")\na.note("\\ud800")\n'
    )
    assert post(as_alice, "read-code", {"text": text}).status_code == 422
    text = text.replace("\\ud800", "\\0")
    assert "zero" in post(as_alice, "read-code", {"text": text}).json()["message"]


def test_two_nodes_of_one_id_are_no_code_yet(as_alice: Client) -> None:
    spec = make_spec()
    spec["nodes"].append(copy.deepcopy(spec["nodes"][1]))
    found = post(as_alice, "code", {"spec": spec}).json()
    assert found["python"] == ""
    assert "Two nodes have the id" in found["python_problem"]


def test_a_viewer_reads_code_and_a_stranger_does_not(as_charlie: Client) -> None:
    viewer = make_user("viewer")
    make_pipeline(make_project(slug="other", viewer=viewer))
    url = "/api/projects/other/pipelines/triage/"
    client = make_client(viewer)
    text = post(client, "code", {"spec": make_spec()}, url).json()["python"]
    assert post(client, "read-code", {"text": text}, url).status_code == 200
    for door in ("code", "read-code"):
        assert post(as_charlie, door, {"spec": make_spec(), "text": text}, url).status_code == 404


def test_the_doors_take_a_post_only(as_alice: Client) -> None:
    assert as_alice.get(f"{URL}code/").status_code == 405
    assert as_alice.get(f"{URL}read-code/").status_code == 405
