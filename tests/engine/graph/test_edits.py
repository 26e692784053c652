"""Edits of a drawing, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from studio.engine.errors import EngineError, GraphError, SignatureError
from studio.engine.graph import check, edits, empty_spec
from studio.engine.graph.edits import Spec
from studio.engine.signature import Signature
from tests.builders import make_edge, make_field, make_spec


def named(level: Spec, name: str) -> dict[str, Any]:
    """The node that is called so."""
    found: dict[str, Any] = next(node for node in level["nodes"] if node["name"] == name)
    return found


def wires(level: Spec) -> set[str]:
    """`a.x → b.y` for each wire."""
    names = {node["id"]: node["name"] for node in level["nodes"]}
    return {
        f"{names[e['source']]}.{e['source_field']} → {names[e['target']]}.{e['target_field']}"
        for e in level["edges"]
    }


def two_steps() -> Spec:
    """input → plan → write → output."""
    level = edits.set_fields_text(empty_spec(), "input", "topic")
    plan = Signature.parse("topic -> points: list[str]")
    level = edits.add_node(level, "predict", "plan", after="input", signature=plan)
    write = Signature.parse("points: list[str] -> text")
    level = edits.add_node(
        level, "predict", "write", after=named(level, "plan")["id"], signature=write
    )
    return edits.expose(level, named(level, "write")["id"], "text")


def test_two_steps_are_built_from_nothing_and_run() -> None:
    level = two_steps()
    assert check(level) == ()
    assert wires(level) == {
        "input.topic → plan.topic",
        "plan.points → write.points",
        "write.text → output.text",
    }


def test_an_edit_leaves_what_it_was_given() -> None:
    spec = make_spec()
    before = copy.deepcopy(spec)
    edits.change_at(spec, edits.TOP, lambda level: edits.rename(level, "n2", "sort"))
    assert spec == before


def test_ids_and_names_are_free_ones() -> None:
    level = edits.add_node(make_spec(), "predict")
    level = edits.add_node(level, "predict")
    assert [node["id"] for node in level["nodes"]][3:] == ["n4", "n5"]
    assert [node["name"] for node in level["nodes"]][3:] == ["predict", "predict_2"]


@pytest.mark.parametrize(
    ("name", "says"),
    [("Sort It", "is not a name"), ("output", "Another node"), ("", "not a name")],
)
def test_a_bad_name_is_refused(name: str, says: str) -> None:
    with pytest.raises(GraphError, match=says):
        edits.rename(make_spec(), "n2", name)


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(GraphError, match="no kind of node"):
        edits.add_node(make_spec(), "magic")
    with pytest.raises(GraphError, match="an input node already"):
        edits.add_node(make_spec(), "input")
    with pytest.raises(GraphError, match="cannot become"):
        edits.set_kind(make_spec(), "n1", "predict")


def test_another_kind_keeps_what_it_knows_and_drops_what_it_does_not() -> None:
    level = edits.set_kind(make_spec(kind="chain_of_thought"), "n2", "chain_of_thought")
    level = edits.expose(level, "n2", "reasoning")
    level["nodes"][1] = {**level["nodes"][1], "params": {"invented": 1}}
    level = edits.set_kind(level, "n2", "predict")
    assert level["nodes"][1]["params"] == {}
    assert wires(level) == {
        "input.message → classify.message",
        "classify.category → output.category",
    }


def test_a_module_becomes_a_step() -> None:
    module = {
        "slug": "sort-mail",
        "kind": "predict",
        "signature": Signature.parse("message -> area").to_dict(),
        "params": {},
    }
    level = edits.add_module(make_spec(), module, after="n1")
    assert named(level, "sort_mail")["module"] == "sort-mail"
    assert "input.message → sort_mail.message" in wires(level)
    with pytest.raises(GraphError, match="no kind of step"):
        edits.add_module(make_spec(), {**module, "kind": "gone"})


def test_wires_follow_a_renamed_field_and_go_with_a_lost_one() -> None:
    level = edits.set_signature_text(make_spec(), "n2", "text -> category, why")
    assert wires(level) == {
        "input.message → classify.text",
        "classify.category → output.category",
    }
    level = edits.set_signature_text(level, "n2", "text -> why")
    assert wires(level) == {"input.message → classify.text"}
    level = edits.set_fields_text(level, "n1", "body")
    assert wires(level) == {"input.body → classify.text"}


def test_the_line_keeps_what_it_does_not_say() -> None:
    fields: list[dict[str, Any]] = [
        {**make_field("n", "int", "input", "How many."), "constraints": {"min": 1}, "default": 2},
        make_field("answer", role="output", description="In words."),
    ]
    level = edits.set_signature(make_spec(), "n2", fields)
    level = edits.set_signature_text(level, "n2", "count: int -> answer")
    first, second = level["nodes"][1]["signature"]["fields"]
    assert (first["name"], first["constraints"], first["default"]) == ("count", {"min": 1}, 2)
    assert second["description"] == "In words."
    level = edits.set_signature_text(level, "n2", "count -> answer")
    first = level["nodes"][1]["signature"]["fields"][0]
    assert "constraints" not in first
    assert first["description"] == "How many."


def test_constraints_are_kept_when_they_say_something() -> None:
    level = edits.set_constraints(make_spec(), "n1", "message", {"max_length": 10}, "hello")
    assert level["nodes"][0]["fields"][0]["constraints"] == {"max_length": 10}
    assert level["nodes"][0]["fields"][0]["default"] == "hello"
    with pytest.raises(SignatureError, match="says nothing about"):
        edits.set_constraints(make_spec(), "n1", "message", {"min": 3})
    with pytest.raises(SignatureError, match="default does not fit"):
        edits.set_constraints(make_spec(), "n1", "message", {"max_length": 2}, "hello")
    with pytest.raises(GraphError, match="has no field"):
        edits.set_constraints(make_spec(), "n1", "nothing", {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("message", "exactly one"),
        ("a -> a", "stands twice"),
        ("a: nonsense -> b", "is not a type"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(text: str, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        edits.set_signature_text(make_spec(), "n2", text)


def test_a_wire_that_does_not_fit_is_refused_with_the_reason() -> None:
    level = edits.set_fields_text(make_spec(), "n1", "message: list[str]")
    with pytest.raises(GraphError, match=r"does not fit into str"):
        edits.connect(level, "n1", "message", "n2", "message")
    with pytest.raises(GraphError, match="cannot feed itself"):
        edits.connect(level, "n2", "category", "n2", "message")
    with pytest.raises(GraphError, match="has no output"):
        edits.connect(level, "n1", "nothing", "n2", "message")
    with pytest.raises(GraphError, match="no node"):
        edits.connect(level, "n9", "message", "n2", "message")


def test_a_circle_is_refused() -> None:
    level = two_steps()
    level = edits.set_signature_text(level, named(level, "plan")["id"], "topic, more -> points")
    plan, write = named(level, "plan")["id"], named(level, "write")["id"]
    level = edits.set_signature_text(level, write, "points -> text")
    level = edits.connect(level, plan, "points", write, "points")
    with pytest.raises(GraphError, match="run in a circle"):
        edits.connect(level, write, "text", plan, "more")


def test_sources_come_with_reasons_and_with_what_would_help() -> None:
    level = edits.set_fields_text(make_spec(), "n1", "message: list[str], urgent: bool")
    found = {one.field: one for one in edits.sources_for(level, "n2", "message")}
    assert found["urgent"].reason == ""
    assert "does not fit" in found["message"].reason
    assert [way.name for way in found["message"].converters][:1] == ["join_lines"]


def test_a_converter_makes_the_wire_legal() -> None:
    level = edits.set_fields_text(make_spec(), "n1", "message: list[str]")
    level = edits.insert_converter(level, "n1", "message", "n2", "message", "join_lines")
    assert check(level) == ()
    assert len(level["edges"]) == 3
    with pytest.raises(GraphError, match="does not help"):
        edits.insert_converter(level, "n1", "message", "n2", "message", "round")


def test_a_wire_gives_way_and_can_be_cut() -> None:
    level = edits.set_fields_text(make_spec(), "n1", "message, other")
    level = edits.connect(level, "n1", "other", "n2", "message")
    assert wires(level) == {
        "input.other → classify.message",
        "classify.category → output.category",
    }
    level = edits.disconnect(level, "n2", "message")
    assert wires(level) == {"classify.category → output.category"}
    with pytest.raises(GraphError, match="Nothing leads into"):
        edits.disconnect(level, "n2", "message")


def test_a_removed_node_takes_its_wires_along() -> None:
    level = edits.remove_nodes(make_spec(), ["n2"])
    assert level["edges"] == []
    with pytest.raises(GraphError, match="no node"):
        edits.remove_nodes(level, ["n2"])


def test_a_copy_has_a_name_of_its_own_and_the_wires_between() -> None:
    level = two_steps()
    ids = [named(level, "plan")["id"], named(level, "write")["id"]]
    level = edits.duplicate(level, ids)
    assert "plan_2.points → write_2.points" in wires(level)
    assert len(level["edges"]) == 4
    with pytest.raises(GraphError, match="cannot be copied"):
        edits.duplicate(level, ["input"])


def test_settings_are_kept_and_left_out_when_empty() -> None:
    level = edits.set_lm(make_spec(), "n2", "small")
    level = edits.set_demos(level, "n2", [{"message": "x", "category": "billing"}])
    level = edits.set_instruction(level, "n2", "Sort it.")
    node = level["nodes"][1]
    assert (node["lm"], len(node["demos"]), node["signature"]["instruction"]) == (
        "small",
        1,
        "Sort it.",
    )
    level = edits.set_demos(edits.set_lm(level, "n2", ""), "n2", [])
    assert not {"lm", "demos"} & level["nodes"][1].keys()
    with pytest.raises(EngineError, match="no parameter"):
        edits.set_params(level, "n2", {"invented": 1})
    with pytest.raises(GraphError, match="pinned demos at most"):
        edits.set_demos(level, "n2", [{}] * 51)
    with pytest.raises(GraphError, match="letters"):
        edits.set_instruction(level, "n2", "x" * 20_001)
    with pytest.raises(GraphError, match="only fields"):
        edits.set_lm(level, "n1", "small")


def test_a_group_runs_as_its_steps_did_and_comes_apart_again() -> None:
    level = two_steps()
    ids = [named(level, "plan")["id"], named(level, "write")["id"]]
    grouped = edits.group(level, ids, "essay")
    assert check(grouped) == ()
    assert wires(grouped) == {"input.topic → essay.topic", "essay.text → output.text"}
    apart = edits.ungroup(grouped, named(grouped, "essay")["id"])
    assert check(apart) == ()
    assert wires(apart) == wires(level)


def test_a_group_around_a_step_is_refused() -> None:
    level = two_steps()
    plan, write = named(level, "plan")["id"], named(level, "write")["id"]
    level = edits.add_node(
        level, "predict", "last", after=write, signature=Signature.parse("text -> more")
    )
    with pytest.raises(GraphError, match="write lies between"):
        edits.group(level, [plan, named(level, "last")["id"]])
    with pytest.raises(GraphError, match="an end of the pipeline"):
        edits.group(level, ["input"])
    with pytest.raises(GraphError, match="Choose the steps"):
        edits.group(level, [])
    with pytest.raises(GraphError, match="is no Subpipeline"):
        edits.ungroup(level, plan)


def test_parts_come_with_their_ends_and_can_be_edited() -> None:
    level = edits.set_kind(make_spec(), "n2", "subpipeline")
    with pytest.raises(GraphError, match="It may have body"):
        edits.add_part(level, "n2", "cellar")
    level = edits.add_part(level, "n2", "body")
    at = edits.read_at("n2.body")
    level = edits.change_at(
        level,
        at,
        lambda inside: edits.add_node(
            inside,
            "predict",
            "sort",
            after="input",
            signature=Signature.parse("message -> category: enum[billing, shipping]"),
        ),
    )
    level = edits.change_at(
        level, at, lambda inside: edits.connect(inside, "n3", "category", "output", "category")
    )
    assert check(level) == ()
    assert edits.remove_part(level, "n2", "body")["nodes"][1].get("parts") is None
    with pytest.raises(GraphError, match="already"):
        edits.add_part(level, "n2", "body")


def test_the_way_to_a_level_is_read_back() -> None:
    at = (("n.1", "body"), ("50%2E", "otherwise"))
    assert edits.read_at(edits.write_at(at)) == at
    assert edits.read_at("") == edits.TOP
    for text in ("n1", "a.b.c", ".".join("x" * 30), "x" * 10_000):
        with pytest.raises(GraphError, match="leads to no pipeline"):
            edits.read_at(text)
    with pytest.raises(GraphError, match="no pipeline “body”"):
        edits.level_at(make_spec(), (("n2", "body"),))


def test_nodes_move_and_stand_in_columns() -> None:
    level = edits.move(make_spec(), ["n2"], "left")
    assert level["nodes"][1]["position"]["x"] == 280
    with pytest.raises(GraphError, match="is no way"):
        edits.move(level, ["n2"], "sideways")
    assert [node["position"]["x"] for node in edits.tidy(level)["nodes"]] == [0, 300, 600]
    circle = {
        **two_steps(),
        "edges": [make_edge("a", "n3", "x", "n4", "y"), make_edge("b", "n4", "x", "n3", "y")],
    }
    with pytest.raises(GraphError, match="circle"):
        edits.tidy(circle)


def test_notes() -> None:
    level = edits.add_note(make_spec(), "Ask Bob.")
    id_ = level["notes"][0]["id"]
    level = edits.set_note(level, id_, "Ask Vera.")
    assert level["notes"][0]["text"] == "Ask Vera."
    assert "notes" not in edits.remove_note(level, id_)
    for text in (" ", "x" * 5_001):
        with pytest.raises(GraphError, match="note"):
            edits.set_note(level, id_, text)
    with pytest.raises(GraphError, match="no note"):
        edits.remove_note(level, "t9")


def test_a_document_with_doubled_ids_is_mended_first() -> None:
    spec = make_spec()
    spec["nodes"].append({**spec["nodes"][1], "name": "other"})
    spec["edges"].append(make_edge("e1", "gone", "x", "n2", "message"))
    spec = edits.change_at(spec, edits.TOP, lambda level: edits.rename(level, "n2", "first"))
    assert [node["name"] for node in spec["nodes"]] == ["input", "first", "output", "other"]
    assert len({node["id"] for node in spec["nodes"]}) == 4
    assert len(spec["edges"]) == 2


@pytest.mark.parametrize("spec", [None, {}, {"version": 2, "nodes": [], "edges": []}])
def test_what_is_no_document_is_not_edited(spec: Any) -> None:
    with pytest.raises(GraphError):
        edits.change_at(spec, edits.TOP, lambda level: level)


def test_an_edit_that_makes_it_too_large_is_refused() -> None:
    spec = make_spec()
    spec["nodes"] += [{**spec["nodes"][1], "id": f"m{n}", "name": f"m{n}"} for n in range(1_997)]
    with pytest.raises(GraphError, match="2000 nodes"):
        edits.change_at(spec, edits.TOP, lambda level: edits.add_node(level, "predict"))
