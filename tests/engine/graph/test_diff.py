"""What became of a drawing, told in sentences."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.graph import build, check, spec_hash
from studio.engine.graph.diff import diff_specs, match_nodes
from studio.engine.graph.shape import shape_problem
from tests.engine.graph.test_graph import edit, field, json_values, node, two_steps, wire
from tests.engine.graph.test_parts import inner, nested


def sentences(before: Any, after: Any) -> list[str]:
    """The sentences of the changes."""
    return [change.sentence for change in diff_specs(before, after)]


def changed(path: str, value: Any, make: Any = two_steps) -> list[str]:
    """What is told when one place of a drawing is another."""
    after = make()
    edit(path, value)(after)
    return sentences(make(), after)


def test_what_is_equal_has_no_changes() -> None:
    assert diff_specs(nested(), nested()) == ()


def test_ids_of_wires_and_their_order_are_no_change() -> None:
    after = two_steps()
    after["edges"].reverse()
    for number, edge in enumerate(after["edges"]):
        edge["id"] = f"other{number}"
    assert diff_specs(two_steps(), after) == ()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("nodes.1.name", "shorten", "plan is called shorten now."),
        ("nodes.1.kind", "predict", "plan is of the kind Predict now; it was Chain of thought."),
        ("nodes.1.kind", "from_elsewhere", "plan is of the kind “from_elsewhere” now; it was"),
        ("nodes.1.signature.instruction", "Be brief.", "plan has an instruction now."),
        ("nodes.1.params", {"temperature": 0.7}, "plan: Temperature is 0.7 now."),
        ("nodes.1.params", {"strange": True}, "plan: strange is yes now."),
        ("nodes.1.lm", "haiku", "plan is answered by haiku now, not by the language model of the"),
        ("nodes.1.demos", [{"a": 1}], "plan shows 1 pinned demo now; it showed none."),
        ("nodes.1.module", "my-plan", "plan comes from the saved module my-plan now."),
        ("nodes.1.signature", None, "plan has no signature any more."),
        ("nodes.1.signature", [1], "The signature of plan is another."),
        ("nodes.1.signature.fields", "no list", "The fields of plan are others now."),
        ("nodes.1.strange", [1], "“strange” of plan is another."),
        ("nodes.1.position", {"x": 5, "y": 5}, "plan was moved."),
        ("strange", {"a": 1}, "“strange” of the pipeline is another."),
        (
            "notes",
            [{"id": "t1", "text": "Look\nhere", "position": {"x": 0, "y": 0}}],
            "The note “Look here” is new.",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_change_has_a_sentence(path: str, value: Any, says: str) -> None:
    told = changed(path, value)
    assert any(says in sentence for sentence in told), told


def test_a_node_that_came_and_one_that_went() -> None:
    before, after = two_steps(), two_steps()
    gone = after["nodes"].pop(1)
    after["nodes"].append({**gone, "id": "n77", "name": "judge", "kind": "chain_of_thought"})
    told = sentences(before, after)
    assert "judge is new." in told
    assert "plan is gone." in told


def test_a_node_under_another_id_is_the_one_of_its_name() -> None:
    after = two_steps()
    old = after["nodes"][1]["id"]
    after["nodes"][1]["id"] = "elsewhere"
    for edge in after["edges"]:
        for end in ("source", "target"):
            edge[end] = "elsewhere" if edge[end] == old else edge[end]
    assert diff_specs(two_steps(), after) == ()


def test_an_id_that_was_used_again_for_another_kind_is_another_node() -> None:
    before, after = [node("n1", "predict", name="sort")], [node("n1", "retrieve", name="search")]
    assert match_nodes(before, after) == [(None, after[0]), (before[0], None)]


def test_fields_are_told_one_by_one() -> None:
    before, after = two_steps(), two_steps()
    fields = after["nodes"][1]["signature"]["fields"]
    fields.append(field("hint", "list[str]", "input"))
    fields.append(field("reason", role="output"))
    fields[0]["type"] = "int"
    fields[1]["description"] = "In one word."
    told = [(change.aspect, change.sentence) for change in diff_specs(before, after)]
    first, second = (one["name"] for one in before["nodes"][1]["signature"]["fields"][:2])
    assert ("field:input:hint", "plan takes hint: list[str] now.") in told
    assert ("field:output:reason", "plan answers reason: str now.") in told
    assert any(f"plan.{first} is of the type int now; it was" in told_ for _, told_ in told)
    assert any(f"The description of plan.{second} is another." in told_ for _, told_ in told)
    back = sentences(after, before)
    assert "plan takes no hint any more." in back
    assert "plan answers no reason any more." in back


def test_the_order_of_fields_is_told() -> None:
    after = two_steps()
    after["nodes"][1]["signature"]["fields"].reverse()
    assert sentences(two_steps(), after) == ["The fields of plan stand in another order."]


def test_wires_are_told_by_their_ends() -> None:
    before, after = two_steps(), two_steps()
    edge = after["edges"].pop(0)
    names = {one["id"]: one["name"] for one in before["nodes"]}
    source = f"{names[edge['source']]}.{edge['source_field']}"
    target = f"{names[edge['target']]}.{edge['target_field']}"
    assert sentences(before, after) == [f"{source} does not go into {target} any more."]
    assert sentences(after, before) == [f"{source} goes into {target} now."]


def test_a_wire_that_begins_elsewhere_is_one_change() -> None:
    before, after = two_steps(), two_steps()
    edge = after["edges"][-1]
    edge["source"], edge["source_field"] = before["nodes"][0]["id"], "message"
    [change] = diff_specs(before, after)
    assert (change.what, change.how) == ("wire", "changed")
    assert f" gets {before['nodes'][0]['name']}.message now, not " in change.sentence


def test_a_wire_that_leads_nowhere_is_told_too() -> None:
    before = {"version": 1, "nodes": [], "edges": []}
    after = {**before, "edges": [wire("ghost", "a", "nobody", "b")]}
    [told] = sentences(before, after)
    assert told.startswith("a node that is not there (ghost).a goes into")


def test_what_is_inside_of_a_node_is_told_with_the_way_to_it() -> None:
    after = nested()
    edit("nodes.1.parts.body.nodes.1.signature.instruction", "Sort it.")(after)
    [change] = diff_specs(nested(), after)
    assert change.sentence == "In sort, body: classify has an instruction now."
    assert (change.way, change.where) == (((after["nodes"][1]["id"], "body"),), "sort, body")
    assert change.node == "classify"


def test_a_part_that_came_and_one_that_went() -> None:
    before, after = nested(), nested()
    after["nodes"][1]["parts"] = {"otherwise": inner()}
    assert sentences(before, after) == [
        "sort has a pipeline “otherwise” now, of 3 nodes.",
        "The pipeline “body” inside sort, of 3 nodes, is gone.",
    ]


def test_moves_are_told_apart() -> None:
    after = nested()
    for one in after["nodes"]:
        one["position"] = {"x": 7, "y": 7}
    after["notes"] = []
    assert {change.how for change in diff_specs(nested(), after)} == {"moved"}
    assert spec_hash(after) == spec_hash(nested())


def test_notes_are_told() -> None:
    note = {"id": "t1", "text": "Ask Bob.", "position": {"x": 0, "y": 0}}
    before, after = {**two_steps(), "notes": [note]}, two_steps()
    assert sentences(before, after) == ["The note “Ask Bob.” is gone."]
    after["notes"] = [{**note, "text": "Ask Eve.", "position": {"x": 9, "y": 0}}]
    assert sentences(before, after) == [
        "A note says “Ask Eve.” now.",
        "The note “Ask Eve.” was moved.",
    ]


@pytest.mark.parametrize("bad", [None, [], {}, {"version": 7}, {"version": 1, "nodes": 3}])
def test_what_cannot_be_read_is_told(bad: Any) -> None:
    first, *others = sentences(bad, two_steps())
    assert first.startswith("What was drawn before cannot be read.")
    assert all(" is new." in told or " goes into " in told for told in others)


def test_a_default_of_nothing_is_not_no_default() -> None:
    before, after = two_steps(), two_steps()
    after["nodes"][1]["signature"]["fields"][0]["default"] = None
    assert sentences(before, after) == ["The default of plan.message is another."]


def test_true_is_not_one_and_a_whole_number_is_its_float() -> None:
    assert changed("nodes.1.params", {"n": 1}) == ["plan: n is 1 now."]
    before, after = two_steps(), two_steps()
    before["nodes"][1]["params"], after["nodes"][1]["params"] = {"n": 1}, {"n": 1.0}
    assert diff_specs(before, after) == ()
    after["nodes"][1]["params"] = {"n": True}
    assert len(diff_specs(before, after)) == 1


PLACES = [
    "notes",
    "strange",
    "nodes",
    "edges",
    "nodes.0.fields",
    "nodes.0.fields.0",
    "nodes.0.position",
    "nodes.1.id",
    "nodes.1.name",
    "nodes.1.kind",
    "nodes.1.lm",
    "nodes.1.demos",
    "nodes.1.module",
    "nodes.1.params",
    "nodes.1.parts",
    "nodes.1.parts.body",
    "nodes.1.signature",
    "nodes.1.signature.fields",
    "nodes.1.signature.fields.0",
    "nodes.1.signature.fields.0.name",
    "nodes.1.signature.fields.0.role",
    "nodes.1.signature.fields.0.type",
    "nodes.1.signature.instruction",
    "nodes.1.parts.body.nodes.1.signature",
    "edges.0.source",
]
edits = st.lists(st.tuples(st.sampled_from(PLACES), json_values), max_size=4)


def edited(changes: list[tuple[str, Any]]) -> Any:
    """A nested drawing after some edits; those whose place is gone are left out."""
    spec = nested()
    for path, value in changes:
        try:
            edit(path, value)(spec)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            continue
    return spec


@settings(deadline=None)
@given(edits, edits)
def test_no_two_specs_make_the_diff_raise(one: Any, other: Any) -> None:
    before, after = edited(one), edited(other)
    kept = copy.deepcopy((before, after))
    there, back = diff_specs(before, after), diff_specs(after, before)
    assert (before, after) == kept
    assert bool(there) == bool(back)
    for change in (*there, *back):
        assert change.sentence.endswith(".")
        assert change.what in {"node", "part", "wire", "note", "pipeline"}
        assert change.how in {"added", "removed", "changed", "moved"}
    if shape_problem(before) is None:
        assert diff_specs(before, before) == ()


@settings(deadline=None)
@given(edits)
def test_what_changes_the_program_is_told(changes: Any) -> None:
    before = nested()
    after = edited(changes)
    if shape_problem(after) or check(after):
        return
    # Two specs may say one thing: no parameters and none at all, an instruction that is empty.
    if build(before) != build(after) and not same_names(before, after):
        assert any(change.how != "moved" for change in diff_specs(before, after))


def same_names(before: Any, after: Any) -> bool:
    """Whether only the ids differ: a node under another id is the same one."""
    return bool([one["id"] for one in before["nodes"]] != [one["id"] for one in after["nodes"]])
