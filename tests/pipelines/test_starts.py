"""What a new pipeline may begin with: it builds, it runs, and it lies well on the board."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.engine.graph import build, check
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.fulltext import FullText
from studio.engine.runtime import Runtime
from studio.pipelines.boxes import COLUMN, WIDTH, height_of
from studio.pipelines.starts import STARTS, begin
from tests.builders import make_dataset
from tests.engine.modules.builders import answer_anything

pytestmark = pytest.mark.django_db
RUNNABLE = [name for name in STARTS if name != "empty"]
PASSAGES = [{"title": "Returns", "text": "Goods go back within 30 days."}]


def answer(request: Request) -> Answer:
    """A readable answer to any step; an order has all its properties."""
    prompt = read_prompt(request)
    if "order" in prompt.open:
        order = {"order_number": "A-7", "product": "kettle", "quantity": 1, "wishes": []}
        return prompt.answer({"order": json.dumps(order)})
    return answer_anything(request)


@pytest.fixture
def handbook(project: Project) -> str:
    """The one dataset of passages in the project, beside one of messages."""
    make_dataset(project)
    return make_dataset(project, "hand-book", rows=PASSAGES).slug


@pytest.mark.parametrize("name", RUNNABLE)
def test_with_one_collection_it_builds_without_a_problem(
    project: Project, handbook: str, name: str
) -> None:
    assert check(begin(name, project)) == ()


@pytest.mark.parametrize("name", RUNNABLE)
def test_without_one_only_the_collection_is_asked_for(project: Project, name: str) -> None:
    problems = check(begin(name, project))
    assert {problem.code for problem in problems} <= {"bad-params"}
    assert all("“collection”" in problem.message for problem in problems)
    assert bool(problems) == (name in ("rag", "multi-hop"))


def test_of_two_collections_none_is_chosen(project: Project, handbook: str) -> None:
    make_dataset(project, "wiki", rows=PASSAGES)
    assert [problem.code for problem in check(begin("rag", project))] == ["bad-params"]
    agent = next(one for one in begin("agent", project)["nodes"] if one["kind"] == "react")
    assert agent["params"]["tools"] == ["python"]


def test_an_agent_searches_the_collection(project: Project, handbook: str) -> None:
    agent = next(one for one in begin("agent", project)["nodes"] if one["kind"] == "react")
    assert agent["params"]["tools"] == ["python", "search_hand_book"]


def test_a_drawing_begins_anew_each_time(project: Project, handbook: str) -> None:
    begin("agent", project)["nodes"].clear()
    assert len(begin("agent", project)["nodes"]) == 3


@pytest.mark.parametrize("name", STARTS)
def test_no_node_covers_another_and_wires_lead_to_the_right(name: str) -> None:
    spec = STARTS[name].spec
    boxes = [(one["position"]["x"], one["position"]["y"], height_of(one)) for one in spec["nodes"]]
    for (x, y, height), (x2, y2, height2) in itertools.combinations(boxes, 2):
        beside = abs(x - x2) >= WIDTH + 40
        assert beside or y + height <= y2 or y2 + height2 <= y
    at = {one["id"]: one["position"]["x"] for one in spec["nodes"]}
    for edge in spec["edges"]:
        assert at[edge["target"]] - at[edge["source"]] >= COLUMN


@pytest.mark.parametrize("name", STARTS)
def test_every_step_is_told_what_to_do(name: str) -> None:
    for node in STARTS[name].spec["nodes"]:
        if node["kind"] not in ("input", "output", "retrieve"):
            assert node["signature"]["instruction"].endswith(".")
    assert STARTS[name].summary.endswith(".")


@pytest.mark.parametrize("name", [name for name in RUNNABLE if name != "agent"])
def test_it_runs_and_every_wire_carries_something(
    project: Project, handbook: str, name: str
) -> None:
    program = build(begin(name, project))
    collection = FullText.build(Passage(id="1", title="Returns", text=p["text"]) for p in PASSAGES)
    runtime = Runtime(lm=ScriptedLM(answer), retrievers={handbook: collection})
    inputs = {field.name: "How long may goods go back?" for field in program.inputs}
    prediction = asyncio.run(program(inputs, runtime))
    assert set(prediction.values) == {field.name for field in program.outputs}
    assert all(step.outputs for step in prediction.steps)


@pytest.mark.parametrize("name", STARTS)
def test_a_pipeline_is_made_of_it(
    as_alice: Client, alice: User, project: Project, name: str
) -> None:
    page = as_alice.get("/p/support/pipelines/new/").content.decode()
    assert f'value="{name}"' in page
    answer = as_alice.post("/p/support/pipelines/new/", {"name": "Mine", "start": name})
    assert answer.status_code == 302
    assert project.pipelines.get().spec == begin(name, project)


def test_the_cards_show_each_drawing(as_alice: Client, project: Project) -> None:
    page = as_alice.get("/p/support/pipelines/new/").content.decode()
    cards = page.split('id="id_start_')
    assert page.count('<svg class="mx-auto block h-auto w-full"') == len(STARTS)
    assert len(cards) == len(STARTS) + 1
