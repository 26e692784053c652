"""What changed, as the page tells and draws it."""

from __future__ import annotations

import copy
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from hypothesis import given, settings

from studio.accounts.models import Project, User
from studio.engine.graph.diff import diff_specs
from studio.pipelines import services, versions
from studio.pipelines.comparing import MOST_GROUPS, compare
from studio.pipelines.models import Pipeline
from studio.pipelines.pictures import MOST_DRAWN, diff_picture, picture
from studio.pipelines.starts import STARTS
from studio.pipelines.wording import word_diff
from tests.builders import make_edge, make_pipeline, make_spec
from tests.engine.graph.test_diff import edited, edits
from tests.engine.graph.test_parts import nested

PAGE = "/p/support/pipelines/triage/versions/compare/"
SCRIPT = "</title><script>alert(1)</script>"


def redrawn() -> dict[str, Any]:
    """The usual drawing: a step rewritten, one more, one end renamed, one moved."""
    spec = copy.deepcopy(make_spec())
    _, classify, output = spec["nodes"]
    classify["signature"]["instruction"] = "Sort the message into one category, please."
    output["position"] = {"x": 900, "y": 50}
    spec["nodes"].append({**copy.deepcopy(classify), "id": "n9", "name": "second"})
    spec["edges"].append(make_edge("e9", "n1", "message", "n9", "message"))
    return spec


def drawn(before: Any, after: Any) -> ElementTree.Element:
    """The picture of what changed."""
    return ElementTree.fromstring(diff_picture(before, after, diff_specs(before, after)))


def titles(svg: ElementTree.Element) -> set[str]:
    """What its boxes and lines are called."""
    return {str(title.text) for title in svg.iter("title")}


# ── The picture ──────────────────────────────────────────────────────────────────────────────────


def test_a_mark_is_told_by_colour_symbol_and_title() -> None:
    svg = drawn(make_spec(), redrawn())
    assert svg.get("aria-label") == "Nodes: 1 added, 0 removed, 1 changed."
    assert titles(svg) >= {
        "input (Input)",
        "classify (Predict): changed",
        "second (Predict): added",
        "output (Output): moved",
        "input to second: added",
    }
    text = ElementTree.tostring(svg, encoding="unicode")
    assert "stroke-success" in text
    assert {"+", "~"} <= {str(one.text) for one in svg.iter("text")}
    back = drawn(redrawn(), make_spec())
    assert "second (Predict): removed" in titles(back)
    assert "−" in {str(one.text) for one in back.iter("text")}
    assert "stroke-dasharray" in ElementTree.tostring(back, encoding="unicode")


def test_a_change_inside_of_a_node_marks_the_node() -> None:
    after = nested()
    after["nodes"][1]["parts"]["body"]["nodes"][1]["signature"]["instruction"] = "Sort."
    assert "sort (Subpipeline): changed" in titles(drawn(nested(), after))


def test_names_are_escaped_in_a_picture() -> None:
    spec = make_spec()
    spec["nodes"][1]["name"] = spec["nodes"][1]["kind"] = SCRIPT
    assert "<script" not in diff_picture(make_spec(), spec, diff_specs(make_spec(), spec))
    assert any(SCRIPT in title for title in titles(drawn(make_spec(), spec)))
    assert "<script" not in picture(spec)


def test_a_far_node_does_not_make_a_speck_of_the_others() -> None:
    spec = make_spec()
    spec["nodes"][2]["position"] = {"x": 1e12, "y": -1e12}
    _, _, width, height = map(int, str(drawn(spec, spec).get("viewBox")).split())
    assert max(width, height) < 3_000


@pytest.mark.parametrize("spec", [None, {"version": 1, "nodes": [], "edges": []}])
def test_what_cannot_be_drawn_has_no_picture(spec: Any) -> None:
    assert picture(spec) == ""
    assert diff_picture(spec, spec, ()) == ""


def test_a_cloud_of_nodes_has_no_picture() -> None:
    spec = make_spec()
    spec["nodes"] = [{**spec["nodes"][0], "id": f"n{i}"} for i in range(MOST_DRAWN + 1)]
    assert picture(spec) == ""


@settings(max_examples=40, deadline=None)
@given(edits, edits)
def test_every_two_drawings_have_a_picture_and_words(one: Any, other: Any) -> None:
    before, after = edited(one), edited(other)
    changes = diff_specs(before, after)
    if svg := diff_picture(before, after, changes):
        ElementTree.fromstring(re.sub("[\x00-\x1f\ufffe\uffff]", "", svg))
    compared = compare(changes)
    lines = sum(len(group.lines) for group in compared.groups)
    assert lines + len(compared.moved) >= len(changes)


# ── The words ────────────────────────────────────────────────────────────────────────────────────


def test_changes_are_grouped_by_node() -> None:
    compared = compare(diff_specs(make_spec(), redrawn()))
    assert [(group.title, group.how) for group in compared.groups] == [
        ("classify", "changed"),
        ("second", "added"),
    ]
    assert compared.moved == ["output"]
    [line] = compared.groups[0].lines
    assert [(piece.kind, piece.text) for piece in line.pieces if piece.kind == "added"] == [
        ("added", ", please")
    ]


def test_a_page_tells_only_so_many_nodes() -> None:
    spec = {"version": 1, "nodes": [], "edges": []}
    node = make_spec()["nodes"][1]
    nodes = [{**node, "id": f"n{i}", "name": f"x{i}"} for i in range(MOST_GROUPS + 7)]
    compared = compare(diff_specs(spec, {**spec, "nodes": nodes}))
    assert (len(compared.groups), compared.left_out) == (MOST_GROUPS, 7)


def test_long_texts_are_compared_by_lines() -> None:
    before = "".join(f"Line {i} of many words.\n" for i in range(3_000))
    after = before.replace("Line 1500 of", "Line 1500 without")
    kinds = [piece.kind for piece in word_diff(before, after)]
    assert kinds == ["same", "removed", "added", "same"]


def test_of_many_long_texts_the_later_ones_are_shown_side_by_side() -> None:
    nodes = [
        {**copy.deepcopy(make_spec()["nodes"][1]), "id": f"n{i}", "name": f"x{i}"}
        for i in range(50)
    ]
    before: dict[str, Any] = {"version": 1, "nodes": nodes, "edges": []}
    after = copy.deepcopy(before)
    for number, node in enumerate(after["nodes"]):
        node["signature"]["instruction"] = f"Sort {number}. " * 100
    lines = [line for group in compare(diff_specs(before, after)).groups for line in group.lines]
    assert lines[0].pieces
    assert not lines[-1].pieces
    assert lines[-1].after.startswith("Sort 49.")


# ── The page ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pipeline(project: Project, alice: User) -> Pipeline:
    """Version 1, then another drawing on the board, as revision 2."""
    pipeline = make_pipeline(project)
    versions.save_version(actor=alice, pipeline=pipeline, message=SCRIPT)
    services.save_pipeline(actor=alice, pipeline=pipeline, spec=redrawn(), base_revision=1)
    return pipeline


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["?from=1&to=now", "?from=r1&to=r2", "?from=1", "", "?from=r1"])
def test_any_two_states_are_compared(as_alice: Client, pipeline: Pipeline, query: str) -> None:
    html = as_alice.get(f"{PAGE}{query}").content.decode()
    assert "second is new." in html
    assert "The instruction of classify was rewritten." in html
    assert '<ins class="bg-success/20 no-underline">' in html
    assert "Only moved: output." in html
    assert "<script>alert" not in html
    assert 'aria-label="Nodes: 1 added, 0 removed, 1 changed."' in html


@pytest.mark.django_db
def test_backwards_it_tells_what_went(as_alice: Client, pipeline: Pipeline) -> None:
    html = as_alice.get(f"{PAGE}?from=now&to=1").content.decode()
    assert "second is gone." in html
    assert "Restore version 1" in html


@pytest.mark.django_db
def test_htmx_gets_the_comparison_alone(as_alice: Client, pipeline: Pipeline) -> None:
    html = as_alice.get(f"{PAGE}?from=1&to=now", headers={"HX-Request": "true"}).content.decode()
    assert html.strip().startswith('<div class="flow" id="comparison">')


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "status"),
    [("from=9", 404), ("from=r99", 404), ("from=x", 422), ("from=1&to=<b>", 422), ("to=r", 422)],
)
def test_a_state_that_is_not_there_is_a_sentence(
    as_alice: Client, pipeline: Pipeline, query: str, status: int
) -> None:
    answer = as_alice.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    assert "<b>" not in answer.content.decode()


@pytest.mark.django_db
def test_equal_states_say_so(as_alice: Client, pipeline: Pipeline) -> None:
    assert "one and the same state" in as_alice.get(f"{PAGE}?from=1&to=1").content.decode()
    assert "Both are the same program." in as_alice.get(f"{PAGE}?from=1&to=r1").content.decode()


def test_every_start_has_a_picture() -> None:
    for start in STARTS.values():
        assert len(list(ElementTree.fromstring(picture(start.spec)).iter("rect"))) == len(
            start.spec["nodes"]
        )
