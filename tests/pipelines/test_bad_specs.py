"""What no canvas would send: refused with a sentence, or kept and told; never an error of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.accounts.models import Project
from studio.engine.graph.spec import MOST_DEEP
from studio.pipelines.models import Pipeline
from studio.runs.models import Run
from tests.builders import make_pipeline, make_spec

pytestmark = pytest.mark.django_db
URL = "/api/projects/support/pipelines/triage/"
PAGES = "/p/support/pipelines/triage/"
SCRIPT = "<script>alert(1)</script>"
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return make_pipeline(project)


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the sandbox, or asks a language model, fails the test."""

    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("Something was run.")

    monkeypatch.setattr("studio.sandboxes.shared_sandbox", refuse)
    monkeypatch.setattr("studio.engine.program.Program.__call__", refuse)


def put(client: Client, spec: Any, base: int = 1) -> Any:
    """Save it as the canvas does."""
    body = json.dumps({"spec": spec, "base_revision": base})
    return client.put(URL, body, content_type="application/json")


def changed(change: Change) -> dict[str, Any]:
    """The usual drawing after a change."""
    spec = copy.deepcopy(make_spec())
    change(spec)
    return spec


def step(**more: Any) -> dict[str, Any]:
    """The usual drawing whose step holds something else."""
    return changed(lambda spec: spec["nodes"][1].update(more))


def inside(spec: Any, deep: int) -> Any:
    """The usual drawing, so many subpipelines deep."""
    for _ in range(deep):
        spec = step(kind="subpipeline", parts={"body": spec})
    return spec


def many(count: int) -> list[dict[str, Any]]:
    """So many nodes of no known kind."""
    return [
        {"id": f"n{i}", "kind": "x", "name": f"x{i}", "position": {"x": i, "y": 0}}
        for i in range(count)
    ]


def nested(depth: int) -> Any:
    """A list in a list in a list …"""
    data: Any = []
    for _ in range(depth):
        data = [data]
    return data


REFUSED: dict[str, tuple[Any, str]] = {
    "the future": (changed(lambda s: s.update(version=2)), "of version 2; this studio reads 1"),
    "the past": (changed(lambda s: s.update(version=0)), "of version 0; this studio reads 1"),
    "no version": (changed(lambda s: s.pop("version")), "of version None"),
    "10,000 nodes": ({"version": 1, "nodes": many(10_000), "edges": []}, "may have 2000 nodes"),
    "10,000 nodes in parts": (step(parts={str(i): {**make_spec(), "nodes": many(1_000)}
                                          for i in range(5)}), "2000 nodes"),
    "too many wires": (changed(lambda s: s.update(edges=s["edges"] * 6_000)), ""),
    "a foreign canvas": (
        {"nodes": [{"id": "1", "type": "genericNode", "data": {}}], "edges": [], "viewport": {}},
        "of version None",
    ),
    "a notebook": ({"cells": [], "metadata": {}, "nbformat": 4}, "of version None"),
    "a text": ("message -> category", "expected a JSON object"),
    "a list": ([make_spec()], "expected a JSON object"),
    "nodes by id": (changed(lambda s: s.update(nodes={"n1": {}})), "a list of nodes"),
    "a node that is a text": (changed(lambda s: s["nodes"].append("x")), "Every node needs"),
    "a node without place": (changed(lambda s: s["nodes"][0].pop("position")), "a position"),
    "a place without end": (step(position={"x": 1e300, "y": 0}), "a position"),
    "a name of a page": (step(name="x" * 201), "Every node needs"),
    "a wire to a list": (changed(lambda s: s["edges"][0].update(source=[])), "Every wire needs"),
    "params as a list": (step(params=[]), "params must be an object"),
    "an lm that is an object": (step(lm={"key": "secret"}), "lm must be the short name"),
    "a long lm": (step(lm="x" * 201), "lm must be the short name"),
    "demos as an object": (step(demos={}), "demos must be a list"),
    "demos of texts": (step(demos=["x"]), "demos must be a list"),
    "too many demos": (step(demos=[{}] * 51), "50 objects at most"),
    "parts as a list": (step(parts=[]), "parts must be pipelines by name"),
    "a part that is a text": (step(parts={"body": "x"}), "expected a JSON object"),
    "a part of the future": (step(parts={"body": {**make_spec(), "version": 2}}), "version 2"),
    "pipelines without end": (inside(make_spec(), MOST_DEEP + 1), "and no deeper"),
    "notes as a text": (changed(lambda s: s.update(notes="x")), "notes at most"),
    "a note without place": (
        changed(lambda s: s.update(notes=[{"id": "t", "text": "x"}])), "a position"
    ),
    "a note like a book": (
        changed(lambda s: s.update(
            notes=[{"id": "t", "text": "x" * 5_001, "position": {"x": 0, "y": 0}}])),
        "5,000 letters at most",
    ),
    "lists without end": (step(params={"x": nested(200)}), "nested deeper than 150"),
    "a zero": (step(params={"x": "a\0b"}), "character zero"),
    "half a letter": (step(params={"x": "\ud800"}), "no text can"),
}  # fmt: skip

KEPT: dict[str, tuple[Any, str]] = {
    "an unknown kind": (step(kind="from_tomorrow"), "unknown-kind"),
    "two of one id": (
        changed(lambda s: s["nodes"].append(copy.deepcopy(s["nodes"][1]))), "duplicate-id"
    ),
    "two of one name": (
        changed(lambda s: s["nodes"].append({**copy.deepcopy(s["nodes"][1]), "id": "n9"})),
        "duplicate-name",
    ),
    "HTML in a name": (step(name=SCRIPT), "bad-name"),
    "HTML in an instruction": (
        changed(lambda s: s["nodes"][1]["signature"].update(instruction=SCRIPT)), ""
    ),
    "HTML in a note": (
        changed(lambda s: s.update(
            notes=[{"id": "t", "text": SCRIPT, "position": {"x": 0, "y": 0}}])), ""
    ),
    "a signature that is a text": (step(signature="a -> b"), "bad-signature"),
    "fields that are texts": (step(signature={"fields": ["a"]}), "bad-signature"),
    "a field type without end": (
        step(signature={"fields": [{"name": "a", "role": "input", "type": "list[" * 999}]}),
        "bad-signature",
    ),
    "an unknown parameter": (step(params={"exec": "import os"}), "bad-params"),
    "code to run": (step(kind="python", params={"code": "import os; os.abort()"}), ""),
    "no nodes": ({"version": 1, "nodes": [], "edges": []}, "no-input"),
    "a wire to nowhere": (
        changed(lambda s: s["edges"][0].update(target="ghost")), "unknown-node"
    ),
    "a part of a step without parts": (step(parts={"body": make_spec()}), "unknown-part"),
    "a demo of odd values": (step(demos=[{"message": [1, {"a": None}]}]), ""),
    "an lm that is not there": (step(lm="ghost"), ""),
    "more than this studio knows": (
        changed(lambda s: s.update(viewport={"zoom": 2}, nodes=s["nodes"] + [])), ""
    ),
    "pipelines five deep": (inside(make_spec(), MOST_DEEP), ""),
    "lists a hundred deep": (step(params={"x": nested(100)}), "bad-params"),
    "nodes at the end of the world": (step(position={"x": 1e12, "y": -1e12}), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_sentence(as_alice: Client, pipeline: Pipeline, name: str) -> None:
    spec, says = REFUSED[name]
    answer = put(as_alice, spec)
    assert answer.status_code == 422
    assert says in answer.json()["message"]
    checked = as_alice.post(
        f"{URL}check/", json.dumps({"spec": spec}), content_type="application/json"
    )
    assert checked.status_code == (422 if name == "half a letter" else 200)
    pipeline.refresh_from_db()
    assert (pipeline.revision, pipeline.revisions.count()) == (1, 0)


@pytest.mark.parametrize("name", KEPT)
def test_it_is_kept_and_every_page_shows_it(
    as_alice: Client, pipeline: Pipeline, name: str
) -> None:
    spec, code = KEPT[name]
    answer = put(as_alice, spec)
    assert answer.status_code == 200, answer.content
    assert answer.json()["spec"] == spec
    codes = {problem["code"] for problem in answer.json()["problems"]}
    assert not code or code in codes, answer.json()["problems"]
    kept = as_alice.post(f"{URL}versions/", {"message": "Odd"}, content_type="application/json")
    assert kept.status_code == 201
    for page in ("", "outline/", "versions/", "versions/compare/?from=r1&to=1"):
        html = as_alice.get(f"{PAGES}{page}")
        assert html.status_code == 200, page
        assert SCRIPT not in html.content.decode(), page
    for path in ("", "versions/", "versions/1/", "revisions/", "revisions/2/"):
        assert as_alice.get(f"{URL}{path}").status_code == 200, path
    back = as_alice.post(
        f"{URL}revisions/1/restore/", {"base_revision": 2}, content_type="application/json"
    )
    assert back.status_code == 200
    assert back.json()["spec"] == make_spec()
    assert not Run.objects.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
places = st.sampled_from([
    (), ("nodes",), ("edges",), ("notes",), ("nodes", 0), ("nodes", 0, "fields"), ("nodes", 1),
    ("nodes", 1, "signature"), ("nodes", 1, "signature", "fields", 0), ("nodes", 1, "demos"),
    ("nodes", 1, "parts"), ("nodes", 1, "params"), ("nodes", 1, "lm"), ("edges", 0),
])  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(places, json_values)
def test_no_json_is_more_than_this_door_can_take(
    as_alice: Client, pipeline: Pipeline, place: tuple[str | int, ...], value: Any
) -> None:
    spec: Any = {"it": copy.deepcopy(make_spec())}
    target: Any = spec
    last: str | int = "it"
    for key in place:
        target, last = target[last], key
    target[last] = value
    pipeline.refresh_from_db()
    answer = put(as_alice, spec["it"], pipeline.revision)
    assert answer.status_code in (200, 422)
    for page in ("outline/", "versions/compare/?from=r1&to=now"):
        if pipeline.revisions.filter(number=1).exists():
            assert as_alice.get(f"{PAGES}{page}").status_code == 200
