"""What the steps of a pipeline find in the studio: collections, tools, the sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from studio.accounts.models import Project
from studio.datasets.editing.changes import Changes, change
from studio.datasets.splits.sealing import seal
from studio.engine.graph import build
from studio.engine.lm.nobody import Nobody
from studio.engine.trace import Prediction
from studio.errors import Invalid
from studio.runs.apps import check_tools
from studio.runs.equipment import collections_hash, equip, operators_tools, tool_names
from tests.builders import make_dataset, make_edge, make_field

PLACES = [
    {"title": "Paris", "text": "Paris is the capital of France and lies on the Seine."},
    {"title": "Rome", "text": "Rome is the capital of Italy and lies on the Tiber."},
]


def one_step(kind: str, signature: str, params: dict[str, Any]) -> dict[str, Any]:
    """Input → one step → output, every field wired."""
    sides = [
        [part.strip().partition(": ") for part in side.split(", ")]
        for side in signature.split(" -> ")
    ]
    inputs, outputs = ([(name, type_ or "str") for name, _, type_ in side] for side in sides)
    fields = [
        *(make_field(name, type_, "input") for name, type_ in inputs),
        *(make_field(name, type_, "output") for name, type_ in outputs),
    ]
    nodes: list[dict[str, Any]] = [
        {"id": "n1", "kind": "input", "fields": [make_field(*one) for one in inputs]},
        {
            "id": "n2",
            "kind": kind,
            "signature": {"fields": fields, "instruction": ""},
            "params": params,
        },
        {"id": "n3", "kind": "output", "fields": [make_field(*one) for one in outputs]},
    ]
    names = {"n1": "input", "n2": "step", "n3": "output"}
    return {
        "version": 1,
        "nodes": [
            {**node, "name": names[str(node["id"])], "position": {"x": 0, "y": 0}}
            for node in nodes
        ],
        "edges": [
            *(make_edge(f"i{n}", "n1", name, "n2", name) for n, (name, _) in enumerate(inputs)),
            *(make_edge(f"o{n}", "n2", name, "n3", name) for n, (name, _) in enumerate(outputs)),
        ],
    }


def run(spec: dict[str, Any], project: Project, inputs: dict[str, Any]) -> Prediction:
    runtime = equip(spec, project=project, lm=Nobody())
    return asyncio.run(build(spec)(inputs, runtime))


RETRIEVE = one_step("retrieve", "query -> passages: list[str]", {"collection": "places", "k": 1})


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> None:
    settings.STUDIO_DATA_DIR = tmp_path
    operators_tools.cache_clear()


def test_a_dataset_is_a_collection(project: Project) -> None:
    make_dataset(project, "places", rows=PLACES, splits=["train", "train"])
    found = run(RETRIEVE, project, {"query": "Which city is on the Tiber?"}).values["passages"]
    assert found == ["Rome | Rome is the capital of Italy and lies on the Tiber."]


def test_rows_without_a_text_are_found_by_all_their_columns(project: Project) -> None:
    rows = [{"name": "Ada", "job": "counts"}, {"name": "Bo", "job": "sings"}]
    make_dataset(project, "places", rows=rows, splits=["train", "train"])
    assert run(RETRIEVE, project, {"query": "sings"}).values["passages"] == [
        "name: Bo\njob: sings"
    ]


def test_a_changed_dataset_is_another_collection(project: Project) -> None:
    dataset = make_dataset(project, "places", rows=PLACES, splits=["train"] * 2)
    before = collections_hash(RETRIEVE, project)
    run(RETRIEVE, project, {"query": "Rome"})
    change(
        actor=project.memberships.order_by("pk")[0].user,
        dataset=dataset,
        changes=Changes(cells={2: {"title": "Oslo", "text": "Oslo lies on a fjord."}}),
    )
    assert collections_hash(RETRIEVE, project) != before
    assert run(RETRIEVE, project, {"query": "fjord"}).values["passages"] == [
        "Oslo | Oslo lies on a fjord."
    ]


def test_rows_of_a_sealed_test_split_are_not_found(project: Project) -> None:
    dataset = make_dataset(project, "places", rows=PLACES, splits=["train", "test"])
    before = collections_hash(RETRIEVE, project)
    assert "Tiber" in str(run(RETRIEVE, project, {"query": "capital Tiber"}).values)
    seal(actor=project.memberships.order_by("pk")[0].user, dataset=dataset)
    assert collections_hash(RETRIEVE, project) != before
    assert "Tiber" not in str(run(RETRIEVE, project, {"query": "capital Tiber"}).values)


def test_what_is_not_there_is_named_with_what_is(project: Project) -> None:
    make_dataset(project, "letters", rows=PLACES, splits=["train"] * 2)
    with pytest.raises(Invalid, match=r"no collection “places” in Support.*There are letters"):
        equip(RETRIEVE, project=project, lm=Nobody())
    agent = one_step("react", "question -> answer", {"tools": ["search_places"]})
    with pytest.raises(Invalid, match=r"no tool “search_places”.*python, search_letters"):
        equip(agent, project=project, lm=Nobody())


def test_another_projects_dataset_is_out_of_reach(project: Project) -> None:
    other = Project.objects.create(name="Other", slug="other")
    make_dataset(other, "places", rows=PLACES, splits=["train"] * 2)
    with pytest.raises(Invalid, match="no collection"):
        equip(RETRIEVE, project=project, lm=Nobody())


def test_an_agent_gets_what_it_names_and_nothing_else(project: Project, settings: Any) -> None:
    make_dataset(project, "old-places", rows=PLACES, splits=["train"] * 2)
    settings.STUDIO_TOOLS = [
        {"kind": "http", "name": "weather", "description": "The weather.", "allow": ["a.example"]}
    ]
    assert tool_names(project) == ["python", "weather", "search_old_places"]
    agent = one_step(
        "react", "question -> answer", {"tools": ["python", "search_old_places", "weather"]}
    )
    runtime = equip(agent, project=project, lm=Nobody())
    assert sorted(runtime.tools) == ["python", "search_old_places", "weather"]
    assert runtime.retrievers == {}
    assert collections_hash(agent, project)
    found = asyncio.run(runtime.tools["search_old_places"]({"query": "Tiber"}))
    assert "Rome is the capital" in found
    assert equip(RETRIEVE_NOTHING, project=project, lm=Nobody()).tools == {}


RETRIEVE_NOTHING = one_step("template", "name -> text", {"template": "Dear {name},"})


def test_a_step_without_an_lm_runs(project: Project) -> None:
    assert run(RETRIEVE_NOTHING, project, {"name": "Ada"}).values == {"text": "Dear Ada,"}
    assert collections_hash(RETRIEVE_NOTHING, project) == ""


def test_code_runs_in_the_sandbox(project: Project) -> None:
    spec = one_step(
        "python",
        "message -> shouted, length: int",
        {
            "code": "def transform(message):\n"
            "    return {'shouted': message.upper(), 'length': len(message)}"
        },
    )
    assert run(spec, project, {"message": "hi"}).values == {"shouted": "HI", "length": 2}


def test_names_inside_of_parts_count(project: Project) -> None:
    make_dataset(project, "places", rows=PLACES, splits=["train"] * 2)
    outer = one_step("subpipeline", "query -> passages: list[str]", {})
    outer["nodes"][1]["parts"] = {"body": RETRIEVE}
    found = run(outer, project, {"query": "Seine"}).values["passages"]
    assert found == ["Paris | Paris is the capital of France and lies on the Seine."]


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ({"kind": "http"}, "The tools are a list"),
        ([{"kind": "shell"}], "“kind” must be one of"),
        (
            [{"kind": "http", "name": "a", "description": "b"}],
            "needs a host",
        ),
    ],
)
def test_tools_that_cannot_be_read_are_told_at_the_start(
    settings: Any, tools: Any, sentence: str
) -> None:
    settings.STUDIO_TOOLS = tools
    (problem,) = check_tools()
    assert sentence in problem.msg
